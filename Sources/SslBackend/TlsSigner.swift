internal import Glibc
public import SslValues

/// Makes the signatures of a private key that lives elsewhere: in a module, in another process, in another machine.
public final class TlsSigner: Sendable {
    /// What it can sign with, best first.
    public let schemes: [SslSignatureScheme]
    private let body: @Sendable (_ input: [UInt8], _ scheme: SslSignatureScheme) throws -> [UInt8]

    /// Makes a signer of a function, whose input is that of ``TlsKey/sign(_:_:)``. It is called on whichever thread drives a handshake, on several at once.
    public init(
        schemes: [SslSignatureScheme],
        _ body: @escaping @Sendable (_ input: [UInt8], _ scheme: SslSignatureScheme) throws -> [UInt8]
    ) {
        self.schemes = schemes
        self.body = body
    }

    /// The signature over a hash, or over a message for schemes without one; nil when there is none, and the reason then waits for ``takeFailure()``.
    public func sign(_ input: [UInt8], _ scheme: SslSignatureScheme) -> [UInt8]? {
        do {
            guard schemes.contains(scheme) else {
                throw SslSocketError(.unsupportedOperation, "it does not sign with \(scheme.name)")
            }
            let signature = try body(input, scheme)
            if signature.isEmpty { throw SslSocketError(.operation, "the signature is empty") }
            return signature
        } catch {
            let reason = (error as? SslSocketError)?.message ?? "\(error)"
            Self.failure.put(SslSocketError(.handshakeFailed, "The private key could not sign: \(reason)"))
            return nil
        }
    }

    /// Why the last signature on this thread failed, once. An engine tells its caller no more than that it did.
    public static func takeFailure() -> SslSocketError? { failure.take() }

    /// Keeps the reason why a callback of an engine failed, for ``takeFailure()``: an engine hands on no more than that it did.
    public static func noteFailure(_ error: SslSocketError) { failure.put(error) }

    private static let failure = ThreadSlot()
}

/// One error a thread. A handshake is driven by one thread from the call that signs up to the return that reports the failure.
private final class ThreadSlot: Sendable {
    private final class Box {
        let error: SslSocketError
        init(_ error: SslSocketError) { self.error = error }
    }
    private let key: pthread_key_t

    init() {
        var key = pthread_key_t()
        // It fails only when a process has used up all keys: then reasons are not told.
        let made = unsafe pthread_key_create(&key) { memory in
            if let memory = unsafe memory { unsafe Unmanaged<AnyObject>.fromOpaque(memory).release() }
        }
        self.key = made == 0 ? key : .max
    }

    func put(_ error: SslSocketError) {
        _ = take()
        let memory = unsafe Unmanaged.passRetained(Box(error) as AnyObject).toOpaque()
        if unsafe pthread_setspecific(key, memory) != 0 { unsafe Unmanaged<AnyObject>.fromOpaque(memory).release() }
    }

    func take() -> SslSocketError? {
        guard let memory = unsafe pthread_getspecific(key) else { return nil }
        _ = pthread_setspecific(key, nil)
        let box: AnyObject = unsafe Unmanaged.fromOpaque(memory).takeRetainedValue()
        return (box as? Box)?.error
    }
}
