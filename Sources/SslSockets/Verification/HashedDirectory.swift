internal import SslBackend
internal import SslValues

/// A directory of trusted certificates in files named by hash, as `openssl rehash` makes them: `9d66eef0.0`.
///
/// Nothing is read before a path needs an issuer, and then only the files of that issuer's name. What was found is kept while anybody uses the
/// directory; what was not found is looked for again, so that a certificate may be put in without a restart.
final class HashedDirectory: Sendable {
    private struct Weak { weak var directory: HashedDirectory? }
    private static let shared = Lock<[String: Weak]>([:])
    /// No name has so many certificates.
    private static let mostOfOneName = 64

    let path: String
    private let known = Lock<[[UInt8]: [LazyCertificate]]>([:])

    private init(_ path: String) { self.path = path }

    /// The directory at a path, the same one for all who use it.
    static func at(_ path: String) -> HashedDirectory {
        shared.withLock { shared in
            if let directory = shared[path]?.directory { return directory }
            let fresh = HashedDirectory(path)
            shared = shared.filter { $0.value.directory != nil }
            shared[path] = Weak(directory: fresh)
            return fresh
        }
    }

    /// The certificates of a subject.
    ///
    /// - Parameters:
    ///   - canonicalName: the name in its comparable form: the files' names are only hashes of 32 bits.
    ///   - der: the name as it stands in a certificate.
    ///   - backend: computes the hash.
    func certificates(named canonicalName: [UInt8], encoded der: [UInt8], backend: any TlsBackend) -> [LazyCertificate] {
        if let found = known.withLock({ $0[canonicalName] }) { return found }
        guard let stem = Self.fileStem(of: der, backend: backend) else { return [] }
        var files: [String] = []
        while files.count < Self.mostOfOneName {
            let file = "\(path)/\(stem).\(files.count)"
            guard FilePattern.kind(of: file) == .file else { break }
            files.append(file)
        }
        let found = files.flatMap(Self.read).filter { $0.canonicalSubject == canonicalName }.map { LazyCertificate($0) }
        guard !found.isEmpty else { return [] }
        // Whoever comes first decides, so that everybody has the same handles.
        return known.withLock { known in
            if let other = known[canonicalName] { return other }
            known[canonicalName] = found
            return found
        }
    }

    /// Every certificate in files named by hash; everything else in there is not meant to be trusted. Read anew by each call.
    var certificates: [[UInt8]] { hashedFiles.flatMap(Self.read).map(\.der) }

    /// Whether there is any file named by hash.
    var isUsable: Bool { !hashedFiles.isEmpty }

    private var hashedFiles: [String] {
        FilePattern.names(in: path).filter(Self.isHashed).map { path + "/" + $0 }
    }

    /// A file that cannot be read, or holds no certificate, proves nothing and harms nobody else.
    private static func read(_ file: String) -> [CertificateFields] {
        ((try? Pem.certificates(inFile: file)) ?? []).compactMap { try? CertificateFields($0) }
    }

    private static func isHashed(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 2 && parts[0].count == 8 && parts[0].allSatisfy { isHexDigit($0) }
            && !parts[1].isEmpty && parts[1].allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isHexDigit(_ octet: UInt8) -> Bool {
        (0x30...0x39).contains(octet) || (0x61...0x66).contains(octet | 0x20)
    }

    // MARK: Hashes

    /// The name of the files of a subject without their number: the first four octets, the last first, of the SHA-1 of its name, written anew by OpenSSL's
    /// rules (`X509_NAME_hash`): text in UTF-8, ASCII letters small, blanks at the ends dropped and inside made one.
    static func fileStem(of name: [UInt8], backend: any TlsBackend) -> String? {
        guard let read = DistinguishedName(name[...]) else { return nil }
        var octets: [UInt8] = []
        for set in read.sets {
            var attributes: [[UInt8]] = []
            for attribute in set {
                guard let type = DerWriter.objectIdentifier(attribute.oid) else { return nil }
                attributes.append(DerWriter.sequence(type, hashedForm(attribute.value)))
            }
            octets += DerWriter.element(DerTag.set, attributes.sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 })
        }
        guard let digest = backend.digest(octets, .sha1), digest.count >= 4 else { return nil }
        return digest.prefix(4).reversed().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func hashedForm(_ value: DerReader.Element) -> [UInt8] {
        // NumericString is not among the types that OpenSSL writes anew.
        guard value.tag != 0x12, let text = DistinguishedName.string(value) else { return Array(value.whole) }
        let words = text.utf8.split { $0 == 0x20 || (0x09...0x0D).contains($0) }
        return DerWriter.element(
            DerTag.utf8String, Array(words.joined(separator: [0x20])).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 })
    }
}
