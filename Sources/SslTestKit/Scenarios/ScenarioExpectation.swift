public import SslValues

/// A difference between backends that is known, explained and pinned: exactly this outcome, exactly there.
///
/// It fails when the outcome is another, and also when the difference vanishes, so that the list is never longer than the truth.
public struct ScenarioDifference: Sendable, Hashable {
    /// The client's backend it applies to; nil for any.
    public var client: String?
    /// The server's backend it applies to; nil for any.
    public var server: String?
    /// The protocol versions it applies to; nil for any.
    public var versions: Set<SslVersion>?
    /// The library versions it applies to, by backend; a backend that is not named may have any version.
    public var libraries: [String: ClosedRange<Int>]
    /// What happens there.
    public var outcome: ScenarioOutcome
    /// Why, and which document or measured fact says so.
    public var reason: String
    /// Where one end accepts what the others refuse: why that is no danger. nil when no end is more permissive.
    public var morePermissive: String?

    /// Makes a difference.
    public init(
        client: String? = nil, server: String? = nil, versions: Set<SslVersion>? = nil,
        libraries: [String: ClosedRange<Int>] = [:], outcome: ScenarioOutcome, reason: String, morePermissive: String? = nil
    ) {
        self.client = client
        self.server = server
        self.versions = versions
        self.libraries = libraries
        self.outcome = outcome
        self.reason = reason
        self.morePermissive = morePermissive
    }

    /// True when it is about this cell, with these library versions by backend.
    public func applies(to cell: ScenarioCell, libraryVersions: [String: Int]) -> Bool {
        if let client, client != cell.client { return false }
        if let server, server != cell.server { return false }
        if let versions, !versions.contains(cell.version) { return false }
        return libraries.allSatisfy { name, range in
            guard name == cell.client || name == cell.server, let version = libraryVersions[name] else { return true }
            return range.contains(version)
        }
    }
}

/// What a scenario must come to.
public struct ScenarioExpectation: Sendable, Hashable {
    /// The outcome on every pair of backends and every version without one of its own.
    public var common: ScenarioOutcome
    /// The outcome of versions where the protocol itself makes a difference.
    public var byVersion: [SslVersion: ScenarioOutcome]
    /// The known exceptions. The first that applies counts.
    public var differences: [ScenarioDifference]

    /// The same outcome everywhere.
    public static func equal(client: String = "-", server: String = "-") -> ScenarioExpectation {
        ScenarioExpectation(common: ScenarioOutcome(client: client, server: server), byVersion: [:], differences: [])
    }

    /// Both ends succeed.
    public static let ok = equal(client: "ok", server: "ok")

    /// The same outcome everywhere, but for this version.
    public func with(_ version: SslVersion, client: String = "-", server: String = "-") -> ScenarioExpectation {
        var changed = self
        changed.byVersion[version] = ScenarioOutcome(client: client, server: server)
        return changed
    }

    /// The same, but for these differences.
    public func except(_ differences: ScenarioDifference...) -> ScenarioExpectation {
        var changed = self
        changed.differences += differences
        return changed
    }

    /// The outcome for a version, differences aside.
    public func outcome(for version: SslVersion) -> ScenarioOutcome { byVersion[version] ?? common }
}
