public import SslSockets
public import SslValues

/// How one end of a ``MemoryPipe`` decides what a connection leaves to its driver.
public struct EndpointPolicy: Sendable {
    /// Which problems of the peer's certificate are accepted.
    public enum Acceptance: Sendable, Hashable {
        /// None.
        case none
        /// All.
        case all
        /// Exactly these and no others.
        case only([SslErrorCode])
    }

    /// Which problems of the peer's certificate are accepted. A configuration with ``SslPeerVerifyMode/queryPeer`` accepts all.
    public var accepts = Acceptance.none
    /// So many times the question about the peer's certificate stays open before it is answered; `Int.max`: until this is changed.
    public var undecidedRounds = 0
    /// A server's answer to a ClientHello; nil to go on with its configuration, without pausing.
    public var clientHello: (@Sendable (SslClientHello) -> SslClientHelloChoice)?
    /// So many times the question about the ClientHello stays open before it is answered; `Int.max`: until this is changed.
    public var undecidedHelloRounds = 0
    /// Takes octets that arrive after the handshake. While false they wait outside.
    public var reads = true
    /// Answers the peer's close_notify with one of its own.
    public var closesBack = true

    /// Refuses every problem at once, reads and closes back.
    public init() {}

    func isAccepting(_ errors: [SslError]) -> Bool {
        switch accepts {
        case .none: false
        case .all: true
        case .only(let codes): errors.allSatisfy { codes.contains($0.code) }
        }
    }
}
