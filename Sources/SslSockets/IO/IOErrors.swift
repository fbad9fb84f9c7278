internal import CSslLinux
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
        error(code, "Cannot accept a connection")
    }

    /// Any other system call.
    static func calling(_ call: String, _ code: Int32) -> SslSocketError { error(code, "The system call \(call) failed") }

    /// An error with the system's words behind ours.
    static func error(_ code: Int32, _ what: String) -> SslSocketError {
        SslSocketError(kind(of: code), "\(what): \(words(for: code))\(hint(for: code))", systemError: code)
    }

    /// The system's words for an error number.
    private static func words(for code: Int32) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            let text = unsafe ssllinux_error_text(code, buffer.baseAddress, buffer.count)
            return unsafe text.map { unsafe String(cString: $0) } ?? "error \(code)"
        }
    }

    /// What a person can do about it; empty when the words say it all.
    private static func hint(for code: Int32) -> String {
        switch code {
        case ECONNREFUSED: "; is a server listening there?"
        case ENETUNREACH, EHOSTUNREACH: "; there is no route to it from this host"
        case EMFILE: "; raise the limit of open files (ulimit -n)"
        case EADDRINUSE: "; choose another port or stop the program that uses it"
        case EADDRNOTAVAIL: "; it is no address of this host, or all its ports are taken"
        case EACCES, EPERM: "; the process lacks the right to, or a firewall forbids it"
        default: ""
        }
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
        case EAFNOSUPPORT, EPROTONOSUPPORT, EOPNOTSUPP, ENOTSOCK, ENOPROTOOPT: .unsupportedOperation
        case EMSGSIZE: .datagramTooLarge
        case EBADF, EINVAL, EISCONN, ENOTCONN, EEXIST: .operation
        default: .network
        }
    }
}
