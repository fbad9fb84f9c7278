public import SslValues

extension SslConfiguration {
    /// Certificate revocation lists that peers' certificates are judged by. Default: none. See ``revocationPolicy``. Beyond Qt.
    ///
    /// Give the lists of all authorities concerned, complete ones and deltas; each must be signed by the authority whose certificates it is
    /// about, or by one that it names. Keep them fresh: a list that has expired proves nothing.
    public var certificateRevocationLists: [SslRevocationList] {
        get { values.verification.revocationLists }
        set { change { $0.verification.revocationLists = newValue } }
    }

    /// Adds every revocation list of a PEM or DER file.
    ///
    /// - Throws: ``SslSocketError/Code/unreadableFile``, ``SslSocketError/Code/invalidUserData``; nothing is added then.
    public mutating func addCertificateRevocationLists(
        fromFile path: String, format: SslEncodingFormat = .pem
    ) throws(SslSocketError) {
        let list = try SslRevocationList.revocationLists(fromFile: path, format: format)
        change { $0.verification.revocationLists += list }
    }

    /// Which certificates of a chain must be proven not to be revoked. Default: ``SslRevocationPolicy/automatic``, all of them once there is
    /// a list. Beyond Qt.
    public var revocationPolicy: SslRevocationPolicy {
        get { values.verification.revocationPolicy }
        set { change { $0.verification.revocationPolicy = newValue } }
    }

    /// The SHA-256 digests, in Base64, of the public keys one of which must be in the verified path: ``SslCertificate/publicKeyPin``
    /// (RFC 7469). Empty, the default: any. Pins narrow verification down, they never replace it. Beyond Qt.
    ///
    /// `sha256//` or `sha256/` may stand before a pin. A text that is no pin makes the configuration unusable:
    /// ``SslSocketError/Code/invalidUserData``. A pin whose key is lost makes every connection fail, so keep a spare key's in the list.
    public var publicKeyPins: [String] {
        get {
            values.verification.pins.map { String(decoding: Pem.encodeBase64($0), as: UTF8.self) }.sorted()
                + values.verification.malformedPins
        }
        set {
            change { values in
                values.verification.pins = Set(newValue.compactMap(Self.pin))
                values.verification.malformedPins = newValue.filter { Self.pin($0) == nil }
            }
        }
    }

    private static func pin(_ text: String) -> [UInt8]? {
        let prefix = ["sha256//", "sha256/"].first { text.hasPrefix($0) } ?? ""
        return Pem.decodeBase64(Array(text.utf8.dropFirst(prefix.utf8.count))).flatMap { $0.count == 32 ? $0 : nil }
    }

    /// Takes the common name for a host name in certificates that have no DNS name and no address among their alternative names. Default: false,
    /// as RFC 9525 section 2 wants it; Qt always does. For old devices only. Beyond Qt.
    public var usesCommonNameFallback: Bool {
        get { values.verification.usesCommonName }
        set { change { $0.verification.usesCommonName = newValue } }
    }

    /// How strictly certificates must keep to their standards. Default: ``SslCertificateProfile/path``. Beyond Qt.
    public var certificateProfile: SslCertificateProfile {
        get { values.verification.profile }
        set { change { $0.verification.profile = newValue } }
    }
}
