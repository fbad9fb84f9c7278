import Glibc
import SslTestKit
import Testing

@testable import SslSockets

@Suite("Certificates by path")
struct CertificatePathTests {
    /// A directory of certificate files, good and bad, as most systems have one.
    private struct Tree {
        let files: ScratchFiles
        let one: SslCertificate
        let other: SslCertificate

        init(backend: String) throws {
            let certificates = try TestCertificates.shared()
            one = try SslCertificate(der: certificates.root.certificate, backend: backend)
            other = try SslCertificate(der: certificates.intermediate.certificate, backend: backend)
            files = try ScratchFiles()
            try files.write("one.pem", one.pem)
            try files.write("other.pem", other.pem)
            try files.write("both.crt", "a comment\n" + one.pem + "between\n" + other.pem.dropLast())
            try files.write("one.der", one.der)
            try files.write("empty.pem", "")
            try files.write("cut.pem", String(one.pem.prefix(200)))
            try files.write("README", "no certificate here")
            try files.write(".hidden.pem", one.pem)
            try files.write("below/deeper.pem", other.pem)
            try files.write("below/further/deepest.pem", other.pem)
        }
    }

    private func count(
        _ path: String, _ syntax: SslPatternSyntax, _ backend: String, _ format: SslEncodingFormat = .pem
    ) throws -> Int { try SslCertificate.fromPath(path, format: format, syntax: syntax, backend: backend).count }

    @Test("A fixed string is the path of one file", arguments: SslBackends.available)
    func fixedString(backend: String) throws {
        let tree = try Tree(backend: backend)
        let path = tree.files.path
        #expect(try SslCertificate.fromPath("\(path)/one.pem", backend: backend) == [tree.one])
        #expect(try SslCertificate.fromPath("\(path)/both.crt", backend: backend) == [tree.one, tree.other])
        #expect(try SslCertificate.fromPath("\(path)/one.der", format: .der, backend: backend) == [tree.one])
        // A directory has no certificates itself.
        #expect(try count(path, .fixedString, backend) == 0)
        for missing in ["\(path)/no such file", "", "\(path)/*.pem"] {
            #expect(throws: SslSocketError(.unreadableFile, "")) { try count(missing, .fixedString, backend) }
        }
        for (bad, format) in [
            ("empty.pem", SslEncodingFormat.pem), ("cut.pem", .pem), ("one.der", .pem), ("one.pem", .der), ("README", .der),
        ] {
            #expect(throws: SslSocketError(.invalidUserData, "")) { try count("\(path)/\(bad)", .fixedString, backend, format) }
        }
        #expect(throws: SslSocketError(.noBackend, "")) { try count("\(path)/*", .wildcard, "made-up") }
    }

    @Test("A wildcard stands for names in one directory", arguments: SslBackends.available)
    func wildcard(backend: String) throws {
        let tree = try Tree(backend: backend)
        let path = tree.files.path
        let rows: [(String, SslEncodingFormat, Int)] = [
            ("*.pem", .pem, 2), ("*", .pem, 4), ("*", .der, 1), ("*.crt", .pem, 2), ("o?e.pem", .pem, 1), ("o*.pem", .pem, 2),
            ("[a-o]n*.pem", .pem, 1), ("[!o]*.pem", .pem, 0), ("[^o]*.crt", .pem, 2), (".*.pem", .pem, 1), ("*/*.pem", .pem, 1),
            ("*/*/*.pem", .pem, 1), ("bel*/further/d*", .pem, 1), ("*.nothing", .pem, 0), ("none/*", .pem, 0),
            ("one.pem", .pem, 1),
            ("[", .pem, 0), ("", .pem, 0), ("both.c[r]t", .pem, 2), ("**.p?m", .pem, 2),
        ]
        for (pattern, format, expected) in rows {
            #expect(try count("\(path)/\(pattern)", .wildcard, backend, format) == expected, "\(pattern)")
        }
        #expect(
            try SslCertificate.fromPath("\(path)/o*.pem", syntax: .wildcard, backend: backend) == [tree.one, tree.other])
    }

    @Test("A regular expression must match the whole path", arguments: SslBackends.available)
    func regularExpression(backend: String) throws {
        let tree = try Tree(backend: backend)
        try tree.files.write("ca-12.pem", tree.one.pem)
        let path = tree.files.path
        let rows: [(String, Int)] = [
            (".*\\.pem", 6), (".*\\.(pem|crt)", 8), ("one\\.pem", 1), ("one", 0), ("ca-\\d+\\.pem", 1), ("ca-[0-9]{2}\\.pem", 1),
            ("below/.*", 2), ("[^/]*\\.pem", 4), (".*/deepest\\.pem", 1), ("nowhere/.*", 0), ("o.*\\.pem|b.*\\.crt", 2),
        ]
        for (pattern, expected) in rows {
            #expect(try count("\(path)/\(pattern)", .regularExpression, backend) == expected, "\(pattern)")
        }
        for bad in ["(", "[a", "a{2"] {
            #expect(throws: SslSocketError(.invalidUserData, "")) {
                try count("\(path)/\(bad)", .regularExpression, backend)
            }
        }
    }

    @Test("Names are matched as a whole")
    func matching() {
        for (name, pattern, matches) in [
            ("abc", "abc", true), ("abc", "a*c", true), ("abc", "*", true), ("", "*", true), ("abc", "a*b", false),
            ("aab", "*ab", true),
            ("abcabd", "*abd", true), ("a.b", "a?b", true), ("ab", "a?b", false), ("é", "?", true), ("]", "[]]", true),
            ("-", "[a-]", true),
            ("b", "[a-c]", true), ("d", "[a-c]", false), ("d", "[!a-c]", true), ("[a", "[a", true),
            ("aaaaaaaaaaaaaaaaaaaaaaaaab", "*a*a*a*a*c", false),
            (".x", "*", false), (".x", ".*", true),
        ] { #expect(FilePattern.matches(name, pattern) == matches, "\(name) \(pattern)") }
    }

    @Test("Links to files count, and links to directories make no endless walk", arguments: SslBackends.available)
    func links(backend: String) throws {
        let tree = try Tree(backend: backend)
        let path = tree.files.path
        #expect(unsafe symlink("\(path)/one.pem", "\(path)/linked.pem") == 0)
        #expect(unsafe symlink(path, "\(path)/below/loop") == 0)
        #expect(try count("\(path)/l*.pem", .wildcard, backend) == 1)
        #expect(try count("\(path)/.*d.pem", .regularExpression, backend) == 1)
        #expect(try count("\(path)/below/.*", .regularExpression, backend) == 2)
    }

    @Test("A configuration takes certificates by path", arguments: SslBackends.available)
    func configuration(backend: String) throws {
        let tree = try Tree(backend: backend)
        let path = tree.files.path
        var configuration = SslConfiguration()
        configuration.backend = backend
        #expect(try configuration.addCaCertificates(fromPath: "\(path)/one.pem"))
        #expect(try configuration.addCaCertificates(fromPath: "\(path)/*.crt", syntax: .wildcard))
        #expect(configuration.caCertificates == [tree.one, tree.one, tree.other])
        #expect(try !configuration.addCaCertificates(fromPath: "\(path)/*.nothing", syntax: .wildcard))
        #expect(throws: SslSocketError(.unreadableFile, "")) { try configuration.addCaCertificates(fromPath: "\(path)/missing") }
        #expect(try configuration.addCaCertificates(fromPath: "\(path)/one.der", format: .der))
        #expect(configuration.caCertificates.count == 4)
        #expect(configuration.usesSystemCaCertificates)
    }
}
