public import SslValues

extension SslKeyAlgorithm {
    /// The size in bits that every backend gives for a key, from what its library reports.
    ///
    /// Libraries disagree about the curves of RFC 8032 and RFC 7748, so these are the sizes of their encodings, and one rounds the field of P-521 up to
    /// whole octets.
    public func bits(reported: Int) -> Int {
        switch self {
        case .ec: reported == 528 ? 521 : reported
        case .ed25519, .x25519: 256
        case .ed448: 456
        case .opaque: 0
        default: max(reported, 0)
        }
    }
}
