internal import Glibc
internal import SslValues

/// The one table from the system's error numbers to ours, and the sentences that go with them.
enum IOErrors {
    /// A failed connection attempt.
    static func connecting(_ code: Int32, to address: SocketAddress, host: String) -> SslSocketError {
        let target = host.isEmpty || host == address.ip.description ? "\(address)" : "\(host) (\(address))"
        return error(code, "Cannot connect to \(target)")
    }

    /// A failed receive.
    static func receiving(_ code: Int32, from host: String) -> SslSocketError {
        error(code, host.isEmpty ? "Receiving failed" : "Receiving from \(host) failed")
    }

    /// A failed send.
    static func sending(_ code: Int32, to host: String) -> SslSocketError {
        error(code, host.isEmpty ? "Sending failed" : "Sending to \(host) failed")
    }

    /// A failed accept.
    static func accepting(_ code: Int32) -> SslSocketError {
        error(code, "Cannot accept a connection" + (code == EMFILE || code == ENFILE ? "; raise the limit of open files (ulimit -n)" : ""))
    }

    /// Any other system call.
    static func calling(_ call: String, _ code: Int32) -> SslSocketError { error(code, "The system call \(call) failed") }

    /// An error with the system's words behind ours.
    static func error(_ code: Int32, _ what: String) -> SslSocketError {
        let words = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return SslSocketError(kind(of: code), "\(what): \(words)", systemError: code)
    }

    private static func kind(of code: Int32) -> SslSocketError.Code {
        switch code {
        case ECONNREFUSED: .connectionRefused
        case EPIPE, ECONNRESET, ENETUNREACH, EHOSTUNREACH, ENETDOWN, ENETRESET, ECONNABORTED: .network
        case ETIMEDOUT: .socketTimeout
        case EACCES, EPERM: .socketAccess
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: .socketResource
        case EADDRINUSE: .addressInUse
        case EADDRNOTAVAIL: .addressNotAvailable
        case EAFNOSUPPORT, EPROTONOSUPPORT, EOPNOTSUPP, ENOTSOCK: .unsupportedOperation
        case EMSGSIZE: .datagramTooLarge
        default: .network
        }
    }
}
