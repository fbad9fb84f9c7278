internal import SslBackend
public import SslValues

/// The question for a pre-shared key and its answer (`QSslPreSharedKeyAuthenticator`): what a slot of
/// ``SslSocket/preSharedKeyAuthenticationRequired`` fills in before it returns.
///
/// ```swift
/// socket.preSharedKeyAuthenticationRequired.connect { _, authenticator in
///     authenticator.identity = Array("sensor 7".utf8)
///     authenticator.preSharedKey = key
/// }
/// ```
///
/// A client sets both; a server reads ``identity`` and sets the key, or leaves it empty for an identity it does not know. A client that is left
/// without a key fails with ``SslSocketError/Code/handshakeFailed``; a value beyond the limits, which Qt cuts silently, with
/// ``SslSocketError/Code/invalidUserData``.
public final class SslPreSharedKeyAuthenticator {
    /// What the server said about the key it wants (`identityHint`); empty without. A client knows it only when TLS 1.2 is the newest version it
    /// allows: the question otherwise comes before the server has said anything. On a server, its own
    /// ``SslConfiguration/preSharedKeyIdentityHint``.
    public let identityHint: [UInt8]
    /// What the client calls the key (`identity`). Default: empty on a client; on a server what the client sent.
    public var identity: [UInt8]
    /// The key (`preSharedKey`). Default: empty, which makes the handshake fail.
    public var preSharedKey = SecretBytes([])
    /// The hash TLS 1.3 binds the key to: `.sha256`, the default, or `.sha384`. Beyond Qt.
    public var hash = SslHash.sha256
    /// The longest ``identity`` in octets (`maximumIdentityLength`): 128 on every backend; 0 on a server, where it is not set.
    public let maximumIdentityLength: Int
    /// The longest ``preSharedKey`` in octets (`maximumPreSharedKeyLength`): 256 on every backend.
    public let maximumPreSharedKeyLength = SslPreSharedKey.maximumKeyLength

    /// A client's question.
    init(hint: [UInt8]) {
        identityHint = hint
        identity = []
        maximumIdentityLength = SslPreSharedKey.maximumIdentityLength
    }

    /// A server's question.
    init(hint: [UInt8], identity: [UInt8]) {
        identityHint = hint
        self.identity = identity
        maximumIdentityLength = 0
    }

    /// The answer; nil when no key was set.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for one beyond the limits.
    func answer() throws(SslSocketError) -> SslPreSharedKey? {
        guard preSharedKey.count > 0 else { return nil }
        return try SslPreSharedKey(identity: identity, key: preSharedKey, hash: hash)
    }
}

extension SslPreSharedKeyAuthenticator: CustomStringConvertible, CustomReflectable {
    /// The identity; nothing secret.
    public var description: String { "pre-shared key of \"\(String(decoding: identity, as: UTF8.self))\"" }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SslSocket {
    /// A pre-shared key is needed (`preSharedKeyAuthenticationRequired`). A slot must answer before it returns, by filling in the authenticator.
    ///
    /// It comes at most once in a handshake, and only if ``SslConfiguration/preSharedKeys`` (and on a server the lookup of
    /// ``selectPreSharedKey(_:)``) has no key. Connect the slot before the handshake begins: only then are pre-shared keys negotiable. A client
    /// that allows TLS 1.3 is asked before its ClientHello leaves, any other after the server's ServerKeyExchange.
    ///
    /// The engine is in the middle of its work when it asks. Ending the connection in the slot is safe; whatever the engine still has to say is
    /// thrown away then. Qt has no such question in TLS 1.3 unless an environment variable asks for it.
    public var preSharedKeyAuthenticationRequired: Signal<SslSocket, SslPreSharedKeyAuthenticator> {
        signal(.preSharedKeyAuthenticationRequired)
    }

    /// Sets how a server finds the key of an identity that is not among ``SslConfiguration/preSharedKeys``; nil, the default, for not at all.
    ///
    /// It is called during the handshake, with whatever the client sent: at most 128 octets, none of them zero. It returns nil for an identity it
    /// does not know; the client cannot tell that from a wrong key. A key that is returned must go by the identity that was asked for.
    public func selectPreSharedKey(_ lookup: (@Sendable (_ identity: [UInt8]) -> SslPreSharedKey?)?) {
        preSharedKeyLookup = lookup
    }

    /// The two ends of this connection proved with a pre-shared key who they are. False when a certificate did, when the session was resumed, and
    /// while not encrypted. A client with ``SslPeerVerifyMode/verifyPeer`` is encrypted only with either proof. Beyond Qt.
    public var isPreSharedKeyUsed: Bool { isEncrypted ? connection?.facts.usedPreSharedKey ?? false : false }

    /// The identity of the pre-shared key that was used; nil when none was. On a server: who the client is. Beyond Qt.
    public var preSharedKeyIdentity: [UInt8]? { isPreSharedKeyUsed ? connection?.preSharedKeyIdentity : nil }

    /// What the questions of a handshake are answered with besides the configuration; nil when there is nothing.
    var preSharedKeyHooks: PreSharedKeyHooks? {
        let hasSlots = signals?.hasSlots(.preSharedKeyAuthenticationRequired, of: SslPreSharedKeyAuthenticator.self) ?? false
        guard hasSlots || preSharedKeyLookup != nil else { return nil }
        guard hasSlots else { return PreSharedKeyHooks(lookup: preSharedKeyLookup, ask: nil) }
        return PreSharedKeyHooks(lookup: preSharedKeyLookup) { [weak self] authenticator in
            guard let self else { return false }
            let epoch = epoch
            emit(.preSharedKeyAuthenticationRequired, authenticator)
            return epoch == self.epoch
        }
    }
}
