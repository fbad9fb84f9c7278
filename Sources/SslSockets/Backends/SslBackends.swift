internal import CSslLinux
public import SslBackend
public import SslValues

/// Which backends there are and which one is used where a configuration names none.
///
/// The choice is made in this order: the configuration's own ``SslConfiguration/backend``; what ``setActive(_:)`` said; the environment variable
/// `SSLSOCKET_BACKEND` (not read by setuid programs); the first of `gnutls`, `openssl` and registered ones that is there.
/// Unlike Qt, several backends live in one process at once, and the choice may change at any time.
public enum SslBackends {
    private struct State {
        var registered: [any TlsBackend] = []
        var active: String?
    }
    private static let state = Lock(State())

    /// The name of the environment variable that selects a backend.
    public static let environmentVariable = "SSLSOCKET_BACKEND"

    /// Every backend that can be used, in order of preference (`QSslSocket::availableBackends`).
    public static var all: [any TlsBackend] { LinkedBackends.all + state.withLock { $0.registered } }

    /// Their names.
    public static var available: [String] { all.map(\.name) }

    /// The backend of that name, in any case of letters.
    ///
    /// - Throws: ``SslSocketError/Code/noBackend`` with the list of those available.
    public static func named(_ name: String) throws(SslSocketError) -> any TlsBackend {
        let wanted = name.lowercased()
        if let found = all.first(where: { $0.name == wanted }) { return found }
        throw SslSocketError(.noBackend, "There is no TLS backend named \"\(name)\"; available: \(listOfNames)")
    }

    /// The backend that is used where a configuration names none (`QSslSocket::activeBackend`).
    ///
    /// - Throws: ``SslSocketError/Code/noBackend`` when the environment names one that is not there, or when there is none at all.
    public static func active() throws(SslSocketError) -> any TlsBackend {
        if let chosen = state.withLock({ $0.active }) { return try named(chosen) }
        if let text = unsafe ssllinux_secure_getenv(environmentVariable) {
            let name = unsafe String(cString: text)
            if !name.isEmpty {
                do {
                    return try named(name)
                } catch {
                    throw SslSocketError(
                        .noBackend,
                        "The environment variable \(environmentVariable) names the TLS backend \"\(name)\", which is not there; "
                            + "available: \(listOfNames)")
                }
            }
        }
        guard let first = all.first else {
            throw SslSocketError(
                .noBackend, "No TLS backend is linked into this program: build the package with the trait of one")
        }
        return first
    }

    /// Selects the backend for configurations that name none (`QSslSocket::setActiveBackend`); connections that exist keep theirs.
    ///
    /// - Throws: ``SslSocketError/Code/noBackend`` for a name that is not available; the choice is unchanged then.
    public static func setActive(_ name: String) throws(SslSocketError) {
        let backend = try named(name)
        state.withLock { $0.active = backend.name }
    }

    /// Takes back ``setActive(_:)``.
    public static func resetActive() { state.withLock { $0.active = nil } }

    /// Adds a backend of the application's own, after the linked ones.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when the name is taken, or holds anything but lower-case letters, digits, `-` and `_`.
    public static func register(_ backend: any TlsBackend) throws(SslSocketError) {
        let name = backend.name
        let isProper =
            !name.isEmpty
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
        guard isProper else {
            throw SslSocketError(
                .invalidUserData, "A TLS backend cannot be named \"\(name)\": use lower-case letters, digits, - and _")
        }
        let isNew = state.withLock { state -> Bool in
            guard !(LinkedBackends.all + state.registered).contains(where: { $0.name == name }) else { return false }
            state.registered.append(backend)
            return true
        }
        if !isNew { throw SslSocketError(.invalidUserData, "There is a TLS backend named \"\(name)\" already") }
    }

    /// Takes back ``register(_:)``. Connections that use the backend go on.
    public static func unregister(_ name: String) { state.withLock { $0.registered.removeAll { $0.name == name } } }

    /// The backend of that name, or the active one for nil.
    package static func resolve(_ name: String?) throws(SslSocketError) -> any TlsBackend {
        if let name { return try named(name) }
        return try active()
    }

    private static var listOfNames: String {
        let names = available
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }
}
