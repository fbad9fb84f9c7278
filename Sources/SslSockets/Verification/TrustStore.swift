internal import CSslLinux
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
    private let system: SystemTrust?
    private let own: Index
    /// Those of the system behind those of the configuration.
    private let directories: [HashedDirectory]

    /// Loads the sources, but for what stands in directories.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile`` when the system's certificates cannot be found, ``SslSocketError/Code/invalidUserData``
    ///   for an anchor that is no certificate.
    package init(_ sources: TlsTrustSources, backend: any TlsBackend) throws(SslSocketError) {
        self.backend = backend
        system = sources.includesSystem ? try SystemTrust.load(backend) : nil
        var anchors: [LazyCertificate] = []
        for der in sources.anchors { anchors.append(LazyCertificate(try CertificateFields(der))) }
        own = Index(anchors)
        directories = sources.directories.map(HashedDirectory.at) + (system?.directories ?? [])
    }

    package var count: Int { own.all.count + (system?.index.all.count ?? 0) }
    package var certificates: [[UInt8]] {
        // A bundle and a directory may have the same ones.
        var known: Set<[UInt8]> = []
        let all = (own.all + (system?.index.all ?? [])).map(\.fields.der) + directories.flatMap(\.certificates)
        return all.filter { known.insert($0).inserted }
    }

    package func anchors(named canonicalName: [UInt8], encoded der: [UInt8]) -> [LazyCertificate] {
        var found = (own.places[canonicalName] ?? []) + (system?.index.places[canonicalName] ?? [])
        for directory in directories {
            for one in directory.certificates(named: canonicalName, encoded: der, backend: backend)
            where !found.contains(where: { $0.fields.der == one.fields.der }) { found.append(one) }
        }
        return found
    }
}

/// The certificates the system trusts, read once a process for each backend.
///
/// As OpenSSL does, the environment variables `SSL_CERT_FILE` (PEM) and `SSL_CERT_DIR` (directories separated by colons, files named by hash
/// as `openssl rehash` makes them) replace the store; here on every backend, and when either is set nothing else is trusted. The directories are
/// looked into when a path needs it. Programs that run with another user's rights do not read the variables.
struct SystemTrust: Sendable {
    let index: TrustStore.Index
    let directories: [HashedDirectory]

    private static let known = Lock<[String: SystemTrust]>([:])

    static func load(_ backend: any TlsBackend) throws(SslSocketError) -> SystemTrust {
        let file = variable("SSL_CERT_FILE")
        let directory = variable("SSL_CERT_DIR")
        let isReplaced = file != nil || directory != nil
        let key = isReplaced ? "file \(file ?? "")\ndirectory \(directory ?? "")" : "backend " + backend.name
        // Under the lock: the second user waits for the first instead of loading again.
        return try known.withLock { known throws(SslSocketError) -> SystemTrust in
            if let trust = known[key] { return trust }
            let directories = (directory ?? "").split(separator: ":").map { HashedDirectory.at(String($0)) }
            var list: [[UInt8]] = []
            if let file { list = try Pem.certificates(inFile: file) }
            if !isReplaced { list = try backend.systemAnchors() }
            // One odd certificate in the system's bundle must not make the others unusable.
            let index = TrustStore.Index(list.compactMap { der in (try? CertificateFields(der)).map { LazyCertificate($0) } })
            guard !index.all.isEmpty || directories.contains(where: \.isUsable) else {
                throw SslSocketError(
                    .unreadableFile,
                    isReplaced
                        ? "There is no certificate where SSL_CERT_FILE and SSL_CERT_DIR point to"
                        : "The system has no trusted certificates where \(backend.libraryVersion) looks for them",
                    backend: backend.name)
            }
            let trust = SystemTrust(index: index, directories: directories)
            known[key] = trust
            return trust
        }
    }

    private static func variable(_ name: String) -> String? {
        guard let text = unsafe ssllinux_secure_getenv(name) else { return nil }
        let value = unsafe String(cString: text)
        return value.isEmpty ? nil : value
    }
}
