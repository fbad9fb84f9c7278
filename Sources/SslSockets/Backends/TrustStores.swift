internal import SslBackend
internal import SslValues

/// Trust stores by backend and sources, each loaded once while anybody uses it. The system's store alone stays for good:
/// loading it takes milliseconds and megabytes.
enum TrustStores {
    private struct Key: Hashable {
        let backend: String
        let sources: TlsTrustSources
    }
    private struct Weak { weak var store: (any TlsTrustStore)? }
    private struct State {
        var stores: [Key: Weak] = [:]
        var system: [String: any TlsTrustStore] = [:]
    }
    private static let state = Lock(State())

    static func store(_ sources: TlsTrustSources, backend: any TlsBackend) throws(SslSocketError) -> any TlsTrustStore {
        let key = Key(backend: backend.name, sources: sources)
        // Loading under the lock: the second user of the same store waits for the first instead of loading it again.
        return try state.withLock { state throws(SslSocketError) -> any TlsTrustStore in
            if let known = state.stores[key]?.store { return known }
            let fresh = try backend.makeTrustStore(sources)
            state.stores = state.stores.filter { $0.value.store != nil }
            state.stores[key] = Weak(store: fresh)
            if sources.includesSystem && sources.anchors.isEmpty { state.system[backend.name] = fresh }
            return fresh
        }
    }
}
