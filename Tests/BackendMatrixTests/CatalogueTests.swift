internal import SslSockets
internal import SslTestKit
internal import Testing

/// The list of scenarios is sound.
@Suite("The catalogue of scenarios")
struct CatalogueTests {
    @Test("Names are unique, and words joined by hyphens")
    func names() {
        let ids = ScenarioCatalogue.all.map(\.id)
        #expect(Set(ids).count == ids.count)
        for id in ids {
            #expect(id.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil, "\(id)")
        }
    }

    @Test("There are at least sixty scenarios, and every group has some")
    func breadth() {
        #expect(ScenarioCatalogue.all.count >= 60)
        for group in ScenarioGroup.allCases {
            #expect(ScenarioCatalogue.all.contains { $0.group == group }, "\(group)")
        }
    }

    @Test("At least a dozen run over sockets, blocking and async")
    func sockets() {
        for transport in [ScenarioTransport.blocking, .async] {
            #expect(ScenarioCatalogue.all.count { $0.transports.contains(transport) } >= 12)
        }
    }

    @Test(
        "Every row of engine differences that this version touches has a scenario or a reason",
        arguments: ScenarioCatalogue.rowsToCover)
    func rows(_ row: Int) {
        let isCovered = ScenarioCatalogue.all.contains { $0.engineRows.contains(row) }
        let reason = ScenarioCatalogue.rowsWithoutScenario[row]
        #expect(isCovered != (reason != nil), "row \(row) must have either a scenario or a reason")
        if let reason { #expect(reason.count > 20) }
    }

    @Test("Each scenario names a standard or a row", arguments: ScenarioCatalogue.all.map(\.id))
    func references(_ id: String) throws {
        let scenario = try #require(ScenarioCatalogue.scenario(id))
        #expect(!scenario.title.isEmpty && !scenario.versions.isEmpty && !scenario.transports.isEmpty)
        #expect(!scenario.references.isEmpty || !scenario.engineRows.isEmpty || scenario.group == .policy)
    }

    @Test("Each pinned difference gives a reason, and names only backends and versions that can occur")
    func pins() {
        for scenario in ScenarioCatalogue.all {
            for difference in scenario.expectation.differences {
                #expect(difference.reason.count > 20, "\(scenario.id)")
                #expect(difference.versions.map { $0.isSubset(of: scenario.versions) } ?? true, "\(scenario.id)")
                let reach = scenario.cells(backends: ["gnutls", "openssl"]).count {
                    difference.applies(to: $0, libraryVersions: [:])
                }
                #expect(reach > 0, "\(scenario.id) pins a difference that no cell can show")
            }
        }
    }

    @Test("The number of cells is the number that is run")
    func counts() async {
        let report = await Comparison.run(filter: "valid-chain")
        #expect(report.cellCount == Comparison.cellCount(filter: "valid-chain"))
        #expect(report.counts.total == report.cellCount)
        #expect(Comparison.cellCount(filter: "there is no such cell") == 0)
        #expect(Comparison.cellCount(backends: ["no-such-backend"]) == 0)
        let nobody = await Comparison.run(backends: ["no-such-backend"])
        #expect(nobody.cellCount == 0)
    }

    @Test("A report has the order of the catalogue")
    func order() async {
        let report = await Comparison.run(filter: "wildcard")
        let order = ScenarioCatalogue.all.map(\.id).filter { $0.contains("wildcard") }
        #expect(report.rows.map(\.id) == order)
        for row in report.rows {
            let cells = Comparison.cells(filter: "wildcard").filter { $0.scenario == row.id }
            #expect(row.cells.map(\.cell) == cells)
        }
    }
}
