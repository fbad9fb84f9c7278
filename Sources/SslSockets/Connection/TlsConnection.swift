internal import Glibc
package import SslBackend
package import SslValues

/// A session and the policy above it, without I/O. Every driver (blocking wait, reactor, test pipe) goes through here, and nobody
/// else touches a session, so that no driver can pass the policy by.
///
/// It belongs to one thread at a time, like the session. It never emits a signal itself: decisions and events are handed to the driver, after the
/// engine has returned.
package final class TlsConnection {
    /// Where the connection stands.
    package enum Phase {
        /// The handshake is running.
        case handshaking
        /// The ClientHello is there and the driver must ``answer(clientHello:)``.
        case awaitingClientHello
        /// The peer's certificates have these problems and the driver must ``answerVerification(accept:)``.
        case awaitingVerdict([SslError])
        /// Application data flows.
        case established
        /// The peer said close_notify; this end may still write.
        case halfClosed
        /// The end.
        case ended(SslSocketError)
    }

    /// What a turn came to.
    package enum Turn {
        /// More ciphertext is needed.
        case wantsInput
        /// The destination is full, or the handshake has just been completed: call again.
        case progressed
        /// The phase has changed to one where the driver has to decide, or to an end.
        case phaseChanged
    }

    let session: any TlsSession
    let context: any TlsContext
    /// Answers questions for pre-shared keys; nil where none can be used.
    private let preSharedKeys: PreSharedKeyDesk?
    /// Answers questions for what to staple; nil on a client.
    private var statusDesk: CertificateStatusDesk?
    /// What the server stapled, judged.
    package private(set) var ocspResponses: [OcspResponse] = []
    /// Chooses what a client shows; nil for the configuration's credentials.
    private var credentialsDesk: CredentialsDesk?
    private let asksForPreSharedKeys: Bool
    /// The driver is shown the ClientHello.
    private let asksAboutClientHello: Bool
    /// How the certificate that was asked for after the handshake is judged.
    private var lateVerifyMode: SslPeerVerifyMode?
    /// A client has been asked for its certificate after the handshake and has not answered yet.
    private var awaitsCertificate = false
    private let configuration: SslConfiguration
    /// Which end this is.
    package let role: SslRole
    /// Where the connection stands.
    package private(set) var phase: Phase {
        get { currentPhase }
        set { currentPhase = newValue }
    }
    /// Not visible outside the module, so that the compiler proves its accesses exclusive instead of checking each.
    private var currentPhase = Phase.handshaking
    /// The name the peer has to prove; nil on a server.
    package let peerName: PeerName?
    /// The problems found with the peer's certificates, accepted or not.
    package private(set) var peerErrors: [SslError] = []
    private var verifiedValidity: ClosedRange<SslInstant>?
    /// What a client offers and keeps; nil where sessions are not resumed.
    private var resumption: ClientResumption?
    private var offeredTicket: SslSessionTicket? { resumption?.offered }
    private var serverConfiguration: SslConfiguration?
    /// Whether the client of a resumed session had to be asked about, after the engine had finished.
    private enum LateQuestion { case notAsked, asked, judged }
    private var lateQuestion = LateQuestion.notAsked
    /// The refusal to be carried out by the next call.
    private var refusal: (SslAlertType, SslSocketError)?
    /// The peer's certificates have been judged, or need not be.
    private var hasJudged = false

    /// Plaintext not encrypted yet.
    private var outgoing = ByteQueue()
    /// How many octets it holds, at hand without an access to the queue, which is checked at run time.
    private var queued = 0
    /// Fewer octets than this can be queued without looking at anything else: the gathered record does not become full by them.
    private var slack = 0
    /// How many more records may be encrypted before new keys are due.
    package var recordsLeft = TlsConnection.recordsPerKey
    /// Where secrets are written, until the handshake is over.
    private var keyLog: KeyLogFile?
    /// close_notify has been sent.
    package var isClosed: Bool { hasClosed }
    private var hasClosed = false

    /// A record holds at most 16 KiB of plaintext; full ones cost the least per octet.
    static let recordSize = 16_384
    /// The longest record there may be on the wire, its header included (RFC 5246 section 6.2.3; RFC 8446 section 5.2 allows less).
    static let longestRecord = 5 + 16_384 + 2048

    // MARK: Making one

    /// Starts a client.
    ///
    /// - Parameter host: the name the peer must prove and, unless it is an address, the server name to send. An empty name
    ///   proves nothing, so that verification fails.
    /// - Parameter port: the server's, which tells its sessions from those of others of its name.
    /// - Parameter hooks: what answers questions for pre-shared keys besides the configuration.
    package init(
        clientTo host: String, port: UInt16 = 0, configuration: SslConfiguration, preSharedKeys hooks: PreSharedKeyHooks? = nil,
        credentials choose: SslCredentialsChoice? = nil
    ) throws(SslSocketError) {
        self.configuration = configuration
        role = .client
        asksAboutClientHello = false
        asksForPreSharedKeys = hooks != nil
        context = try configuration.context(role: .client, asksForPreSharedKeys: hooks != nil)
        preSharedKeys =
            context.settings.preSharedKey == nil ? nil : PreSharedKeyDesk(configuration, hooks, context: context)
        let mode = configuration.peerVerifyMode.effective(for: .client)
        var name: PeerName?
        do throws(SslSocketError) {
            name = host.isEmpty ? nil : try PeerName(host)
        } catch {
            // A name that no certificate can prove matters only to those who ask for proof.
            if mode != .verifyNone { throw error }
        }
        peerName = name
        var parameters = TlsSessionParameters()
        if !configuration.options.contains(.disableServerNameIndication) { parameters.serverName = name?.serverName }
        var resumption: ClientResumption?
        // A session stands for the certificate it was made with, and nobody knows which it would be now.
        if preSharedKeys == nil, !configuration.ocspStaplingEnabled, configuration.options.allowsResumption, choose == nil {
            resumption = ClientResumption(configuration, name, port: port, context)
        }
        keyLog = try KeyLogFile(configuration.keyLogPath)
        parameters.resumption = resumption?.offered?.secret.copy
        defer { parameters.resumption?.wipe() }
        do throws(SslSocketError) {
            session = try context.makeSession(parameters)
        } catch {
            guard resumption?.givesUpSession() == true else { throw error }
            parameters.resumption = nil
            session = try context.makeSession(parameters)
        }
        self.resumption = resumption
        session.preSharedKeySource = preSharedKeys
        if let choose {
            credentialsDesk = CredentialsDesk(choose, backend: context.backend)
            session.credentialsSource = credentialsDesk
        }
    }

    /// Starts a server.
    ///
    /// - Parameter asks: hands out the ClientHello before it is answered, as ``Phase/awaitingClientHello``.
    /// - Parameter hooks: what answers questions for pre-shared keys besides the configuration.
    package init(
        server configuration: SslConfiguration, asksAboutClientHello asks: Bool = false,
        preSharedKeys hooks: PreSharedKeyHooks? = nil
    ) throws(SslSocketError) {
        self.configuration = configuration
        role = .server
        peerName = nil
        asksForPreSharedKeys = hooks != nil
        asksAboutClientHello = asks
        context = try configuration.context(
            role: .server, pausesAtClientHello: asks || configuration.nextProtocolPolicy == .required,
            asksForPreSharedKeys: hooks != nil)
        // The ClientHello may bring a configuration with keys.
        preSharedKeys =
            context.settings.preSharedKey == nil && !asks ? nil : PreSharedKeyDesk(configuration, hooks, context: context)
        keyLog = try KeyLogFile(configuration.keyLogPath)
        session = try context.makeSession(TlsSessionParameters())
        session.preSharedKeySource = preSharedKeys
        statusDesk = CertificateStatusDesk(configuration.credentials)
        session.statusSource = statusDesk
    }

    // MARK: Receiving

    /// Goes on with the handshake.
    package func handshake(_ input: TlsInput, _ output: any TlsSink) -> Turn {
        guard case .handshaking = phase else { return .phaseChanged }
        if let (alert, error) = refusal {
            if case .failed(let kept) = session.abort(alert, reason: error, output) { return end(kept) }
            return end(error)
        }
        if let problem = preSharedKeys?.prepare() { return end(problem) }
        let output = preSharedKeys?.guarding(output) ?? output
        var input = unsafe input
        while true {
            switch unsafe session.handshake(input, output) {
            case .progressed:
                unsafe input = unsafe .empty
                if let problem = missingProof() { return end(problem) }
                if role == .client, let problem = missingNextProtocol(facts.applicationProtocol) {
                    // A session without certificates was not asked about.
                    if case .failed(let kept) = session.abort(.noApplicationProtocol, reason: problem, output) {
                        return end(kept)
                    }
                    return end(problem)
                }
                let problems = problemsOfResumedPeer()
                if !problems.isEmpty { return asksAboutResumedPeer(problems) }
                resumption?.settled(on: session)
                phase = .established
                return .progressed
            case .earlyData:
                return end(
                    SslSocketError(
                        .unsupportedFeature, "Early data arrived although none was allowed", backend: context.backend.name))
            case .wantsInput: return .wantsInput
            case .needsDecision(.clientHello):
                unsafe input = unsafe .empty
                guard asksAboutClientHello else {
                    settleClientHello(nil)
                    continue
                }
                phase = .awaitingClientHello
                return .phaseChanged
            case .needsDecision(.peerVerification):
                if judgePeer() { return .phaseChanged }
                unsafe input = unsafe .empty
            case .closed:
                return end(SslSocketError(.remoteHostClosed, "The peer closed the connection during the handshake"))
            case .truncated:
                return end(SslSocketError(.truncated, "The connection was closed during the handshake"))
            case .failed(let error):
                guard var reason = preSharedKeys?.failure else { return end(error) }
                reason.alert = error.alert
                return end(reason)
            }
        }
    }

    /// Decrypts into `buffer`, at most `limit` octets. Ends with `.wantsInput` when all ciphertext is used up.
    ///
    /// - Returns: how many octets came, and what the turn came to.
    package func receive(
        _ input: TlsInput, into buffer: inout ByteQueue, limit: Int, _ output: any TlsSink
    ) -> (count: Int, turn: Turn) {
        var input = unsafe input
        var left = limit
        while left > 0 {
            let room = unsafe buffer.writable(minimum: buffer.capacity < Self.recordSize ? 1024 : Self.recordSize)
            let (count, turn) = unsafe receive(input, into: UnsafeMutableRawBufferPointer(rebasing: room.prefix(left)), output)
            buffer.commit(count)
            left -= count
            unsafe input = unsafe .empty
            if case .progressed = turn { continue }
            return (limit - left, turn)
        }
        // Nothing can be taken now: the session keeps the ciphertext.
        if unsafe !input.bytes.isEmpty || input.isEndOfStream {
            let (_, turn) = unsafe receive(input, into: UnsafeMutableRawBufferPointer(start: nil, count: 0), output)
            return (limit - left, turn)
        }
        return (limit - left, .progressed)
    }

    /// Decrypts straight into `destination`.
    package func receive(
        _ input: TlsInput, into destination: UnsafeMutableRawBufferPointer, _ output: any TlsSink
    ) -> (count: Int, turn: Turn) {
        switch phase {
        case .established: break
        case .halfClosed, .ended, .awaitingVerdict, .awaitingClientHello, .handshaking: return (0, .phaseChanged)
        }
        switch unsafe session.read(into: destination, input, output) {
        case .progressed(let count): return (count, .progressed)
        case .wantsInput(let count): return (count, .wantsInput)
        case .needsDecision(.peerVerification):
            if judgePeer() { return (0, .phaseChanged) }
            return (0, .progressed)
        case .needsDecision(.clientHello), .earlyData:
            return (
                0, end(SslSocketError(.sslInternal, "The engine asked for a decision out of turn", backend: context.backend.name))
            )
        case .closed:
            phase = .halfClosed
            return (0, .phaseChanged)
        case .truncated:
            return (
                0,
                end(
                    SslSocketError(
                        .truncated, "The peer ended the connection without close_notify: what was received may be incomplete"))
            )
        case .failed(let error): return (0, end(error))
        }
    }

    /// Ciphertext kept because it could not be used yet.
    package var pendingInput: Int { session.pendingInput }

    // MARK: Sending

    /// Plaintext not encrypted yet.
    package var bytesToEncrypt: Int { queued }

    /// Queues plaintext; encrypts full records at once while `output` has room. Returns how many octets were encrypted.
    package func write(_ bytes: UnsafeRawBufferPointer, _ output: SocketOutput) -> Int {
        // Most writes are small and only top the gathered record up. They cost more in checks than in copying.
        if bytes.count < slack {
            slack -= bytes.count
            unsafe queue(bytes)
            return 0
        }
        defer { slack = Self.recordSize - queued }
        switch phase {
        case .established, .halfClosed: break
        default:
            unsafe queue(bytes)
            return 0
        }
        var rest = unsafe bytes
        var encrypted = 0
        while rest.count > 0 {
            if queued == 0, rest.count >= Self.recordSize, output.hasRoom {
                let whole = min(rest.count - rest.count % Self.recordSize, output.room(for: Self.recordSize))
                encrypted += unsafe encrypt(UnsafeRawBufferPointer(rebasing: rest.prefix(whole)), output)
                unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest.dropFirst(whole))
                continue
            }
            // Top the gathered record up; what is beyond a record waits for room.
            let share = output.hasRoom ? min(rest.count, max(Self.recordSize - queued, 1)) : rest.count
            unsafe queue(UnsafeRawBufferPointer(rebasing: rest.prefix(share)))
            unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest.dropFirst(share))
            while queued >= Self.recordSize, output.hasRoom { encrypted += encryptGathered(output) }
        }
        return encrypted
    }

    /// Encrypts what is queued while `output` has room. Returns how many octets were encrypted.
    package func flush(_ output: SocketOutput) -> Int {
        guard !isClosed else { return 0 }
        switch phase {
        case .established, .halfClosed: break
        default: return 0
        }
        var encrypted = 0
        while queued > 0, output.hasRoom {
            // The last record leaves straight from the engine's memory: nothing will follow it.
            output.sendsAtOnce = queued <= Self.recordSize
            let count = encryptGathered(output)
            output.sendsAtOnce = false
            if count == 0 { break }
            encrypted += count
        }
        return encrypted
    }

    private func encryptGathered(_ output: SocketOutput) -> Int {
        let count = unsafe encrypt(UnsafeRawBufferPointer(rebasing: outgoing.readable.prefix(Self.recordSize)), output)
        outgoing.consume(count)
        queued -= count
        slack = 0
        return count
    }

    private func queue(_ bytes: UnsafeRawBufferPointer) {
        queued += bytes.count
        unsafe outgoing.append(bytes)
    }

    private func encrypt(_ bytes: UnsafeRawBufferPointer, _ output: any TlsSink) -> Int {
        recordsLeft &-= (bytes.count &+ (Self.recordSize - 1)) &>> 14
        if recordsLeft < 0 { replaceWornKeys(output) }
        switch unsafe session.write(bytes, output) {
        case .progressed(let count): return count
        case .failed(let error): _ = end(error)
        default: break
        }
        return 0
    }

    /// Sends close_notify once; queued plaintext must have been flushed.
    package func close(_ output: any TlsSink) {
        guard !isClosed else { return }
        switch phase {
        case .established, .halfClosed:
            hasClosed = true
            if case .failed(let error) = session.close(output) { _ = end(error) }
        default: break
        }
    }

    /// Forgets plaintext that will never be sent.
    package func discardOutgoing() {
        outgoing.removeAll()
        outgoing.releaseStorage()
        queued = 0
        slack = 0
    }

    /// Gives memory back while nothing flows.
    package func releaseBuffers() {
        outgoing.releaseStorage()
        session.releaseBuffers()
    }

    // MARK: Decisions

    /// Judges the peer. True when the driver has to decide; false when the verdict was given.
    private func judgePeer() -> Bool {
        hasJudged = true
        if role == .client, let problem = missingNextProtocol(facts.applicationProtocol) {
            session.answer(peerVerification: .refuse(.noApplicationProtocol, problem))
            return false
        }
        let chain = session.peerCertificates
        if verifyMode == .verifyNone {
            if role == .client { peerErrors = PeerVerification.fraud(in: chain, backend: context.backend) }
        } else {
            judge(chain)
        }
        guard peerErrors.isEmpty else {
            phase = .awaitingVerdict(peerErrors)
            return true
        }
        session.answer(peerVerification: .accept)
        return false
    }

    private func judge(_ chain: [[UInt8]]) {
        var verification = PeerVerification(
            purpose: role == .client ? .serverAuthentication : .clientAuthentication, name: peerName, time: TlsClock.now,
            depth: configurationInForce.peerVerifyDepth)
        verification.settings = configurationInForce.values.verification
        if contextInForce.settings.staplesStatus, role == .client { verification.staple = .asked(session.certificateStatus) }
        let result = verification.judge(chain, store: contextInForce.settings.trust)
        peerErrors = result.errors
        ocspResponses = result.ocspResponses
        verifiedValidity = result.validity
    }

    /// Whatever an engine does, an end that wants proof goes on only with a verdict on certificates, the verdict of the session it resumed, or a
    /// pre-shared key that was really used.
    private func missingProof() -> SslSocketError? {
        guard !hasJudged else { return nil }
        let facts = session.facts
        if role == .server {
            guard configurationInForce.peerVerifyMode.effective(for: .server) == .verifyPeer, !facts.isResumed,
                !facts.usedPreSharedKey
            else { return nil }
            return SslSocketError(
                .peerVerificationFailed, "The client proved neither by a certificate nor by a pre-shared key who it is",
                backend: context.backend.name)
        }
        guard configuration.peerVerifyMode.effective(for: .client) != .verifyNone else { return nil }
        guard !facts.usedPreSharedKey, !(facts.isResumed && offeredTicket != nil) else { return nil }
        return SslSocketError(
            .peerVerificationFailed, "The server proved neither by a certificate nor by a pre-shared key who it is",
            backend: context.backend.name)
    }

    /// The identity of the pre-shared key that was given to the engine.
    package var preSharedKeyIdentity: [UInt8]? { preSharedKeys?.identity }

    /// Accepts the peer in spite of its errors, or refuses it with the alert of `error`, the first when left out.
    package func answerVerification(accept: Bool, because error: SslError? = nil) {
        guard case .awaitingVerdict(let errors) = phase else { return }
        let isLate = lateQuestion == .asked
        if isLate { lateQuestion = .judged }
        phase = session.isEstablished && !isLate ? .established : .handshaking
        if accept {
            session.answer(peerVerification: .accept)
            return
        }
        let first = error ?? errors.first ?? SslError(.unspecifiedError)
        let alert = first.code.alert(in: facts.version)
        let reason = SslSocketError(
            .peerVerificationFailed, "The peer's certificate was refused: \(first)", backend: context.backend.name, alert: alert)
        if isLate { refusal = (alert, reason) }
        session.answer(peerVerification: .refuse(alert, reason))
    }

    /// What is wrong with the client of a resumed session, whom the engine asks nobody about: a ticket says that somebody accepted that client once,
    /// perhaps in spite of errors, and its certificate may have expired or been revoked since.
    private func problemsOfResumedPeer() -> [SslError] {
        guard role == .server, lateQuestion == .notAsked else { return [] }
        let mode = configurationInForce.peerVerifyMode.effective(for: .server)
        guard mode != .verifyNone else { return [] }
        let facts = session.facts
        guard facts.isResumed, !facts.usedPreSharedKey else { return [] }
        let chain = session.peerCertificates
        if chain.isEmpty {
            peerErrors = mode == .verifyPeer ? [SslError(.noPeerCertificate)] : []
        } else {
            judge(chain)
        }
        return peerErrors
    }

    private func asksAboutResumedPeer(_ problems: [SslError]) -> Turn {
        lateQuestion = .asked
        phase = .awaitingVerdict(problems)
        return .phaseChanged
    }

    /// Goes on from the ClientHello with another configuration, or with the present one for nil.
    package func answerClientHello(_ chosen: SslConfiguration?) {
        guard case .awaitingClientHello = phase else { return }
        phase = .handshaking
        settleClientHello(chosen)
    }

    private func settleClientHello(_ chosen: SslConfiguration?) {
        do throws(SslSocketError) {
            // The configuration may name another backend by mistake; the session cannot change engines.
            let chosenContext = try chosen?.context(role: .server, asksForPreSharedKeys: asksForPreSharedKeys)
            if let chosenContext, chosenContext.backend !== context.backend {
                throw SslSocketError(
                    .invalidUserData,
                    "The configuration chosen for a server name uses the backend \(chosenContext.backend.name), the server "
                        + "\(context.backend.name)")
            }
            serverConfiguration = chosen
            if let chosen {
                preSharedKeys?.keys = chosen.preSharedKeys
                statusDesk?.credentials = chosen.credentials
            }
            let common = clientHello?.applicationProtocols.first { name in
                configurationInForce.allowedNextProtocols.contains { $0.utf8.elementsEqual(name) }
            }
            if let problem = missingNextProtocol(common) {
                session.answer(clientHello: .refuse(.noApplicationProtocol, problem))
            } else {
                session.answer(clientHello: .proceed(with: chosenContext))
            }
        } catch {
            session.answer(clientHello: .refuse(.internalError, error))
        }
    }

    /// Refuses the client before anything was answered.
    package func refuseClientHello(_ alert: SslAlertType, _ error: SslSocketError) {
        guard case .awaitingClientHello = phase else { return }
        phase = .handshaking
        session.answer(clientHello: .refuse(alert, error))
    }

    /// Why there must be an ALPN protocol and is none; nil when all is well.
    private func missingNextProtocol(_ common: [UInt8]?) -> SslSocketError? {
        let wanted = configurationInForce.allowedNextProtocols
        guard configurationInForce.nextProtocolPolicy == .required, common == nil else { return nil }
        return SslSocketError(
            .noApplicationProtocol, "The peer speaks none of the application protocols \(wanted) that this end insists on",
            backend: context.backend.name)
    }

    /// How the peer is judged now.
    package var verifyMode: SslPeerVerifyMode { lateVerifyMode ?? configurationInForce.peerVerifyMode.effective(for: role) }

    /// Asks a client for its certificate after the handshake.
    package func requestClientCertificate(_ mode: SslPeerVerifyMode, _ output: any TlsSink) throws(SslSocketError) {
        let mode = mode.effective(for: .server)
        guard configurationInForce.allowsPostHandshakeAuthentication, mode != .verifyNone else {
            throw SslSocketError(
                .operation,
                "The configuration does not allow post-handshake authentication, or the certificate would not be judged")
        }
        guard !awaitsCertificate, case .established = phase else {
            throw SslSocketError(.operation, "The client has not answered the last request for its certificate yet")
        }
        switch session.requestClientCertificate(demands: mode == .verifyPeer, output) {
        case .progressed, .wantsInput: break
        case .failed(let error): throw error
        case .needsDecision, .earlyData, .closed, .truncated:
            throw SslSocketError(.operation, "A certificate cannot be asked for now", backend: context.backend.name)
        }
        awaitsCertificate = true
        lateVerifyMode = mode
    }

    /// The settings of this connection: a server's may have been chosen by the ClientHello.
    package var configurationInForce: SslConfiguration { serverConfiguration ?? configuration }
    private var contextInForce: any TlsContext {
        guard let serverConfiguration,
            let chosen = try? serverConfiguration.context(role: .server, asksForPreSharedKeys: asksForPreSharedKeys)
        else { return context }
        return chosen
    }

    private func end(_ error: SslSocketError) -> Turn {
        switch phase {
        case .established, .halfClosed: if error.code == .alertReceived { resumption?.failed() }
        default: resumption?.failed()
        }
        phase = .ended(error)
        return .phaseChanged
    }

    // MARK: Facts

    /// What was negotiated.
    package var facts: TlsSessionFacts { session.facts }
    /// The backend's name.
    package var backendName: String { context.backend.name }
    /// The ClientHello, on a server.
    package var clientHello: TlsClientHello? { session.clientHello }

    /// The chain the peer showed, leaf first; on a resumed connection the one of the ticket.
    package var peerCertificates: [SslCertificate] {
        var chain = session.peerCertificates
        if chain.count <= 1, let offeredTicket, facts.isResumed { chain = offeredTicket.peerChain }
        return chain.compactMap { try? SslCertificate(context.backend.makeCertificate(der: $0)) }
    }

    /// True when ``takeEvents()`` has something.
    package var hasEvents: Bool { session.hasEvents }
    /// What happened since the last call.
    package func takeEvents() -> [TlsEvent] {
        let events = session.takeEvents()
        if awaitsCertificate {
            for case .clientAuthenticated in events { awaitsCertificate = false }
        }
        guard let keyLog else { return events }
        keyLog.append(events)
        // No secret comes later: those of new keys follow from the ones before.
        if session.isEstablished { self.keyLog = nil }
        return events
    }

    /// Tickets may be handed to the application. Those of a client that has chosen whom to be would make whoever resumes them the same.
    package var keepsSessions: Bool { configuration.options.allowsResumption && credentialsDesk == nil }

    /// The ticket of an event, with the verdict of this connection. It goes into the cache of the configuration.
    ///
    /// - Returns: nil when nothing can be said of the terms it can be used under.
    package func ticket(_ secret: [UInt8], lifetime: Int) -> SslSessionTicket? {
        guard let terms = configuration.sessionTerms(peerName, context) else { return nil }
        let facts = session.facts
        let resumed = facts.isResumed ? offeredTicket : nil
        let now = TlsClock.now
        let ticket = SslSessionTicket(
            terms: terms, secret: SecretBytes(secret), peerChain: resumed?.peerChain ?? session.peerCertificates,
            validity: resumed?.validity ?? verifiedValidity, received: now, judged: resumed?.judged ?? now,
            isForOneUse: facts.version == .tls1_3, lifetimeHint: lifetime)
        resumption?.received(ticket)
        return ticket
    }

    /// Keying material for the application (RFC 5705).
    package func exportKeyingMaterial(label: String, context: [UInt8]?, length: Int) throws(SslSocketError) -> SecretBytes {
        try session.exportKeyingMaterial(label: label, context: context, length: length)
    }
}
