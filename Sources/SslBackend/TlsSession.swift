public import SslValues

/// One TLS or DTLS connection as a state machine over memory: ciphertext in, ciphertext out, plaintext in, plaintext out.
/// No descriptor, no thread, no clock of its own (datagram retransmission excepted), no policy.
///
/// **Shape of every call.** It is lent a window of received ciphertext and a sink. The session reads the window to its end: an
/// unread rest is copied and kept (see ``pendingInput``), so the caller may reuse the memory at once. Whatever the engine
/// produces goes to the sink *while the call runs*, one call of the sink per flight or record, so that a driver can send a
/// flight while the engine works on. A session never blocks, never refuses octets, never throws, and does not allocate per record.
///
/// **Results.** ``TlsStep`` says what the engine wants next. Any call may need a decision: then nothing moves until the matching
/// `answer` was given and the same call is made again. The first fatal failure is kept and returned by every later call.
/// On every fatal failure found on this side, the alert has been given to the sink before the call returns.
///
/// A session belongs to one thread at a time; it may change threads between calls.
public protocol TlsSession: AnyObject {
    /// Goes on with the handshake until it is complete (`.progressed(0)`), starves, pauses or fails.
    /// Once complete it does nothing and returns `.progressed(0)`.
    func handshake(_ input: TlsInput, _ output: any TlsSink) -> TlsStep

    /// Decrypts into `destination` until it is full (`.progressed`) or the input is used up (`.wantsInput`), whichever is first.
    ///
    /// Plaintext and an end never come in one result: octets first, `.closed`, `.truncated` or `.failed` from the next call.
    /// Before the handshake is complete it returns `.failed` with ``SslSocketError/Code/operation``.
    func read(into destination: UnsafeMutableRawBufferPointer, _ input: TlsInput, _ output: any TlsSink) -> TlsStep

    /// Encrypts all of `plaintext` in as few records as possible and gives them to the sink. Always `.progressed(plaintext.count)`
    /// unless the session has failed or was closed. Empty plaintext does nothing.
    func write(_ plaintext: UnsafeRawBufferPointer, _ output: any TlsSink) -> TlsStep

    /// Sends close_notify once. Reading goes on afterwards, until the peer's own close_notify: a half close.
    func close(_ output: any TlsSink) -> TlsStep

    /// Starts a TLS 1.3 key update, asking the peer to follow when `requestsPeer`.
    /// Fails with ``SslSocketError/Code/unsupportedFeature`` where the backend or the version has none.
    func updateKeys(requestsPeer: Bool, _ output: any TlsSink) -> TlsStep

    /// Asks a TLS 1.3 client for its certificate after the handshake; the verdict is asked for inside a later `read`, and
    /// ``TlsEvent/clientAuthenticated`` tells that the client has proved its key.
    ///
    /// - Parameter demands: the verdict is asked for also when the client has none, over an empty chain.
    ///
    /// Fails with ``SslSocketError/Code/unsupportedFeature`` where the backend or the version has none.
    func requestClientCertificate(demands: Bool, _ output: any TlsSink) -> TlsStep

    /// Sends a fatal alert and ends the session; later calls return `.failed`. For refusals that are decided above the engine,
    /// after the handshake. Returns `.failed` with the error given, or of the backend when it cannot send alerts by itself.
    func abort(_ alert: SslAlertType, reason: SslSocketError, _ output: any TlsSink) -> TlsStep

    /// Answers ``TlsDecision/clientHello``.
    func answer(clientHello answer: TlsClientHelloAnswer)
    /// Answers ``TlsDecision/peerVerification``. A refusal sends its alert within the next call, before anything else.
    func answer(peerVerification answer: TlsVerdict)

    /// Whom to ask for pre-shared keys. Without one a handshake that needs a key fails. Set it before the first call.
    var preSharedKeySource: (any TlsPreSharedKeySource)? { get set }

    /// Whom a client asks for its certificate when the server wants one; nil for the settings' credentials. Set it before the first call.
    var credentialsSource: (any TlsCredentialsSource)? { get set }

    /// Whom a server asks for the status of its certificate; nil for nothing to staple. Set it before the first call.
    var statusSource: (any TlsCertificateStatusSource)? { get set }
    /// The OCSP response (DER, unchecked) that the server stapled to its own certificate, on a client that asked for it, from the question for
    /// the verdict on; nil without.
    var certificateStatus: [UInt8]? { get }

    /// What the ClientHello says, on a server from the moment it has been read. nil on a client.
    var clientHello: TlsClientHello? { get }
    /// The certificates the peer sent, DER, leaf first; empty before it did or when it sent none. Made anew by each call.
    /// On a resumed connection only what the engine stored with the ticket.
    var peerCertificates: [[UInt8]] { get }
    /// What was negotiated so far. Made anew by each call.
    var facts: TlsSessionFacts { get }
    /// True once the handshake is complete, including the verdict on the peer.
    var isEstablished: Bool { get }
    /// Octets of ciphertext the session keeps because they could not be used yet.
    var pendingInput: Int { get }
    /// True when ``takeEvents()`` has something. Cheap.
    var hasEvents: Bool { get }
    /// What happened since the last call, in order.
    func takeEvents() -> [TlsEvent]

    /// The first Finished message of the handshake, in TLS 1.2 and older (RFC 5929 section 3.1): the client's, or the server's when a session was
    /// resumed. nil in TLS 1.3 and before the handshake is complete.
    var firstFinished: [UInt8]? { get }
    /// The leaf (DER) that a server has shown in this handshake; nil on a client, and when none was shown: on resumption and with a pre-shared key.
    var shownCertificate: [UInt8]? { get }

