#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// OCSP stapling (RFC 6066 section 8). A client of this library asks for it by default; this backend looks at what comes only where the
/// settings say so, and leaves the judgement to whoever asked.
extension GnuTLSSession {
    /// What the server stapled to its own certificate.
    final var certificateStatus: [UInt8]? {
        guard context.settings.role == .client, context.settings.staplesStatus, let handle = unsafe handle else { return nil }
        var response = unsafe gnutls_datum_t()
        guard unsafe gnutls_ocsp_status_request_get2(handle, 0, &response) == 0 else { return nil }
        return unsafe response.octets
    }

    /// What is stapled to the leaf of an identity, in the library's form; nil for nothing. It lives as long as the session.
    final func staple(for identity: GnuTLSIdentity) -> UnsafeMutablePointer<gnutls_ocsp_data_st>? {
        guard context.settings.staplesStatus, let octets = statusSource?.status(of: identity.leaf) else { return nil }
        let kept = GnuTLSStaple(octets)
        staple = kept
        return unsafe kept.start
    }
}

/// One response at one place in memory.
@safe
final class GnuTLSStaple {
    private let octets: UnsafeMutableBufferPointer<UInt8>
    let start: UnsafeMutablePointer<gnutls_ocsp_data_st>

    init(_ response: [UInt8]) {
        unsafe octets = UnsafeMutableBufferPointer.allocate(capacity: response.count)
        _ = unsafe octets.initialize(from: response)
        unsafe start = UnsafeMutablePointer.allocate(capacity: 1)
        unsafe start.initialize(to: gnutls_ocsp_data_st())
        unsafe start.pointee.response = unsafe gnutls_datum_t(data: octets.baseAddress, size: UInt32(response.count))
    }

    deinit {
        unsafe start.deallocate()
        unsafe octets.deallocate()
    }
}
#endif
