internal import CSslLinux
internal import Glibc
package import SslBackend
package import SslValues

/// Trusted certificates by their names. What was read is shared: the system's index serves every store that includes it.
package final class TrustStore: TlsTrustStore {
    /// Certificates by subject. Their library handles are made when a path first needs them.
    final class Index: Sendable {
        let places: [[UInt8]: [LazyCertificate]]
        /// In the order in which they were given.
        let all: [LazyCertificate]

        init(_ certificates: [LazyCertificate]) {
            var places: [[UInt8]: [LazyCertificate]] = [:]
            var all: [LazyCertificate] = []
            for one in certificates {
                // The same certificate twice is kept once.
                if places[one.fields.canonicalSubject]?.contains(where: { $0.fields.der == one.fields.der }) == true { continue }
                places[one.fields.canonicalSubject, default: []].append(one)
                all.append(one)
            }
            self.places = places
            self.all = all
        }
    }

    package let backend: any TlsBackend
    private let system: Index?
    private let own: Index

    /// Loads the sources.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile`` when the system's certificates cannot be found, ``SslSocketError/Code/invalidUserData``
    ///   for an anchor that is no certificate.
    package init(_ sources: TlsTrustSources, backend: any TlsBackend) throws(SslSocketError) {
        self.backend = backend
        system = sources.includesSystem ? try SystemTrust.index(backend) : nil
        var anchors: [LazyCertificate] = []
        for der in sources.anchors { anchors.append(LazyCertificate(try CertificateFields(der))) }
        own = Index(anchors)
    }

    package var count: Int { own.all.count + (system?.all.count ?? 0) }
    package var certificates: [[UInt8]] { (own.all + (system?.all ?? [])).map(\.fields.der) }

    package func anchors(named canonicalName: [UInt8]) -> [LazyCertificate] {
        (own.places[canonicalName] ?? []) + (system?.places[canonicalName] ?? [])
    }
}

/// The certificates the system trusts, read once a process for each backend.
///
/// As OpenSSL does, the environment variables `SSL_CERT_FILE` (PEM) and `SSL_CERT_DIR` (directories separated by colons, files named by hash
/// as `openssl rehash` makes them) replace the store; here on every backend, and when either is set nothing else is trusted. Programs
/// that run with another user's rights do not read them.
enum SystemTrust {
    private static let known = Lock<[String: TrustStore.Index]>([:])

    static func index(_ backend: any TlsBackend) throws(SslSocketError) -> TrustStore.Index {
        let file = variable("SSL_CERT_FILE")
        let directory = variable("SSL_CERT_DIR")
        let isReplaced = file != nil || directory != nil
        let key = isReplaced ? "file \(file ?? "")\ndirectory \(directory ?? "")" : "backend " + backend.name
        // Under the lock: the second user waits for the first instead of loading again.
        return try known.withLock { known throws(SslSocketError) -> TrustStore.Index in
            if let index = known[key] { return index }
            let list = isReplaced ? try load(file: file, directory: directory) : try backend.systemAnchors()
            // One odd certificate in the system's bundle must not make the others unusable.
            let index = TrustStore.Index(list.compactMap { der in (try? CertificateFields(der)).map { LazyCertificate($0) } })
            guard !index.all.isEmpty else {
                throw SslSocketError(
                    .unreadableFile,
                    isReplaced
                        ? "There is no certificate where SSL_CERT_FILE and SSL_CERT_DIR point to"
                        : "The system has no trusted certificates where \(backend.libraryVersion) looks for them",
                    backend: backend.name)
            }
            known[key] = index
            return index
        }
    }

    private static func variable(_ name: String) -> String? {
        guard let text = unsafe ssllinux_secure_getenv(name) else { return nil }
        let value = unsafe String(cString: text)
        return value.isEmpty ? nil : value
    }

    private static func load(file: String?, directory: String?) throws(SslSocketError) -> [[UInt8]] {
        var list: [[UInt8]] = []
        if let file { list += try certificates(file) }
        for one in (directory ?? "").split(separator: ":") {
            for path in hashedFiles(String(one)) { list += try certificates(path) }
        }
        return list
    }

    private static func certificates(_ path: String) throws(SslSocketError) -> [[UInt8]] {
        try Pem.blocks(in: FileReader.read(path), labels: ["CERTIFICATE", "X509 CERTIFICATE"]).map(\.der)
    }

    /// The files of a directory that are named by hash; everything else in there is not meant to be trusted.
    private static func hashedFiles(_ directory: String) -> [String] {
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].count == 8, parts[0].allSatisfy({ isHexDigit($0) }), !parts[1].isEmpty,
                parts[1].allSatisfy({ (0x30...0x39).contains($0) })
            else { continue }
            names.append(directory + "/" + name)
        }
        return names.sorted()
    }

    private static func isHexDigit(_ octet: UInt8) -> Bool {
        (0x30...0x39).contains(octet) || (0x61...0x66).contains(octet | 0x20)
    }
}
