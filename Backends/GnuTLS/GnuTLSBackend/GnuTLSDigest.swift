#if GnuTLS
internal import CSslGnuTLS
public import SslValues

extension GnuTLSBackend {
    /// A digest of `bytes`; nil for a hash the library does not have.
    public func digest(_ bytes: [UInt8], _ hash: SslHash) -> [UInt8]? {
        let native = hash.gnutls
        var out = [UInt8](repeating: 0, count: Int(gnutls_hash_get_len(native)))
        guard !out.isEmpty, unsafe gnutls_hash_fast(native, bytes, bytes.count, &out) == 0 else { return nil }
        return out
    }
}
#endif
