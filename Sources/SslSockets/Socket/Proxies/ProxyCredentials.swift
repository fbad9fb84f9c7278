internal import SslValues

/// User and password in a form that the proxy can be told.
struct ProxyCredentials {
    let user: String
    let password: SecretBytes

    /// Nil without a user.
    init?(user: String, password: SecretBytes?, for kind: SslProxy.Kind) throws(SslSocketError) {
        guard !user.isEmpty else { return nil }
        let password = password ?? SecretBytes([UInt8]())
        switch kind {
        case .socks5:
            // RFC 1929 section 2: one octet holds each length, and it is not 0.
            guard user.utf8.count <= 255, (1...255).contains(password.count) else {
                throw SslSocketError(.invalidUserData, "User and password of a SOCKS proxy have 1 to 255 octets each")
            }
        default:
            // RFC 7617 section 2.
            let hasControl = unsafe password.withBytes { unsafe $0.contains { $0 < 0x20 || $0 == 0x7F } }
            guard !user.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: ":") }), !hasControl else {
                throw SslSocketError(
                    .invalidUserData,
                    "The user of an HTTP proxy cannot have a colon in it, and neither user nor password a control character")
            }
            guard user.utf8.count + password.count <= 2048 else {
                throw SslSocketError(.invalidUserData, "User and password of an HTTP proxy are longer than 2048 octets together")
            }
        }
        self.user = user
        self.password = password
    }

    /// What stands after `Basic` (RFC 7617 section 2).
    var basic: String {
        let secret = unsafe password.withBytes { unsafe [UInt8]($0) }
        return String(decoding: Pem.encodeBase64(Array("\(user):".utf8) + secret), as: UTF8.self)
    }
}
