public import SslValues

/// Everything prepared once from ``TlsSettings`` and shared by all their connections: credentials, priorities, ticket keys.
/// Immutable once made.
public protocol TlsContext: AnyObject, Sendable {
    /// The backend that made it.
    var backend: any TlsBackend { get }
    /// The settings it was made from.
    var settings: TlsSettings { get }

    /// Starts one connection over a stream. No I/O happens; the first flight of a client leaves with the first
    /// ``TlsSession/handshake(_:_:)``.
    func makeSession(_ parameters: TlsSessionParameters) throws(SslSocketError) -> any TlsSession

    /// Starts one connection over datagrams; the settings must say ``TlsTransport/datagram``.
    func makeDatagramSession(_ parameters: TlsSessionParameters) throws(SslSocketError) -> any TlsDatagramSession
}

/// What is particular to one connection.
public struct TlsSessionParameters: Sendable {
    /// The server name a client sends (RFC 6066 section 3), already spelled for the wire; nil: none (an IP literal, or switched off).
    public var serverName: String?
    /// A session to resume: what ``TlsEvent/sessionTicket(_:)`` of the same backend gave; nil: none.
    public var resumption: [UInt8]?
    /// The address of a datagram peer, bound into the cookie; nil: no cookie is asked for.
    public var peerAddress: [UInt8]?

    /// Without any.
    public init(serverName: String? = nil, resumption: [UInt8]? = nil, peerAddress: [UInt8]? = nil) {
        self.serverName = serverName
        self.resumption = resumption
        self.peerAddress = peerAddress
    }
}
