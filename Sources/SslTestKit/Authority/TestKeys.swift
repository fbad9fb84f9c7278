package import SslBackend
internal import SslSockets
package import SslValues

/// Key pairs for tests, made once in the life of the process: generating RSA keys takes most of a test's time otherwise.
///
/// The same label gives the same key on every backend, so that certificates of one backend fit the key handles of another.
package enum TestKeys {
    private struct Name: Hashable {
        let kind: SslKeyKind
        let label: String
    }
    private struct Handle: Hashable {
        let backend: String
        let name: Name
    }
    private struct State {
        var secrets: [Name: SecretBytes] = [:]
        var handles: [Handle: any TlsKey] = [:]
    }
    private static let state = Lock(State())

    /// The key of that kind and label in the hands of `backend`.
    package static func key(
        _ kind: SslKeyKind, _ label: String, backend: any TlsBackend
    ) throws(SslSocketError) -> any TlsKey {
        let name = Name(kind: kind, label: label)
        let handle = Handle(backend: backend.name, name: name)
        // Generated under the lock: the second user of a key waits for the first instead of making another.
        return try state.withLock { state throws(SslSocketError) -> any TlsKey in
            if let known = state.handles[handle] { return known }
            let key: any TlsKey
            if let secret = state.secrets[name] {
                key = try backend.makePrivateKey(der: secret, passphrase: nil)
            } else {
                key = try backend.generateKey(kind)
                state.secrets[name] = try key.pkcs8()
            }
            state.handles[handle] = key
            return key
        }
    }

    /// An RSA key of 1024 bits, too small for any use. Backends do not generate such keys, so this one is written here;
    /// it protects nothing, for everybody knows it.
    package static func weakKey(backend: any TlsBackend) throws(SslSocketError) -> any TlsKey {
        try SslKey(
            Array(("-----BEGIN PRIVATE KEY-----\n" + weak + "\n-----END PRIVATE KEY-----\n").utf8), backend: backend.name
        ).handle(for: backend)
    }

    private static let weak = """
        MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAL33wFVga+0rWJPR
        W+OsjZzOMuyknU917sjJjaaxuqzInlu7b9dTIwR8CWK+4Et2h36DFboe+aS0lDzN
        OOw1L42UQd6kfIGJY4OApfUDYVl2ApvlKMWQHvvUGDNNyU0kmvN3ZhHEWWF4md6G
        QmC9UcZoWTdOyaE6gDNtelFGcB9HAgMBAAECgYEAu0ic2s8TuB+q1RhrUjuU5Ym4
        VOs5l9Q51MQ4naXM13l1/hP9gDibZllu22Y5NMynakeLzRGqpwHMv2DIBL+un1yh
        UWMdZHO/lCso91I1ey568lerAWFQoLIO3HmxZcjAsj7ZmB2Zkr52NIXc3VtS9aQz
        xHIK5LToLV4koIaYB2ECQQD61+DvUbIuD7esyftOOd06v44UFyRJzqNOwKeTMQX8
        EIYhdPPjnd2uMl+B0WZ5QJENsZEVw4ltXeWKGa5VQQl3AkEAwd+ASY4y6OZOSoWa
        IqZSIjBUVkONnPNhmnlYUkqGviN8YcL8OfIt90KfzddNx6NLPI+AUkP1l7pzXHUj
        WfEMsQJACZh2f1ElusNZKF/1oBFwmA251qTn+3bPInUWM/g9HV5YczExHzTrxP0i
        UCn9fIfuxJJVVXrMaAWegUDoPVSmkwJBAJIo7Y6GpdrvxhZoost8mG8uAGcIhrrM
        wcizsuJXTT4LgroxRfZpnj3K/K8yonDfqtj9VsCue3joGBCcPwqPsAECQQCi1APM
        GMPYcFGryoaGK8SfAT8YRnxLKRUE8HBjZDdaUUMWoU+px6OfvXeq9cmm5cCgFna5
        H44gyK2TedwKiusl
        """
}
