internal import SslBackend
public import SslValues

/// A TCP socket that can speak TLS (`QSslSocket`).
///
/// It starts out plain and becomes encrypted by ``connectToHostEncrypted(_:port:peerVerifyName:protocol:)`` at once, or by
/// ``startClientEncryption()`` and ``startServerEncryption()`` later (STARTTLS). Reading and writing look the same before and after.
///
/// **One isolation domain.** A socket is not `Sendable`: it belongs to one task, actor or thread at a time, as a QSslSocket belongs to its
/// thread. It can be sent once to another. Wrap it in an actor to read and write from two tasks.
///
/// **Three ways to drive it.** Every `waitFor…` exists in two forms under one name: in a plain thread it blocks, in async code it suspends.
/// Nothing happens between waits but what a call does by itself: ``write(_:)-(Span<UInt8>)`` encrypts and sends whole records at once,
/// and what is left goes out with ``flush()`` or the next wait.
///
/// **Errors.** The calls of Qt's shape return false and set ``error``; the Swift-native calls (``connect(to:port:configuration:timeout:)``,
/// ``receive(upTo:timeout:)``, `send(_:)`) throw ``SslSocketError``.
public final class SslSocket {
    // MARK: Settings

    /// The settings of the next handshake (`sslConfiguration`). Changing them does nothing to a handshake that has begun.
    public var sslConfiguration: SslConfiguration
    /// A name to prove and to send instead of the host's (`peerVerifyName`); it outlives reconnecting.
    public var peerVerifyName: String?
    /// Whether the handshake stops at certificate errors until ``resume()``. Default: ``SslPauseMode/never``.
    public var pauseMode = SslPauseMode.never
    /// Goes on writing after the peer has said that it will write no more. Default: false, as in Qt: the peer's end ends the connection.
    ///
    /// When true, the end of reading is told by ``readChannelFinished`` alone, and the connection stays until this end ends it too.
    public var allowsHalfClosure = false
    /// The proxy of the next connection (`proxy`). Default: ``SslProxy/default``, which is what ``SslProxy/applicationProxy`` says.
    public var proxy = SslProxy.default
    var ignoreRules = IgnoreRules()
    /// ``readBufferSize``
    var readLimit = 0
    /// ``writeBufferSize``
    var writeLimit = 0 { didSet { updateWriteGate() } }

    // MARK: State

    /// Where the socket stands.
    public internal(set) var state: SslSocketState {
        get { currentState }
        set { currentState = newValue }
    }
    /// Not visible outside, so that the compiler proves the accesses of ``write(_:)-(UnsafeRawBufferPointer)`` exclusive instead of checking them.
    private var currentState = SslSocketState.unconnected
    /// Which role it plays; it stays after the end, until the next connect.
    public internal(set) var mode = SslMode.unencrypted
    /// For what the device is open (`openMode`): from connecting on, until ``close()`` or ``abort()``. It stays open when the connection ends, so
    /// that what was received can be read.
    public internal(set) var openMode: SslOpenMode {
        get { currentOpenMode }
        set {
            currentOpenMode = newValue
            updateWriteGate()
        }
    }
    private var currentOpenMode: SslOpenMode = []
    /// Nothing restricts a write: one question instead of two in the path of every write.
    private(set) var canWriteFreely = false
    private func updateWriteGate() { canWriteFreely = currentOpenMode.contains(.writeOnly) && writeLimit == 0 }
    /// The last error (`error`); nil before any. It stays until the next connect.
    ///
    /// A wait that fails and a call that makes no sense in the present state set it too, while the connection goes on.
    public internal(set) var error: SslSocketError?
    /// True from just before ``encrypted`` is emitted until the connection ends.
    public internal(set) var isEncrypted = false
    /// The name given to connect (`peerName`).
    public internal(set) var peerName = ""
    /// The port given to connect.
    var namedPort: UInt16 = 0
    /// The problems found with the peer's certificates in the last handshake (`sslHandshakeErrors`).
    public internal(set) var sslHandshakeErrors: [SslError] = []
    /// The last session ticket a client received: put it into ``SslConfiguration/sessionTicket`` to resume (`sessionTicket`).
    public internal(set) var sessionTicket: SslSessionTicket?

