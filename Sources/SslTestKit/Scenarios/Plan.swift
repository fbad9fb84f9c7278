internal import SslBackend
internal import SslSockets
internal import SslValues

/// A conversation between a client and a server that differs from the plainest one in what is said here: the client trusts the
/// right root, connects to the right name, says something, has it echoed, and ends the connection properly.
package struct Plan: Sendable {
    /// What the server shows.
    var identity = TestCertificate.valid
    /// What the client shows; nil for nothing.
    var clientIdentity: TestCertificate?
    /// Who issued the certificates; nil for the first backend that can, for both ends alike.
    var issuer: String?
    /// The name the client connects to; nil for the one of the identity.
    var host: String?
    /// What the client says.
    var payload = Array("hello".utf8)
    /// How both ends decide.
    var clientPolicy = EndpointPolicy()
    var serverPolicy = EndpointPolicy()
    /// Chooses the server's configuration by the ClientHello; nil for no pause there, unless the policy has an answer.
    var choose: (@Sendable (SslConfiguration, SslClientHello) -> SslClientHelloChoice)?
    /// What goes wrong on the way.
    var faultsToServer = PipeFaults()
    var faultsToClient = PipeFaults()
    /// Changes the client's configuration.
    var client: @Sendable (inout SslConfiguration) throws(SslSocketError) -> Void = { _ throws(SslSocketError) in }
    /// Changes the server's configuration.
    var server: @Sendable (inout SslConfiguration) throws(SslSocketError) -> Void = { _ throws(SslSocketError) in }
    /// What else belongs to the outcome of each end when both succeeded.
    var facts: @Sendable (_ client: SideReport, _ server: SideReport) -> (client: String, server: String) = { _, _ in ("", "") }

    /// The plainest conversation.
    package init() {}

    /// What both ends of a cell are set up with.
    struct Setup: Sendable {
        var client: SslConfiguration
        var server: SslConfiguration
        var host: String
    }

    /// Puts the configurations of a cell together.
    func setup(_ cell: ScenarioCell) throws(SslSocketError) -> Setup {
        let certificates = try TestCertificates.shared(issuedBy: issuer)
        let identity = try certificates.identity(identity)
        var clientConfiguration = try identity.trustingConfiguration(backend: cell.client)
        var serverConfiguration = try identity.configuration(backend: cell.server)
        if let clientIdentity {
            let shown = try certificates.identity(clientIdentity)
            clientConfiguration.credentials = [try shown.credentials(backend: cell.client)]
            serverConfiguration.caCertificates = try shown.anchorCertificates(backend: cell.server)
            serverConfiguration.peerVerifyMode = .verifyPeer
        } else {
            serverConfiguration.peerVerifyMode = .verifyNone
        }
        clientConfiguration.protocol = SslProtocol(exactly: cell.version)
        serverConfiguration.protocol = SslProtocol(exactly: cell.version)
        try client(&clientConfiguration)
        try server(&serverConfiguration)
        return Setup(client: clientConfiguration, server: serverConfiguration, host: host ?? identity.host)
    }

    /// Runs it on a cell.
    func run(_ cell: ScenarioCell) async throws(SslSocketError) -> ScenarioOutcome {
        switch cell.transport {
        case .memory: try runInMemory(cell)
        case .blocking, .async: try await runOverSockets(cell)
        }
    }

    /// Connects the ends of a cell by memory.
    func pipe(_ cell: ScenarioCell) throws(StartFailure) -> MemoryPipe {
        let setup: Setup
        do throws(SslSocketError) { setup = try self.setup(cell) } catch { throw StartFailure(side: nil, error: error) }
        let clientEnd: PipeEndpoint
        let serverEnd: PipeEndpoint
        do throws(SslSocketError) {
            clientEnd = try PipeEndpoint(clientTo: setup.host, configuration: setup.client)
        } catch {
            throw StartFailure(side: .client, error: error)
        }
        do throws(SslSocketError) {
            serverEnd = try PipeEndpoint(server: setup.server, clientHello: clientHelloHook(setup.server))
        } catch {
            throw StartFailure(side: .server, error: error)
        }
        clientEnd.policy = clientPolicy
        let hook = serverEnd.policy.clientHello
        serverEnd.policy = serverPolicy
        serverEnd.policy.clientHello = hook
        let pipe = MemoryPipe(client: clientEnd, server: serverEnd)
        pipe.toServer.faults = faultsToServer
        pipe.toClient.faults = faultsToClient
        return pipe
    }

    /// What a server asks about a ClientHello.
    func clientHelloHook(_ configuration: SslConfiguration) -> (@Sendable (SslClientHello) -> SslClientHelloChoice)? {
        guard let choose else { return serverPolicy.clientHello }
        return { hello in choose(configuration, hello) }
    }

    private func runInMemory(_ cell: ScenarioCell) throws(SslSocketError) -> ScenarioOutcome {
        let pipe: MemoryPipe
        do throws(StartFailure) { pipe = try self.pipe(cell) } catch { return try error.outcome() }
        let isEchoed = pipe.converse(payload)
        return conclude(SideReport(pipe.client), SideReport(pipe.server), isEchoed: isEchoed)
    }

    /// Puts the outcome of both reports together.
    func conclude(_ client: SideReport, _ server: SideReport, isEchoed: Bool) -> ScenarioOutcome {
        var outcome = ScenarioOutcome(client: client.summary, server: server.summary)
        if client.error == nil, server.error == nil {
            if !isEchoed { outcome.client += ", nothing echoed" }
            let said = facts(client, server)
            if !said.client.isEmpty { outcome.client += " " + said.client }
            if !said.server.isEmpty { outcome.server += " " + said.server }
        }
        if let error = client.error { outcome.details.append("client: \(error)") }
        if let error = server.error { outcome.details.append("server: \(error)") }
        return outcome
    }
}

