internal import SslBackend
package import SslValues

/// What a driver answers questions for pre-shared keys with, besides the configuration.
package struct PreSharedKeyHooks {
    /// A server's lookup by identity.
    package var lookup: (@Sendable (_ identity: [UInt8]) -> SslPreSharedKey?)?
    /// Puts the question to the application, which answers before it returns. False when the connection was given up meanwhile.
    package var ask: ((SslPreSharedKeyAuthenticator) -> Bool)?

    /// Puts hooks together.
    package init(
        lookup: (@Sendable (_ identity: [UInt8]) -> SslPreSharedKey?)? = nil, ask: ((SslPreSharedKeyAuthenticator) -> Bool)? = nil
    ) {
        self.lookup = lookup
        self.ask = ask
    }
}

/// Answers an engine's questions for pre-shared keys: from the configuration, then the server's lookup, then the application.
///
/// Each question is put once in a handshake; the engine may repeat it. An application that answers may also end the connection, while the engine
/// is in the middle of its work: from then on what the engine sends is thrown away.
final class PreSharedKeyDesk: TlsPreSharedKeySource {
    private let role: SslRole
    private let hooks: PreSharedKeyHooks
    private let hint: [UInt8]
    /// The keys of the configuration in force.
    var keys: [SslPreSharedKey]
    /// The settings the connection was made with, and what its backend can do.
    private let settings: TlsSettings
    private let backend: any TlsBackend
    private var isAsked = false
    private var answered: SslPreSharedKey?
    private var lookedUp: [UInt8]?
    private let gate = Gate()
    /// Why the handshake cannot go on; the engine only knows that it has no key.
    private(set) var failure: SslSocketError?

    /// Makes the desk of one connection.
    init(_ configuration: SslConfiguration, _ hooks: PreSharedKeyHooks?, context: any TlsContext) {
        role = context.settings.role
        self.hooks = hooks ?? PreSharedKeyHooks()
        hint = configuration.preSharedKeyIdentityHint
        keys = configuration.preSharedKeys
        settings = context.settings
        backend = context.backend
    }

    /// The identity of the key that was given to the engine.
    var identity: [UInt8]? { answered?.identity }

    /// Asks a client that may speak TLS 1.3 before its ClientHello leaves: the key is part of it. The reason why the handshake cannot begin; nil
    /// when it can.
    func prepare() -> SslSocketError? {
        if role == .client, settings.versions.contains(.tls1_3) { _ = clientKey(hint: []) }
        return failure
    }

    func clientKey(hint: [UInt8]) -> SslPreSharedKey? {
        guard role == .client, !isAsked else { return answered }
        isAsked = true
        if let key = keys.first {
            answered = checked(key)
        } else if let ask = hooks.ask {
            answered = put(SslPreSharedKeyAuthenticator(hint: hint), ask)
        }
        if answered == nil, failure == nil {
            failure = SslSocketError(
                .handshakeFailed, "A pre-shared key is required and the application gave none", backend: backend.name)
        }
        return answered
    }

    func serverKey(identity: [UInt8]) -> SslPreSharedKey? {
        guard role == .server, SslPreSharedKey.isIdentity(identity) else { return nil }
        if lookedUp == identity { return answered }
        lookedUp = identity
        var found = keys.first { $0.identity == identity } ?? hooks.lookup?(identity)
        if found == nil, !isAsked, let ask = hooks.ask {
            isAsked = true
            found = put(SslPreSharedKeyAuthenticator(hint: hint, identity: identity), ask)
        }
        answered = found.flatMap { $0.identity == identity ? checked($0) : nil }
        return answered
    }

    private func put(
        _ question: SslPreSharedKeyAuthenticator, _ ask: (SslPreSharedKeyAuthenticator) -> Bool
    ) -> SslPreSharedKey? {
        guard ask(question) else {
            gate.isOpen = false
            failure = SslSocketError(.operation, "The connection was ended while its pre-shared key was asked for")
            return nil
        }
        do throws(SslSocketError) {
            return try question.answer()
        } catch {
            failure = error
            return nil
        }
    }

    /// A key that can be used with the settings.
    private func checked(_ key: SslPreSharedKey) -> SslPreSharedKey? {
        do throws(SslSocketError) {
            try Self.check(key, settings, backend)
            return key
        } catch {
            failure = error
            return nil
        }
    }

    /// Fails for a key that TLS 1.3 cannot use with these settings. In TLS 1.2 the hash does not count.
    static func check(_ key: SslPreSharedKey, _ settings: TlsSettings, _ backend: any TlsBackend) throws(SslSocketError) {
        guard settings.versions.contains(.tls1_3) else { return }
        let suites = settings.cipherSuites.filter(\.isTls13)
        guard !suites.isEmpty else { return }
        if key.hash == .sha384, let reason = backend.capabilities.lacks[.pskSha384] {
            throw .lacking(.pskSha384, backend: backend.name, reason: reason)
        }
        guard suites.contains(where: { $0.name.hasSuffix("_SHA384") == (key.hash == .sha384) }) else {
            throw SslSocketError(
                .invalidUserData,
                "The pre-shared key is bound to \(key.hash) and none of the TLS 1.3 cipher suites of the configuration uses that hash"
            )
        }
    }

    /// The way out for the handshake, which closes when the connection is given up.
    func guarding(_ output: any TlsSink) -> any TlsSink {
        gate.output = output
        return gate
    }

    private final class Gate: TlsSink {
        var output: (any TlsSink)?
        var isOpen = true

        func put(_ bytes: UnsafeRawBufferPointer) {
            if isOpen { unsafe output?.put(bytes) }
        }
    }
}
