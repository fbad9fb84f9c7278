internal import SslBackend
internal import SslSockets

/// The facts of one connection, as `connect --json` and `--report` write them. `docs/schema/report.schema.json` describes it.
struct ConnectionReport: Encodable {
    /// How it ended.
    enum Outcome: String, Encodable {
        case connected, refused, handshakeFailed, networkFailed, notTried
    }
    struct Backend: Encodable {
        let name: String
        let version: String
    }
    /// One problem with the peer's certificate.
    struct Problem: Encodable {
        let name: String
        let message: String
        let depth: Int
        let certificate: String?
    }
    struct Failure: Encodable {
        let code: String
        let message: String
        let alert: String?
    }

    let schema = 1
    var tool = ToolVersion.text
    let host: String
    let port: Int
    let name: String?
    let address: String?
    let backend: Backend?
    private(set) var outcome = Outcome.connected
    /// The certificate was checked and found good.
    let verified: Bool
    let version: String?
    let cipher: String?
    let group: String?
    let alpn: String?
    let resumed: Bool
    /// The identity of the pre-shared key the connection rests on; missing when it rests on none.
    let preSharedKey: String?
    /// What the server stapled; missing when nothing was asked for, or nothing that can be read came.
    let ocsp: StatusFacts?
    let errors: [Problem]
    let chain: [CertificateFacts]
    private(set) var failure: Failure?
    /// What came back on `--send`, as text.
    var answer: String?

    /// Gathers the facts of a socket.
    init(_ socket: SslSocket, endpoint: Endpoint, facts: SessionFacts?) {
        host = endpoint.host
        port = Int(endpoint.port)
        name = socket.peerVerifyName
        address = facts?.address
        let engine = (socket.backend ?? socket.sslConfiguration.backend).flatMap { try? SslBackends.named($0) }
        backend = engine.map { Backend(name: $0.name, version: $0.libraryVersion) }
        errors = socket.sslHandshakeErrors.map {
            Problem(
                name: "\($0.code)", message: $0.errorString, depth: $0.depth,
                certificate: $0.certificate.map { CertificateFacts($0).subject })
        }
        chain = socket.peerCertificateChain.map { CertificateFacts($0) }
        verified = facts != nil && errors.isEmpty
        version = facts?.version
        cipher = facts?.cipher
        group = facts?.group
        alpn = facts?.alpn
        resumed = facts?.resumed ?? false
        preSharedKey = facts?.preSharedKey
        ocsp = socket.ocspResponses.first.map { StatusFacts($0) }
    }

    /// Notes what went wrong.
    mutating func fail(_ error: SslSocketError) {
        failure = Failure(code: error.code.rawValue, message: error.description, alert: error.alert.map { "\($0)" })
        outcome =
            switch ExitStatus(error, wasEncrypted: version != nil) {
            case .refused: .refused
            case .handshake: .handshakeFailed
            case .network: .networkFailed
            default: .notTried
            }
    }
}

/// What was negotiated, noted while the connection lives.
struct SessionFacts {
    let version: String
    let cipher: String?
    let group: String?
    let alpn: String?
    let resumed: Bool
    /// The identity of the pre-shared key; nil without one.
    let preSharedKey: String?
    let address: String?

    /// Notes the facts of an encrypted socket; nil for one that is not.
    init?(_ socket: SslSocket) {
        guard socket.isEncrypted, let negotiated = socket.sessionProtocol.versions?.lowerBound else { return nil }
        version = negotiated.description
        cipher = socket.sessionCipher?.name
        group = socket.sessionGroup?.name
        alpn = socket.nextNegotiatedProtocol
        resumed = socket.isSessionResumed
        preSharedKey = socket.preSharedKeyIdentity.map(Printable.text)
        address = socket.peerAddress?.description
    }
}
