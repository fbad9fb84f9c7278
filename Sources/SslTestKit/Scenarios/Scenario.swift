public import SslValues

/// One thing that can happen on a TLS connection, and what it must come to on every pair of backends.
public struct Scenario: Sendable, Identifiable {
    /// Its name: lower case, words joined by hyphens.
    public let id: String
    /// What happens, in a sentence.
    public let title: String
    /// What it is about.
    public let group: ScenarioGroup
    /// The standards it rests on, for example `RFC 9525 section 6.3`.
    public let references: [String]
    /// The rows of the table of engine differences that it covers, printed as `E23`.
    public let engineRows: [Int]
    /// The protocol versions it runs on.
    public let versions: [SslVersion]
    /// The ways in which octets travel.
    public let transports: [ScenarioTransport]
    /// Which ends are backends under test.
    public let sides: ScenarioSides
    /// The features without which a backend cannot take part.
    public let features: [SslFeature]
    /// What it must come to.
    public let expectation: ScenarioExpectation
    /// Runs it. An error that is thrown means that the scenario could not be set up.
    let body: @Sendable (ScenarioCell) async throws(SslSocketError) -> ScenarioOutcome

    /// Puts a scenario together.
    ///
    /// - Parameter run: makes the connection of a cell and says what became of it.
    public init(
        id: String, title: String, group: ScenarioGroup, references: [String] = [], engineRows: [Int] = [],
        versions: [SslVersion] = [.tls1_2, .tls1_3], transports: [ScenarioTransport] = [.memory], sides: ScenarioSides = .both,
        features: [SslFeature] = [], expectation: ScenarioExpectation,
        run: @escaping @Sendable (ScenarioCell) async throws(SslSocketError) -> ScenarioOutcome
    ) {
        self.id = id
        self.title = title
        self.group = group
        self.references = references
        self.engineRows = engineRows
        self.versions = versions
        self.transports = transports
        self.sides = sides
        self.features = features
        self.expectation = expectation
        body = run
    }

    /// Runs it on one cell and says what happened, without judging it.
    ///
    /// A failure to set it up is an outcome too: `cannot start`, with the code of the error.
    public func run(_ cell: ScenarioCell) async -> ScenarioOutcome {
        do throws(SslSocketError) {
            return try await body(cell)
        } catch {
            let text = "cannot be set up: \(error.code.rawValue)"
            return ScenarioOutcome(client: text, server: text, details: ["\(error)"])
        }
    }

    /// Every cell of this scenario for these backends, in order.
    public func cells(backends: [String]) -> [ScenarioCell] {
        var cells: [ScenarioCell] = []
        for version in versions {
            for transport in transports {
                for client in backends {
                    for server in backends where sides == .both || client == server {
                        cells.append(
                            ScenarioCell(scenario: id, client: client, server: server, version: version, transport: transport))
                    }
                }
            }
        }
        return cells
    }
}

/// What scenarios are about.
public enum ScenarioGroup: String, Sendable, Hashable, CaseIterable {
    case chains, names, policy, handshake, clientCertificates, decisions, records, endings, alerts, sessions, preSharedKeys,
        stapling, datagrams
}

/// How octets travel between the ends of a scenario.
public enum ScenarioTransport: String, Sendable, Hashable, CaseIterable {
    /// In memory, in one thread.
    case memory
    /// Over TCP on this host, each end in a thread that blocks.
    case blocking
    /// Over TCP on this host, each end in a task.
    case async
}

/// Which ends of a scenario are backends under test.
public enum ScenarioSides: Sendable, Hashable {
    /// A client and a server: every pair of backends is run.
    case both
    /// One end only, the other is written by hand: every backend is run once.
    case one
}

/// One run of a scenario.
public struct ScenarioCell: Sendable, Hashable, CustomStringConvertible {
    /// The scenario's name.
    public var scenario: String
    /// The client's backend.
    public var client: String
    /// The server's backend.
    public var server: String
    /// The only version both ends allow.
    public var version: SslVersion
    /// How octets travel.
    public var transport: ScenarioTransport

    /// Makes a cell.
    public init(scenario: String, client: String, server: String, version: SslVersion, transport: ScenarioTransport = .memory) {
        self.scenario = scenario
        self.client = client
        self.server = server
        self.version = version
        self.transport = transport
    }

    /// For example `gnutls→openssl TLSv1.3 memory: valid-chain`.
    public var description: String { "\(client)→\(server) \(version) \(transport.rawValue): \(scenario)" }
}