    /// How far connecting has come.
    enum Stage {
        case idle
        case lookup(HostLookup)
        case connecting(ConnectAttempts)
        case proxying(DialogueRun)
        case open(SocketDescriptor)
    }
    var stage = Stage.idle
    /// What ``bind(to:port:mode:)`` has made, until it is connected.
    var bound: BoundSocket?
    /// Set on each connection.
    var socketOptions: [SslSocketOption: Int] = [:]
    /// The way of this connection through a proxy; nil without.
    var route: ProxyRoute?
    var connection: TlsConnection?
    /// The plain dialogue that runs before TLS.
    var opening: DialogueRun?
    /// The dialogue to begin when TCP is up.
    var startTlsOnConnect: SslStartTls?
    let output = SocketOutput()
    /// What can be read, in the plain and in the encrypted phase alike.
    var incoming = DeviceBuffer()
    var registration: Registration?
    var signals: SignalTable?
    /// Encryption starts as soon as TCP is up.
    var startsEncryptionOnConnect = false
    /// The handshake has been completed, whatever came then.
    var hasBeenEncrypted = false
    /// Counts connects and ends, so that a turn notices that a slot changed the ground under it.
    var epoch = 0
    /// The system may have octets for us.
    var mayReceive = false
    /// The peer has hung up; reading goes on to the end of the stream.
    var hasHangup = false
    /// A full buffer has stopped the session, which holds more.
    var isThrottled = false
    /// No more octets will come.
    var isReadFinished = false
    /// How far a decision about the peer or the ClientHello has come.
    var decision = Decision.none
    /// A slot of handshakeInterruptedOnError wants to go on.
    var continuesHandshake = false
    /// readChannelFinished has been emitted.
    var isReadChannelFinished = false
    /// close was called: what still arrives is thrown away.
    var isClosed = false
    /// The connection has failed and is about to end.
    var isFailing = false
    /// A slot is running between two stages of connecting, where nothing else may happen.
    var isInTransition = false
    /// A slot of errorOccurred is running.
    var isTellingError = false
    /// A slot of readyRead is running.
    var isAnnouncingData = false
    /// A slot of bytesWritten or encryptedBytesWritten is running.
    var isAnnouncingWritten = false
    /// The connection ended with octets that had been written and could not be sent.
    var hasLostOutput = false
    /// Octets decrypted and not announced by ``readyRead`` yet.
    var hasUnannouncedData = false
    /// Counts announcements, for waits.
    var announcements = 0
    /// Octets of plaintext handed on and not announced by ``bytesWritten`` yet.
    var unannouncedWritten = 0
    /// Octets of the plain phase in the output when encryption began; they leave before the first of its octets.
    var plainOutput = 0
    /// Octets of plaintext handed on since the connection began.
    var totalWritten = 0
    /// Octets have flowed since buffers were last given back.
    var isWarm = false
    /// What ended the connection, unless it was a proper end.
    var endReason: SslSocketError?
    /// disconnectFromHost was called: end when everything is sent.
    var isDisconnecting = false
    /// disconnectFromHost was called before the connection was up: end when it is.
    var hasToDisconnect = false
    /// Chooses the configuration of a server connection by its ClientHello.
    var clientHelloHook: ((SslSocket, SslClientHello) -> SslClientHelloChoice)?
    /// Chooses what a client shows.
    var clientCredentialsChoice: SslCredentialsChoice?
    /// Finds the keys of clients by their identities.
    var preSharedKeyLookup: (@Sendable (_ identity: [UInt8]) -> SslPreSharedKey?)?

    /// Makes a plain, unconnected socket (`QSslSocket()`).
    ///
    /// - Parameter configuration: what to start with; ``SslConfiguration/default`` when left out.
    public init(configuration: SslConfiguration = .default) { sslConfiguration = configuration }

    deinit { closeDescriptor() }

    // MARK: Facts

