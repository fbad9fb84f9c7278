internal import SslBackend
public import SslValues

extension SslConfiguration {
    /// The pre-shared keys (RFC 4279, RFC 8446 section 4.2.11). Default: none. Beyond Qt, which only has the signal
    /// ``SslSocket/preSharedKeyAuthenticationRequired``.
    ///
    /// A client has at most one, which it offers to every server it connects to; a server any number, one for each identity. As soon as there is one,
    /// or the socket has a slot or a lookup for keys, the handshake may rest on a pre-shared key:
    ///
    /// - In TLS 1.3 with (EC)DHE. In TLS 1.2 by the suites of ``SslCipher/preSharedKeyDefaults`` unless ``ciphers`` names others.
    /// - Such a handshake shows no certificate, and the key is the proof of both ends; ``SslPeerVerifyMode/verifyPeer`` is content with it, where
    ///   Qt reports that the certificate is missing. A server that answers with a certificate all the same is verified as usual.
    ///   ``SslSocket/isPreSharedKeyUsed`` tells which it was.
    /// - A server needs no certificate then. An unknown identity fails as a wrong key does, also where a certificate could have been shown.
    /// - A client does not resume sessions: its key makes as cheap a handshake, and a new proof each time.
    public var preSharedKeys: [SslPreSharedKey] {
        get { values.preSharedKeys }
        set { change { $0.preSharedKeys = newValue } }
    }

    /// What a server of TLS 1.2 tells its clients about the key it wants (`preSharedKeyIdentityHint`): at most 128 octets without a zero.
    /// Default: empty, for none. TLS 1.3 has no such thing.
    public var preSharedKeyIdentityHint: [UInt8] {
        get { values.preSharedKeyIdentityHint }
        set { change { $0.preSharedKeyIdentityHint = newValue } }
    }
}

extension SslConfiguration.Values {
    /// What the settings say about pre-shared keys, and which cipher suites that leaves.
    ///
    /// - Parameter asks: keys may also come from the application, during the handshake.
    func addPreSharedKeys(to settings: inout TlsSettings, backend: any TlsBackend, asks: Bool) throws(SslSocketError) {
        guard asks || !preSharedKeys.isEmpty else {
            // Without a key such suites cannot be negotiated: they may stand in a list that serves more than one configuration.
            settings.cipherSuites.removeAll(where: \.needsPreSharedKey)
            guard !settings.cipherSuites.isEmpty else {
                throw SslSocketError(
                    .invalidUserData,
                    "Every cipher suite of the configuration needs a pre-shared key, and the configuration has none")
            }
            return
        }
        if let reason = backend.capabilities.lacks[.psk] { throw .lacking(.psk, backend: backend.name, reason: reason) }
        guard settings.role == .server || preSharedKeys.count <= 1 else {
            throw SslSocketError(
                .invalidUserData, "A client offers one pre-shared key; the configuration has \(preSharedKeys.count)")
        }
        guard preSharedKeyIdentityHint.isEmpty || SslPreSharedKey.isIdentity(preSharedKeyIdentityHint) else {
            throw SslSocketError(
                .invalidUserData,
                "The hint for pre-shared keys has at most \(SslPreSharedKey.maximumIdentityLength) octets and no zero among them")
        }
        if ciphers.isEmpty {
            let known = Set(backend.capabilities.cipherSuites)
            // Behind the suites of TLS 1.3, whose ciphers are the order of preference for libraries that have one for all versions.
            let place = settings.cipherSuites.firstIndex { !$0.isTls13 } ?? settings.cipherSuites.endIndex
            settings.cipherSuites.insert(contentsOf: SslCipher.preSharedKeyDefaults.filter(known.contains), at: place)
        }
        for key in preSharedKeys { try PreSharedKeyDesk.check(key, settings, backend) }
        var keys = TlsPreSharedKeySettings()
        keys.identityHint = preSharedKeyIdentityHint
        settings.preSharedKey = keys
    }
}
