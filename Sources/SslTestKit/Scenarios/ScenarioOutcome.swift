/// What a scenario came to at both ends, in words that mean the same on every backend.
public struct ScenarioOutcome: Sendable, CustomStringConvertible {
    /// What became of the client; `-` when the scenario has none.
    public var client: String
    /// What became of the server; `-` when the scenario has none.
    public var server: String
    /// What else there is to know, for people: texts of errors, sizes of flights. It is not compared.
    public var details: [String]

    /// Makes an outcome.
    public init(client: String = "-", server: String = "-", details: [String] = []) {
        self.client = client
        self.server = server
        self.details = details
    }

    /// Both ends succeeded.
    public static let ok = ScenarioOutcome(client: "ok", server: "ok")

    /// For example `client: ok; server: ok`.
    public var description: String { "client: \(client); server: \(server)" }
}

extension ScenarioOutcome: Hashable {
    /// Compares what became of the ends, and not the details.
    public static func == (a: ScenarioOutcome, b: ScenarioOutcome) -> Bool { a.client == b.client && a.server == b.server }
    /// Hashes what became of the ends.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(client)
        hasher.combine(server)
    }
}
