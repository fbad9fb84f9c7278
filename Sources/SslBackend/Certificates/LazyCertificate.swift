internal import Glibc
public import SslValues

/// A certificate that has been read, and whose library handle is made only when it is needed: of the 140 certificates a system
/// trusts, a connection needs one.
@safe
public final class LazyCertificate: @unchecked Sendable {
    /// What stands in it.
    public let fields: CertificateFields
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var handles: [any X509Certificate]
    private var owners: [String]

    /// A certificate whose handle will be made later.
    public init(_ fields: CertificateFields) {
        self.fields = fields
        handles = []
        owners = []
        unsafe mutex = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// The certificate in the hands of `backend`, parsed once.
    public func certificate(_ backend: any TlsBackend) throws(SslSocketError) -> any X509Certificate {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        if let index = owners.firstIndex(of: backend.name) { return handles[index] }
        let made = try backend.makeCertificate(der: fields.der)
        handles.append(made)
        owners.append(backend.name)
        return made
    }
}