/// An end could not be made: what is wrong with its settings is said before anything is sent.
package struct StartFailure: Error {
    /// Which end; nil when the fault is the scenario's own.
    var side: SslRole?
    /// Why.
    var error: SslSocketError

    /// The outcome it means for a scenario.
    func outcome() throws(SslSocketError) -> ScenarioOutcome {
        guard let side else { throw error }
        let text = "cannot start: \(error.code.rawValue)"
        return ScenarioOutcome(
            client: side == .client ? text : "-", server: side == .server ? text : "-", details: ["\(error)"])
    }
}

extension Scenario {
    /// A scenario that is a plan.
    static func plan(
        _ id: String, _ title: String, group: ScenarioGroup, references: [String] = [], rows: [Int] = [],
        versions: [SslVersion] = [.tls1_2, .tls1_3], transports: [ScenarioTransport] = [.memory], sides: ScenarioSides = .both,
        features: [SslFeature] = [], expect: ScenarioExpectation, _ change: @Sendable (inout Plan) -> Void = { _ in }
    ) -> Scenario {
        var made = Plan()
        change(&made)
        let plan = made
        return Scenario(
            id: id, title: title, group: group, references: references, engineRows: rows, versions: versions,
            transports: transports, sides: sides, features: features, expectation: expect
        ) { cell throws(SslSocketError) in try await plan.run(cell) }
    }

    /// A scenario with a script of its own over the memory pipe of a plan.
    static func script(
        _ id: String, _ title: String, group: ScenarioGroup, references: [String] = [], rows: [Int] = [],
        versions: [SslVersion] = [.tls1_2, .tls1_3], sides: ScenarioSides = .both, features: [SslFeature] = [],
        expect: ScenarioExpectation, plan change: @Sendable (inout Plan) -> Void = { _ in },
        _ script: @escaping @Sendable (MemoryPipe) throws(SslSocketError) -> ScenarioOutcome
    ) -> Scenario {
        var made = Plan()
        change(&made)
        let plan = made
        return Scenario(
            id: id, title: title, group: group, references: references, engineRows: rows, versions: versions, sides: sides,
            features: features, expectation: expect
        ) { cell throws(SslSocketError) in
            let pipe: MemoryPipe
            do throws(StartFailure) { pipe = try plan.pipe(cell) } catch { return try error.outcome() }
            return try script(pipe)
        }
    }
}
