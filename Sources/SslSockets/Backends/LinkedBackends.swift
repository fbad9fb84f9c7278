internal import SslBackend

#if GnuTLS
internal import GnuTLSBackend
#endif
#if OpenSSL
internal import OpenSSLBackend
#endif

/// The one list of the engines this build links, in order of preference. No other file of this module names one.
enum LinkedBackends {
    static let all: [any TlsBackend] = {
        var list: [any TlsBackend] = []
        #if GnuTLS
        list.append(GnuTLSBackend.shared)
        #endif
        #if OpenSSL
        list.append(OpenSSLBackend.shared)
        #endif
        return list
    }()
}
