internal import SslSockets

/// What the tool's exit status says. Each cause has a number of its own, so that a script can tell them apart.
enum ExitStatus: Int32 {
    /// All went well.
    case done = 0
    /// The comparison found a difference that nothing explains.
    case difference = 1
    /// The peer's certificate was refused.
    case refused = 2
    /// There is no usable backend.
    case noBackend = 3
    /// The handshake failed, or TLS broke later.
    case handshake = 4
    /// The network: refused, name lookup, timeout, reset, the proxy.
    case network = 5
    /// The command line is wrong; the number is that of sysexits.h and of the argument parser.
    case usage = 64
    /// A file cannot be read, or does not hold what it should.
    case unreadable = 66
    /// Something that was asked for is not there or cannot be done.
    case unavailable = 69

    /// The status of a failed connection.
    init(_ error: SslSocketError, wasEncrypted: Bool = false) {
        switch error.code {
        case .connectionRefused, .hostNotFound, .socketAccess, .socketResource, .socketTimeout, .network, .addressInUse,
            .addressNotAvailable, .datagramTooLarge, .proxyAuthenticationRequired, .proxyConnectionRefused,
            .proxyConnectionClosed,
            .proxyConnectionTimeout, .proxyNotFound, .proxyProtocol:
            self = .network
        // Before the end of the handshake, a peer that goes away has refused to speak TLS with us.
        case .remoteHostClosed, .truncated: self = wasEncrypted ? .network : .handshake
        case .handshakeFailed, .notTls, .alertReceived, .sslInternal, .unexpectedPlaintext, .noApplicationProtocol:
            self = .handshake
        case .peerVerificationFailed: self = .refused
        case .noBackend: self = .noBackend
        case .unreadableFile, .keyMismatch, .wrongPassphrase: self = .unreadable
        case .invalidUserData: self = .usage
        default: self = .unavailable
        }
    }
}

/// A failure that ends the tool, with its words for standard error.
struct ToolFailure: Error {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    init(_ error: SslSocketError) { self.init(ExitStatus(error), error.description) }
}