    /// The negotiated version; ``SslProtocol/unknownProtocol`` while not encrypted (`sessionProtocol`).
    public var sessionProtocol: SslProtocol {
        isEncrypted ? connection?.facts.version.map { SslProtocol(exactly: $0) } ?? .unknownProtocol : .unknownProtocol
    }
    /// The negotiated cipher suite; nil while not encrypted (`sessionCipher`).
    public var sessionCipher: SslCipher? { isEncrypted ? connection?.facts.cipher : nil }
    /// The negotiated group; nil while not encrypted, or when none was used.
    public var sessionGroup: SslGroup? { isEncrypted ? connection?.facts.group : nil }
    /// The session was resumed.
    public var isSessionResumed: Bool { isEncrypted ? connection?.facts.isResumed ?? false : false }
    /// The server name a client asked for, on a server from the ClientHello on.
    public var requestedServerName: String? { connection?.clientHello?.serverName ?? connection?.facts.serverName }
    /// The ALPN protocol (`nextNegotiatedProtocol`); nil when none was negotiated.
    public var nextNegotiatedProtocol: String? {
        isEncrypted ? connection?.facts.applicationProtocol.map { String(decoding: $0, as: UTF8.self) } : nil
    }
    /// What came of ALPN (`nextProtocolNegotiationStatus`).
    public var nextProtocolNegotiationStatus: SslNextProtocolStatus {
        if nextNegotiatedProtocol != nil { return .negotiated }
        let hasOffered = connection?.configurationInForce.allowedNextProtocols.isEmpty == false
        return isEncrypted && hasOffered ? .unsupported : .none
    }
    /// The chain the peer sent, leaf first (`peerCertificateChain`), from the moment it is verified; empty when there is none.
    public var peerCertificateChain: [SslCertificate] { connection?.peerCertificates ?? [] }
    /// The peer's own certificate (`peerCertificate`); nil when there is none.
    public var peerCertificate: SslCertificate? { peerCertificateChain.first }
    /// The name of the backend of this connection; nil while there is none.
    public var backend: String? { connection?.backendName }
    /// The sentence of the last error; empty when there was none (`errorString`).
    public var errorString: String { error?.description ?? "" }

    /// Where this end is; nil while not connected or bound (`localAddress`, `localPort`).
    public var localAddress: SocketAddress? {
        if case .open(let descriptor) = stage { return descriptor.localAddress }
        return bound?.descriptor.localAddress
    }
    /// Where the peer is; nil while not connected (`peerAddress`, `peerPort`). Through a proxy it is what was given to connect, if that was an
    /// address; else nil, for only the proxy knows it.
    public var peerAddress: SocketAddress? {
        if let route, case .open = stage { return route.target.address.map { SocketAddress($0, port: route.target.port) } }
        if case .open(let descriptor) = stage { return descriptor.peerAddress }
        return nil
    }
    /// There is a connection that can be used (`isValid`).
    public var isValid: Bool {
        if case .open = stage { return true }
        return false
    }
    /// The descriptor; -1 while there is none (`socketDescriptor`). It stays the socket's own.
    public var socketDescriptor: Int32 {
        if case .open(let descriptor) = stage { return descriptor.fd }
        return bound?.descriptor.fd ?? -1
    }

    /// Keying material for an application's own use (RFC 5705, RFC 8446 section 7.5). Beyond Qt 6.11.
    ///
    /// - Throws: ``SslSocketError/Code/operation`` while not encrypted.
    public func exportKeyingMaterial(label: String, context: [UInt8]? = nil, length: Int) throws(SslSocketError) -> SecretBytes {
        guard isEncrypted, let connection else {
            throw SslSocketError(.operation, "Keying material can be exported only while the connection is encrypted")
        }
        return try connection.exportKeyingMaterial(label: label, context: context, length: length)
    }
}

/// What a server learns from a ClientHello before it answers.
public struct SslClientHello: Sendable, Hashable {
    /// The name asked for, in lower case; nil without.
    public var serverName: String?
    /// The ALPN protocols, best first.
    public var applicationProtocols: [String]

    /// Puts one together, for example to test a choice.
    public init(serverName: String?, applicationProtocols: [String]) {
        self.serverName = serverName
        self.applicationProtocols = applicationProtocols
    }
}

/// How a server goes on from a ClientHello.
public enum SslClientHelloChoice {
    /// With the configuration of the socket.
    case proceed
    /// With this one.
    case use(SslConfiguration)
    /// Not at all: the alert `unrecognized_name` is sent.
    case refuse
}
