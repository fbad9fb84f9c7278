/// What failed, on what, and what to do about it. One type from the engine up to the socket.
///
/// Two errors are equal when their codes are: the texts are for people and differ between backends. No text ever holds key material.
public struct SslSocketError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure. The first cases carry the meaning of `QAbstractSocket::SocketError`, the others tell apart
    /// what Qt reports under one code.
    @nonexhaustive
    public enum Code: String, Sendable, Hashable, CaseIterable {
        // The network (QAbstractSocket)
        /// Nobody listens there, or a firewall says no.
        case connectionRefused
        /// The peer ended the connection properly: close_notify, or the end of a plain stream.
        case remoteHostClosed
        /// The name cannot be resolved.
        case hostNotFound
        /// The process may not do this.
        case socketAccess
        /// Out of descriptors, memory or ports.
        case socketResource
        /// It took longer than allowed.
        case socketTimeout
        /// More bytes than one datagram holds.
        case datagramTooLarge
        /// The network failed: unreachable, reset, broken. A reset may overtake octets that the peer sent before it; they are lost.
        case network
        /// The address is in use.
        case addressInUse
        /// The address is not of this host.
        case addressNotAvailable
        /// The system cannot do this.
        case unsupportedOperation
        /// Not possible in the present state of the socket.
        case operation
        /// Two waits for the same thing at once.
        case operationInProgress
        /// The waiting task was cancelled.
        case cancelled

        // Proxies (QAbstractSocket)
        /// The proxy wants user and password, or does not accept those it got.
        case proxyAuthenticationRequired
        /// Nobody listens where the proxy should be.
        case proxyConnectionRefused
        /// The proxy closed the connection before the tunnel stood.
        case proxyConnectionClosed
        /// The proxy did not answer in time.
        case proxyConnectionTimeout
        /// The name of the proxy cannot be resolved.
        case proxyNotFound
        /// What the proxy said is no answer of its protocol.
        case proxyProtocol

        // TLS
        /// The handshake failed: no common version or cipher suite, a broken message, a fatal alert.
        case handshakeFailed
        /// The peer's certificate was refused; the list of `SslError` says why.
        case peerVerificationFailed
        /// What arrived is not TLS.
        case notTls
        /// The stream ended without close_notify: what was read may be incomplete. One that was reset ends with ``network``.
        case truncated
        /// The peer sent a fatal alert.
        case alertReceived
        /// A record was damaged, or something broke inside the library.
        case sslInternal
        /// Bytes were left over at the switch from plain text to TLS (RFC 3207 section 6 tells why that is refused).
        case unexpectedPlaintext
        /// No protocol of the ALPN list is common and the policy demands one.
        case noApplicationProtocol

        // What the program supplied
        /// A certificate, key, name, list or parameter of the program is unusable; the message names it.
        case invalidUserData
        /// A parameter of the program is well-formed and not safe to use; the message says why.
        case unsafeParameters
        /// The setting cannot be honoured by this backend; the message names both.
        case unsupportedSetting
        /// The backend or its library version lacks this feature; the message names both.
        case unsupportedFeature
        /// A certificate or key does not go with the other.
        case keyMismatch
        /// The passphrase is missing or wrong.
        case wrongPassphrase
        /// A file cannot be read or written.
        case unreadableFile
        /// No backend of that name, or none at all.
        case noBackend
    }

    /// What kind of failure.
    public var code: Code
    /// A sentence for a person.
    public var message: String
    /// The backend that reported it, nil when none was involved.
    public var backend: String?
    /// The library's own error number, 0 when there is none.
    public var nativeCode: Int
    /// The library's own words, empty when there are none.
    public var nativeMessage: String
    /// The system's errno, 0 when no system call failed.
    public var systemError: Int32
    /// The alert that ended the connection, sent or received; nil when there was none.
    public var alert: SslAlertType?

    /// Makes an error.
    public init(
        _ code: Code, _ message: String, backend: String? = nil, nativeCode: Int = 0, nativeMessage: String = "",
        systemError: Int32 = 0, alert: SslAlertType? = nil
    ) {
        self.code = code
        self.message = message
        self.backend = backend
        self.nativeCode = nativeCode
        self.nativeMessage = nativeMessage
        self.systemError = systemError
        self.alert = alert
    }

    /// The message, then what the library or the system said.
    public var description: String {
        var text = message
        if !nativeMessage.isEmpty {
            text += " (\(backend ?? "library"): \(nativeMessage)\(nativeCode == 0 ? "" : " [\(nativeCode)]"))"
        }
        return text
    }
}

extension SslSocketError: Hashable {
    public static func == (a: SslSocketError, b: SslSocketError) -> Bool { a.code == b.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension SslSocketError {
    /// The error of a feature a backend lacks.
    public static func lacking(_ feature: SslFeature, backend: String, reason: String) -> SslSocketError {
        SslSocketError(
            .unsupportedFeature, "The backend \(backend) cannot do \(feature.rawValue): \(reason)", backend: backend)
    }

    /// The error of a setting a backend cannot honour.
    public static func setting(_ name: String, backend: String, reason: String) -> SslSocketError {
        SslSocketError(
            .unsupportedSetting, "The backend \(backend) cannot honour the setting \(name): \(reason)", backend: backend)
    }
}
