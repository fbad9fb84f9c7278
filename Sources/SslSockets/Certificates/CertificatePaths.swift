internal import Glibc
internal import SslBackend
public import SslValues

/// How a path is to be read (`QSslCertificate::PatternSyntax`).
public enum SslPatternSyntax: Sendable, Hashable {
    /// A POSIX extended regular expression that the whole path of a file must match; `\d` is understood as well. The directories below its literal
    /// beginning are searched, however deep; links to directories are not followed.
    case regularExpression
    /// A pattern with `*`, `?` and `[…]`, none of which stands for a slash; they do not stand for the dot of a hidden file either.
    case wildcard
    /// The path of one file.
    case fixedString
}

extension SslCertificate {
    /// Reads every certificate of a file, or of every file that matches a pattern, in the order of their paths (`QSslCertificate::fromPath`).
    ///
    /// A directory has no certificates itself: give a pattern for its files. Of the files that match a pattern, those that cannot be read or hold no
    /// certificate in this format count for nothing; a file named by a fixed string must be right.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile`` and ``SslSocketError/Code/invalidUserData`` about the file of a fixed string, or for a
    ///   regular expression that is none.
    public static func fromPath(
        _ path: String, format: SslEncodingFormat = .pem, syntax: SslPatternSyntax = .fixedString, backend: String? = nil
    ) throws(SslSocketError) -> [SslCertificate] {
        guard syntax != .fixedString else {
            return FilePattern.kind(of: path) == .directory
                ? [] : try certificates(fromFile: path, format: format, backend: backend)
        }
        // Whether there is a backend at all must not look like a lack of files.
        let engine = try SslBackends.resolve(backend)
        let files = syntax == .wildcard ? FilePattern.glob(path) : try FilePattern.search(path)
        var found: [SslCertificate] = []
        for file in files { found += (try? certificates(fromFile: file, format: format, backend: engine.name)) ?? [] }
        return found
    }
}

/// Finds files by patterns.
enum FilePattern {
    enum Kind { case file, directory, other }

    /// No tree of certificates is deeper.
    private static let deepest = 32

    /// What stands at a path.
    ///
    /// - Parameter followsLinks: false to call a link neither file nor directory.
    static func kind(of path: String, followsLinks: Bool = true) -> Kind {
        var facts = stat()
        guard unsafe (followsLinks ? stat(path, &facts) : lstat(path, &facts)) == 0 else { return .other }
        switch facts.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        default: return .other
        }
    }

    /// The names in a directory, sorted; none when it cannot be read.
    static func names(in directory: String) -> [String] {
        guard let stream = unsafe opendir(directory.isEmpty ? "." : directory) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    // MARK: Wildcards

    /// The files that match a pattern.
    static func glob(_ pattern: String) -> [String] {
        var places = [pattern.hasPrefix("/") ? "/" : ""]
        for part in pattern.split(separator: "/") {
            let part = String(part)
            guard part.contains(where: { "*?[".contains($0) }) else {
                places = places.map { $0 + part + "/" }
                continue
            }
            places = places.flatMap { place in
                names(in: place).filter { matches($0, part) }.map { place + $0 + "/" }
            }
        }
        return places.map { String($0.dropLast()) }.filter { kind(of: $0) == .file }
    }

    /// Whether one name matches one part of a pattern.
    static func matches(_ name: String, _ pattern: String) -> Bool {
        if name.hasPrefix("."), !pattern.hasPrefix(".") { return false }
        let name = Array(name.unicodeScalars)
        let pattern = Array(pattern.unicodeScalars)
        var at = 0
        var place = 0
        // Where to go on when the last star has to stand for one more scalar.
        var star: (place: Int, at: Int)?
        while at < name.count {
            if place < pattern.count, pattern[place] == "*" {
                place += 1
                star = (place, at)
            } else if place < pattern.count, let next = step(name[at], pattern, place) {
                place = next
                at += 1
            } else if let known = star {
                star = (known.place, known.at + 1)
                (place, at) = (known.place, known.at + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == "*" }
    }

    /// Matches one scalar against what stands at `place`; the place after it, or nil.
    private static func step(_ scalar: Unicode.Scalar, _ pattern: [Unicode.Scalar], _ place: Int) -> Int? {
        guard pattern[place] == "[" else { return pattern[place] == "?" || pattern[place] == scalar ? place + 1 : nil }
        var next = place + 1
        let isNegated = next < pattern.count && (pattern[next] == "!" || pattern[next] == "^")
        if isNegated { next += 1 }
        let first = next
        var isMember = false
        while next < pattern.count, pattern[next] != "]" || next == first {
            if next + 2 < pattern.count, pattern[next + 1] == "-", pattern[next + 2] != "]" {
                if pattern[next] <= scalar, scalar <= pattern[next + 2] { isMember = true }
                next += 3
            } else {
                if pattern[next] == scalar { isMember = true }
                next += 1
            }
        }
        // A bracket that is never closed stands for itself.
        guard next < pattern.count else { return scalar == "[" ? place + 1 : nil }
        return isMember != isNegated ? next + 1 : nil
    }

    // MARK: Regular expressions

    /// The files whose whole path matches a regular expression.
    static func search(_ expression: String) throws(SslSocketError) -> [String] {
        var compiled = unsafe regex_t()
        let native = unsafe regcomp(&compiled, "^(" + translated(expression) + ")$", REG_EXTENDED | REG_NOSUB)
        guard native == 0 else {
            var text = [CChar](repeating: 0, count: 256)
            unsafe regerror(native, &compiled, &text, text.count)
            let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw SslSocketError(.invalidUserData, "\"\(expression)\" is not a regular expression: \(reason)")
        }
        defer { unsafe regfree(&compiled) }
        let literal = expression.prefix { !"\\^$.|?*+()[]{}".contains($0) }
        let start = literal.lastIndex(of: "/").map { String(literal[...$0]) } ?? ""
        var found: [String] = []
        walk(start, 0) { path in if unsafe regexec(&compiled, path, 0, nil, 0) == 0 { found.append(path) } }
        return found
    }

    private static func walk(_ directory: String, _ depth: Int, _ visit: (String) -> Void) {
        for name in names(in: directory) {
            let path = directory + name
            if kind(of: path) == .file {
                visit(path)
            } else if depth < deepest, kind(of: path, followsLinks: false) == .directory {
                walk(path + "/", depth + 1, visit)
            }
        }
    }

    /// POSIX has no `\d`, and takes it for a plain d.
    private static func translated(_ expression: String) -> String {
        var text = ""
        var isEscaped = false
        for character in expression {
            if isEscaped {
                text += character == "d" ? "[0-9]" : "\\\(character)"
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                text.append(character)
            }
        }
        return isEscaped ? text + "\\" : text
    }
}
