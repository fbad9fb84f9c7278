internal import SslBackend
package import SslSockets
package import SslValues

/// One end of a ``DatagramPipe``: a DTLS session driven without a socket.
package final class DatagramEndpoint: DatagramOutbox {
    let session: any TlsDatagramSession
    private let role: SslRole
    private let store: any TlsTrustStore
    private let name: PeerName?
    private let verifies: Bool
    /// Plaintext, one element a datagram.
    package private(set) var received: [[UInt8]] = []
    /// What was found with the peer's certificates, and what ended the session.
    package private(set) var report = SideReport()
    /// The peer said close_notify.
    package private(set) var isClosedByPeer = false
    private var isDue = true

    /// Makes a client.
    package init(clientTo host: String, configuration: SslConfiguration) throws(SslSocketError) {
        let context = try configuration.context(role: .client, transport: .datagram)
        role = .client
        store = context.settings.trust
        let peer = try PeerName(host)
        name = peer
        verifies = true
        session = try context.makeDatagramSession(TlsSessionParameters(serverName: peer.serverName))
    }

    /// Makes a server.
    package init(server configuration: SslConfiguration) throws(SslSocketError) {
        let context = try configuration.context(role: .server, transport: .datagram)
        role = .server
        store = context.settings.trust
        name = nil
        verifies = configuration.peerVerifyMode.effective(for: .server) != .verifyNone
        session = try context.makeDatagramSession(TlsSessionParameters())
    }

    /// Works a datagram in; nil only goes on.
    package func work(_ datagram: [UInt8]?) {
        guard datagram != nil || isDue else { return }
        isDue = false
        var rest = datagram ?? []
        while report.error == nil, !isClosedByPeer {
            let step = call(rest)
            rest = []
            collect()
            switch step {
            case .progressed(let count):
                if !report.isEstablished, session.isEstablished {
                    report.isEstablished = true
                    report.facts = session.facts
                } else if count == 0 {
                    return
                }
            case .wantsInput: return
            case .needsDecision(.peerVerification): decide()
            case .needsDecision(.clientHello): session.answer(clientHello: .proceed(with: nil))
            case .closed: isClosedByPeer = true
            case .earlyData, .truncated:
                report.error = SslSocketError(.sslInternal, "A datagram session cannot come to this")
            case .failed(let error): report.error = error
            }
        }
        collect()
    }

    private func call(_ datagram: [UInt8]) -> TlsStep {
        unsafe datagram.withUnsafeBytes { bytes in
            let input = unsafe TlsInput(bytes)
            guard session.isEstablished else { return unsafe session.handshake(input, self) }
            var memory = [UInt8](repeating: 0, count: 65_536)
            let step = unsafe memory.withUnsafeMutableBytes { unsafe session.read(into: $0, input, self) }
            switch step {
            case .progressed(let count), .wantsInput(let count): if count > 0 { received.append(Array(memory.prefix(count))) }
            default: break
            }
            return step
        }
    }

    private func decide() {
        guard verifies else { return session.answer(peerVerification: .accept) }
        let purpose: SslPurpose = role == .client ? .serverAuthentication : .clientAuthentication
        let result = PeerVerification(purpose: purpose, name: name, time: TlsClock.now).judge(
            session.peerCertificates, store: store)
        report.problems = result.errors.map { TlsPathProblem($0.code, depth: $0.depth) }
        guard let first = result.errors.first else { return session.answer(peerVerification: .accept) }
        let alert: SslAlertType = first.code == .hostNameMismatch ? .badCertificate : .unknownCa
        session.answer(
            peerVerification: .refuse(alert, SslSocketError(.peerVerificationFailed, "Refused: \(first)", alert: alert)))
    }

    /// Sends one datagram of plaintext; the error when it cannot be.
    package func write(_ octets: [UInt8]) -> SslSocketError? {
        let step = unsafe octets.withUnsafeBytes { unsafe session.write($0, self) }
        collect()
        if case .failed(let error) = step { return error }
        return nil
    }

    /// Sends close_notify.
    package func close() {
        _ = session.close(self)
        collect()
    }

    private func collect() {
        guard session.hasEvents else { return }
        for event in session.takeEvents() {
            switch event {
            case .alertSent(let alert): report.alertsSent.append(alert)
            case .alertReceived(let alert): report.alertsReceived.append(alert)
            default: break
            }
        }
    }
}

/// Keeps each piece as the datagram it is.
package class DatagramOutbox: TlsSink {
    /// Datagrams to be carried to the peer.
    package var datagrams: [[UInt8]] = []

    /// Holds nothing.
    package init() {}

    /// Keeps a datagram.
    package func put(_ bytes: UnsafeRawBufferPointer) { datagrams.append(unsafe [UInt8](bytes)) }

    /// Gives the datagrams away.
    package func take() -> [[UInt8]] {
        defer { datagrams = [] }
        return datagrams
    }
}

/// A DTLS client and server in one thread, connected by memory.
package final class DatagramPipe {
    /// The end that begins.
    package let client: DatagramEndpoint
    /// The end that answers.
    package let server: DatagramEndpoint
    /// What becomes of each datagram: those that arrive in its place. By default itself, once.
    package var onTheWay: ([UInt8]) -> [[UInt8]] = { [$0] }
    /// Every datagram that was sent, before anything happened to it.
    package private(set) var log: [[UInt8]] = []

    /// Connects two ends.
    package init(client: DatagramEndpoint, server: DatagramEndpoint) {
        self.client = client
        self.server = server
    }

    /// Carries datagrams to and fro until none are on their way.
    package func run() {
        client.work(nil)
        server.work(nil)
        for _ in 0..<10_000 {
            let toServer = client.take()
            let toClient = server.take()
            if toServer.isEmpty && toClient.isEmpty { return }
            log += toServer + toClient
            for datagram in toServer.flatMap(onTheWay) { server.work(datagram) }
            for datagram in toClient.flatMap(onTheWay) { client.work(datagram) }
        }
    }
}