    /// RFC 5705 keying material (RFC 8446 section 7.5).
    /// - Parameter context: nil and empty differ in TLS 1.2 (RFC 5705 section 4).
    func exportKeyingMaterial(label: String, context: [UInt8]?, length: Int) throws(SslSocketError) -> SecretBytes

    /// Gives back memory that is needed only while octets flow.
    func releaseBuffers()
}

/// A session over datagrams: every window is exactly one received datagram, every call of the sink exactly one to send.
public protocol TlsDatagramSession: TlsSession {
    /// Milliseconds until ``handleTimeout(_:)`` should be called; nil when no timer runs.
    var nextTimeout: Int? { get }
    /// Sends again what got lost, if the time has come; does nothing otherwise.
    func handleTimeout(_ output: any TlsSink) -> TlsStep
    /// The most plaintext octets that fit one datagram with the negotiated cipher. Larger writes fail with
    /// ``SslSocketError/Code/datagramTooLarge`` and leave the session usable.
    var maximumPayload: Int { get }
}

/// Received ciphertext, lent for one call.
@unsafe
public struct TlsInput {
    /// The octets, possibly none.
    public var bytes: UnsafeRawBufferPointer
    /// Nothing will follow these octets: the stream has ended.
    public var isEndOfStream: Bool

    /// Makes a window.
    public init(_ bytes: UnsafeRawBufferPointer, isEndOfStream: Bool = false) {
        unsafe self.bytes = unsafe bytes
        unsafe self.isEndOfStream = isEndOfStream
    }

    /// No octets: for a call that only goes on.
    public static var empty: TlsInput { unsafe TlsInput(UnsafeRawBufferPointer(start: nil, count: 0)) }
}

/// Takes what an engine produces, while it produces it.
public protocol TlsSink: AnyObject {
    /// Takes a copy of `bytes` or sends them. Must take them all and must not call the session.
    func put(_ bytes: UnsafeRawBufferPointer)
}

/// What a call of a session came to.
public enum TlsStep {
    /// Done what was asked; so many octets of plaintext moved.
    case progressed(Int)
    /// All input is used up and more is needed; so many octets of plaintext moved before that.
    case wantsInput(Int)
    /// A decision is needed before anything goes on.
    case needsDecision(TlsDecision)
    /// A server has early data: read it with ``TlsSession/read(into:_:_:)`` before the handshake goes on.
    case earlyData
    /// The peer sent close_notify: everything it wanted to say has been read.
    case closed
    /// The stream ended without close_notify: what was read may have been cut off.
    case truncated
    /// A fatal failure, which stays.
    case failed(SslSocketError)
}

/// What a session may stop for.
public enum TlsDecision: Sendable, Hashable {
    /// A server has read the ClientHello (``TlsSession/clientHello``) and sent nothing yet.
    case clientHello
    /// The peer's certificates are there (``TlsSession/peerCertificates``) and no application octet has moved in either direction.
    case peerVerification
}

/// How a server goes on from the ClientHello.
public enum TlsClientHelloAnswer {
    /// With this context of the same backend and role instead of the one the session was made from; nil: with that one.
    case proceed(with: (any TlsContext)?)
    /// Refuses the client with this alert.
    case refuse(SslAlertType, SslSocketError)
}

/// The verdict on a peer's certificates.
public enum TlsVerdict {
    /// The handshake goes on.
    case accept
    /// The handshake fails with this alert and this error.
    case refuse(SslAlertType, SslSocketError)
}

/// What happened inside an engine, to be told to the application after the call has returned.
public enum TlsEvent {
    /// An alert left.
    case alertSent(SslAlert)
    /// An alert came.
    case alertReceived(SslAlert)
    /// A client got a session it can resume: the octets for ``TlsSessionParameters/resumption`` and its lifetime in seconds.
    case sessionTicket([UInt8], lifetime: Int)
    /// The peer asked for new keys, or followed our request.
    case keysUpdated
    /// One line for a key log file.
    case keyLog(String)
    /// A server asked a client for its certificate after the handshake.
    case clientCertificateRequested
    /// A client has answered a server that asked for its certificate after the handshake: what it showed has been accepted and proved.
    case clientAuthenticated
}

/// What a session negotiated. Fields are nil until known, or where the version has no such thing.
public struct TlsSessionFacts: Sendable, Hashable {
    /// The version.
    public var version: SslVersion?
    /// The cipher suite.
    public var cipher: SslCipher?
    /// The key agreement group; nil when keys were not agreed by a group (RSA key exchange, resumption in TLS 1.2).
    public var group: SslGroup?
    /// A client's: the size in bits of the prime that the server chose for a finite-field key agreement in TLS 1.2; nil when keys were agreed
    /// otherwise, and on a server.
    public var diffieHellmanBits: Int?
    /// The scheme the server signed with; nil on resumption.
    public var signatureScheme: SslSignatureScheme?
    /// The ALPN protocol.
    public var applicationProtocol: [UInt8]?
    /// The name the client asked for.
    public var serverName: String?
    /// The session was resumed (not: keyed by an external PSK).
    public var isResumed = false
    /// The peers proved with an external pre-shared key who they are; false on resumption, whatever the first handshake was.
    public var usedPreSharedKey = false
    /// Early data was accepted; nil when none was offered.
    public var earlyDataAccepted: Bool?
    /// RFC 7627 or TLS 1.3.
    public var hasExtendedMasterSecret = false

    /// Nothing known.
    public init() {}
}
