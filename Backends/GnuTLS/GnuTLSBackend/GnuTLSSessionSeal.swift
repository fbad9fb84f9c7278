#if GnuTLS
internal import CSslGnuTLS

/// A digest before the library's form of a session.
///
/// GnuTLS reads a session as if nothing could be wrong with it: it allocates what a damaged count asks for, and crashes when it frees what it could not
/// read. So it is given only what it wrote itself. This guards against damage, not against forgery, which no digest could: whoever can change sessions
/// has their secrets.
enum GnuTLSSessionSeal {
    private static let length = 32

    static func seal(_ session: [UInt8]) -> [UInt8] { digest(session[...]) + session }

    /// Where the session is inside; nil when anything was changed.
    static func content(_ sealed: [UInt8]) -> Range<Int>? {
        guard sealed.count > length, digest(sealed[length...]).elementsEqual(sealed.prefix(length)) else { return nil }
        return length..<sealed.count
    }

    private static func digest(_ octets: ArraySlice<UInt8>) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: length)
        let native = unsafe octets.withUnsafeBytes { unsafe gnutls_hash_fast(GNUTLS_DIG_SHA256, $0.baseAddress, $0.count, &out) }
        // Without a digest nothing is right.
        return native == 0 ? out : []
    }
}
#endif
