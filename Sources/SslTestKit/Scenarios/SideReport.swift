public import SslBackend
internal import SslSockets
public import SslValues

/// What became of one end of a connection, in terms that mean the same on every backend and every transport.
public struct SideReport: Sendable {
    /// The handshake was completed at some time.
    public var isEstablished = false
    /// What ended the connection; nil when nothing did, or when it ended properly.
    public var error: SslSocketError?
    /// The problems found with the peer's certificate, accepted or not.
    public var problems: [TlsPathProblem] = []
    /// The alerts that left.
    public var alertsSent: [SslAlert] = []
    /// The alerts that came.
    public var alertsReceived: [SslAlert] = []
    /// What was negotiated.
    public var facts = TlsSessionFacts()
    /// The chain the peer showed, DER, leaf first.
    public var peerChain: [[UInt8]] = []
    /// How many session tickets a client got.
    public var ticketCount = 0

    /// Nothing happened.
    public init() {}

    /// What a pipe's end has recorded.
    public init(_ end: PipeEndpoint) {
        isEstablished = end.isEstablished
        error = end.error
        problems = end.connection.peerErrors.map { TlsPathProblem($0.code, depth: $0.depth) }
        alertsSent = end.alertsSent
        alertsReceived = end.alertsReceived
        facts = end.connection.facts
        peerChain = end.connection.peerCertificates.map(\.der)
        ticketCount = end.tickets.count
    }

    /// The report in one line: `ok`, or what ended the connection and with which alert.
    ///
    /// It holds no text of a library, so that it can be compared between backends.
    public var summary: String {
        guard let error else {
            guard isEstablished else { return "waiting" }
            return problems.isEmpty ? "ok" : "ok despite \(listOfProblems)"
        }
        var text = isEstablished ? "ok, then \(error.code.rawValue)" : error.code.rawValue
        if error.code == .peerVerificationFailed { text += " \(listOfProblems)" }
        for alert in alertsSent where alert.type != .closeNotify { text += ", sent \(alert.type)" }
        for alert in alertsReceived where alert.type != .closeNotify { text += ", got \(alert.type)" }
        return text
    }

    private var listOfProblems: String {
        "[" + problems.map { "\($0.code)@\($0.depth)" }.joined(separator: " ") + "]"
    }
}
