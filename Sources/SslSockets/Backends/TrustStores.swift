package import SslBackend
package import SslValues

/// Trust stores by backend and sources, each made once while anybody uses it. The certificates of the system are read once a
/// process, whichever stores include them.
enum TrustStores {
    private struct Key: Hashable {
        let backend: String
        let sources: TlsTrustSources
    }
    private struct Weak { weak var store: TrustStore? }
    private static let stores = Lock<[Key: Weak]>([:])

    static func store(_ sources: TlsTrustSources, backend: any TlsBackend) throws(SslSocketError) -> any TlsTrustStore {
        let key = Key(backend: backend.name, sources: sources)
        return try stores.withLock { stores throws(SslSocketError) -> any TlsTrustStore in
            if let known = stores[key]?.store { return known }
            let fresh = try TrustStore(sources, backend: backend)
            stores = stores.filter { $0.value.store != nil }
            stores[key] = Weak(store: fresh)
            return fresh
        }
    }
}

extension TlsBackend {
    /// The trust store of these sources, for those who need one without a configuration.
    package func makeTrustStore(_ sources: TlsTrustSources) throws(SslSocketError) -> any TlsTrustStore {
        try TrustStores.store(sources, backend: self)
    }
}
