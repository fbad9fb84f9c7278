internal import SslSockets
internal import SslTestKit
internal import Testing

/// The harness notices what it is there to notice. It is fed outcomes that no backend made.
@Suite("The judgement of outcomes")
struct JudgementTests {
    private let cell = ScenarioCell(scenario: "forged", client: "gnutls", server: "openssl", version: .tls1_3)
    private let usual = ScenarioOutcome(client: "ok", server: "ok")
    private let other = ScenarioOutcome(client: "ok", server: "truncated")
    private let third = ScenarioOutcome(client: "notTls", server: "ok")

    private func judge(_ outcome: ScenarioOutcome, _ expectation: ScenarioExpectation, at version: Int = 5) -> CellVerdict {
        Comparison.judge(outcome, cell: cell, expectation: expectation, libraryVersions: ["gnutls": version, "openssl": 9])
    }

    private var pinned: ScenarioDifference {
        ScenarioDifference(
            client: "gnutls", versions: [.tls1_3], libraries: ["gnutls": 3...7], outcome: other,
            reason: "for the sake of this test only")
    }

    @Test("What is expected agrees")
    func agreement() {
        #expect(judge(usual, .ok) == .agrees)
    }

    @Test("A difference that nobody knows fails")
    func newDifference() {
        let verdict = judge(other, .ok)
        #expect(verdict == .newDifference(expected: usual))
        #expect(verdict.isFailure)
    }

    @Test("A known difference is explained, exactly as pinned")
    func explained() {
        let verdict = judge(other, .ok.except(pinned))
        #expect(verdict == .explained(pinned))
        #expect(!verdict.isFailure)
    }

    @Test("A known difference that vanished fails")
    func vanished() {
        let verdict = judge(usual, .ok.except(pinned))
        #expect(verdict == .vanished(pinned))
        #expect(verdict.isFailure)
    }

    @Test("A third outcome where a difference is known fails")
    func thirdOutcome() {
        #expect(judge(third, .ok.except(pinned)) == .newDifference(expected: other))
    }

    @Test("A difference applies to its library versions only")
    func libraryVersions() {
        #expect(judge(usual, .ok.except(pinned), at: 8) == .agrees)
        #expect(judge(other, .ok.except(pinned), at: 8) == .newDifference(expected: usual))
    }

    @Test("A difference applies to its backends and protocol versions only")
    func reach() {
        var elsewhere = pinned
        elsewhere.client = "openssl"
        #expect(judge(usual, .ok.except(elsewhere)) == .agrees)
        elsewhere = pinned
        elsewhere.server = "gnutls"
        #expect(judge(usual, .ok.except(elsewhere)) == .agrees)
        elsewhere = pinned
        elsewhere.versions = [.tls1_2]
        #expect(judge(usual, .ok.except(elsewhere)) == .agrees)
    }

    @Test("The outcome of a version counts before the common one")
    func versions() {
        let expectation = ScenarioExpectation.ok.with(.tls1_3, client: "ok", server: "truncated")
        #expect(judge(other, expectation) == .agrees)
        #expect(judge(usual, expectation) == .newDifference(expected: other))
    }

    @Test("Details are told and not compared")
    func details() {
        #expect(judge(ScenarioOutcome(client: "ok", server: "ok", details: ["so many octets"]), .ok) == .agrees)
    }

    @Test("A run of a forged scenario fails, and one that lacks a feature says so")
    func forged() async throws {
        let name = try #require(SslBackends.available.first)
        let cell = ScenarioCell(scenario: "forged", client: name, server: name, version: .tls1_3)
        let wrong = Scenario(id: "forged", title: "forged", group: .policy, expectation: .ok) { _ in
            ScenarioOutcome(client: "ok", server: "truncated")
        }
        #expect(await Comparison.run(cell, of: wrong).verdict.isFailure)
        let broken = Scenario(id: "forged", title: "forged", group: .policy, expectation: .ok) { _ throws(SslSocketError) in
            throw SslSocketError(.operation, "nothing works")
        }
        #expect(await Comparison.run(cell, of: broken).verdict.isFailure)
        let unknown = ScenarioCell(scenario: "no-such-scenario", client: name, server: name, version: .tls1_3)
        #expect(await Comparison.run(unknown).verdict.isFailure)
    }
}
