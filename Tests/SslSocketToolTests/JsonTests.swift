internal import SslSockets
internal import TestProcesses
internal import Testing

@testable internal import SslTestKit
@testable internal import sslsocket

/// With --json, standard output is one document that its schema describes, and nothing else.
@Suite struct JsonTests {
    @Test(arguments: Tool.pairs) func theReportOfAConnection(_ pair: Pair) async throws {
        let server = try await ToolServer(["--alpn", "h2,http/1.1"], backend: pair.server)
        let file = server.folder.file("report.json")
        let client = try await Tool.run(
            ["connect", server.endpoint, "--backend", pair.client, "--json", "--verbose", "--alpn", "http/1.1", "--report", file]
                + server.trust)
        #expect(client.status == 0, "\(client)")
        #expect(try JsonSchema(named: "report").problems(with: client.output) == [])
        #expect(server.folder.read("report.json") == client.output)
        let report = try JsonValue(client.output)
        #expect(report["outcome"]?.text == "connected")
        #expect(report["version"]?.text == "TLSv1.3")
        #expect(report["cipher"]?.text?.hasPrefix("TLS_") == true)
        #expect(report["group"]?.text == "x25519")
        #expect(report["alpn"]?.text == "http/1.1")
        #expect(report["verified"] == .boolean(true))
        #expect(report["resumed"] == .boolean(false))
        #expect(report["errors"] == .array([]))
        #expect(report["backend"]?["name"]?.text == pair.client)
        let chain = report["chain"]?.elements ?? []
        #expect(chain.first?["subject"]?.text == "CN=localhost")
        #expect(chain.first?["names"]?.elements.compactMap(\.text) == ["DNS:localhost", "IP:127.0.0.1", "IP:::1"])
        let pin = try #require(chain.first?["pin"]?.text)
        #expect(server.greeting.contains("pin sha256//\(pin)"))
    }

    @Test(arguments: Tool.backends) func theReportOfARefusalNamesEveryError(_ backend: String) async throws {
        let files = try CertificateFiles(.expiredWrongNameUntrusted)
        let server = try await ToolServer(["--cert", files.chain, "--key", files.key], backend: backend, ownCertificate: false)
        let client = try await Tool.run(
            ["connect", server.endpoint, "--backend", backend, "--json", "--no-system-ca", "--ca", files.anchors])
        #expect(client.status == 2, "\(client)")
        #expect(try JsonSchema(named: "report").problems(with: client.output) == [])
        let report = try JsonValue(client.output)
        #expect(report["outcome"]?.text == "refused")
        #expect(report["verified"] == .boolean(false))
        let names = Set((report["errors"]?.elements ?? []).compactMap { $0["name"]?.text })
        #expect(names.isSuperset(of: ["certificateExpired", "hostNameMismatch"]), "\(names)")
        #expect(names.count == 3)
        #expect(report["failure"]?["code"]?.text == "peerVerificationFailed")
    }

    @Test func theReportOfNoConnection() async throws {
        let client = try await Tool.run(["connect", "127.0.0.1:\(LocalPort.free())", "--json"])
        #expect(client.status == 5)
        #expect(try JsonSchema(named: "report").problems(with: client.output) == [])
        #expect(try JsonValue(client.output)["outcome"]?.text == "networkFailed")
    }

    @Test(arguments: Tool.backends) func theAnswerIsPartOfTheReport(_ backend: String) async throws {
        let server = try await ToolServer(["--reply", "good day"], backend: backend)
        let client = try await Tool.run(
            ["connect", server.endpoint, "--backend", backend, "--json", "--send", "hello"] + server.trust)
        #expect(client.status == 0, "\(client)")
        #expect(try JsonSchema(named: "report").problems(with: client.output) == [])
        #expect(try JsonValue(client.output)["answer"]?.text == "good day")
    }

    @Test func theBackends() async throws {
        let result = try await Tool.run(["backends", "--json"])
        #expect(result.status == 0)
        #expect(try JsonSchema(named: "backends").problems(with: result.output) == [])
        let list = try JsonValue(result.output)["backends"]?.elements ?? []
        #expect(list.compactMap { $0["name"]?.text } == Tool.backends)
        for backend in list {
            let features = backend["features"]?.elements.compactMap(\.text) ?? []
            let lacks = backend["lacks"]?.members.keys.map { $0 } ?? []
            #expect(Set(features + lacks) == Set(SslFeature.allCases.map(\.rawValue)))
        }
    }

    @Test func theCiphers() async throws {
        let result = try await Tool.run(["ciphers", "--json"])
        #expect(result.status == 0)
        #expect(try JsonSchema(named: "ciphers").problems(with: result.output) == [])
        let suites = try JsonValue(result.output)["suites"]?.elements ?? []
        #expect(suites.compactMap { $0["name"]?.text } == SslCipher.all.map(\.name))
        let first = try #require(suites.first { $0["code"]?.text == "0xC02F" })
        #expect(first["opensslName"]?.text == "ECDHE-RSA-AES128-GCM-SHA256" && first["bits"] == .number(128))
        #expect(first["gnutlsName"]?.text == "TLS_ECDHE_RSA_AES_128_GCM_SHA256" && first["version"]?.text == "TLSv1.2")
        #expect(first["backends"]?.elements.compactMap(\.text) == Tool.backends && first["isDefault"] == .boolean(true))
        for backend in Tool.backends {
            let own = suites.filter { $0["backends"]?.elements.contains { $0.text == backend } == true }
            #expect(try own.count == SslConfiguration.supportedCiphers(backend: backend).count)
        }
    }

    @Test func ciphersCanBeFiltered() async throws {
        func names(_ arguments: [String]) async throws -> [String] {
            let result = try await Tool.run(["ciphers", "--json"] + arguments)
            return try JsonValue(result.output)["suites"]?.elements.compactMap { $0["name"]?.text } ?? []
        }
        #expect(try await names(["--tls", "1.3", "--defaults"]) == SslCipher.defaults.filter(\.isTls13).map(\.name))
        #expect(try await names(["--psk"]) == SslCipher.all.filter(\.needsPreSharedKey).map(\.name))
        #expect(try await names(["ecdhe-rsa-aes128-gcm"]) == ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"])
        #expect(try await Tool.run(["ciphers", "nonsense"]).status == 69)
        let text = try await Tool.run(["ciphers", "--tls", "1.3"])
        #expect(text.text.split(separator: "\n").first?.hasPrefix("code    IANA") == true && text.text.contains("default"))
    }

    @Test func theBackendsSideBySide() async throws {
        let text = try await Tool.run(["backends"]).text
        for words in ["x25519 ", "rsa_pss_rsae_sha256 ", "what is lacking, and why", "ed25519 "] { #expect(text.contains(words)) }
        let list = try JsonValue(try await Tool.run(["backends", "--json"]).output)["backends"]?.elements ?? []
        for backend in list {
            let name = try #require(backend["name"]?.text)
            for (feature, reason) in backend["lacks"]?.members ?? [:] {
                #expect(text.contains("\(name) \(feature): \(reason.text ?? "")"))
            }
        }
    }

    @Test func theLineOfAServer() async throws {
        let process = try Tool.start(["serve", "--port", "0", "--json", "--host", "127.0.0.1"])
        let text = try await process.output(containing: "}\n")
        #expect(try JsonSchema(named: "serve").problems(with: Array(text.utf8)) == [])
    }

    @Test func aComparison() async throws {
        let scenario = try #require(ScenarioCatalogue.all.first { $0.expectation == .ok })
        let result = try await Tool.run(["compare", "--json", "--filter", scenario.id], within: .seconds(120))
        #expect(result.status == 0, "\(result)")
        #expect(try JsonSchema(named: "compare").problems(with: result.output) == [])
        let cells = try JsonValue(result.output)["counts"]?["cells"]
        #expect(cells == .number(Double(Comparison.cellCount(filter: scenario.id))))
    }

    /// Every verdict has its place in the document, and what nothing explains makes the report fail.
    @Test func aComparisonThatFails() throws {
        let cell = ScenarioCell(scenario: "made-up", client: "a", server: "b", version: .tls1_3)
        let outcome = ScenarioOutcome(client: "ok", server: "alert", details: ["a detail"])
        let difference = ScenarioDifference(outcome: outcome, reason: "because")
        let verdicts: [CellVerdict] = [
            .agrees, .explained(difference), .lacking(feature: "psk", backend: "a", reason: "none"),
            .newDifference(expected: .ok),
            .vanished(difference),
        ]
        let row = ComparisonReport.Row(
            id: "made-up", title: "Nothing", group: .handshake, references: ["RFC 8446"], engineRows: ["E1"],
            cells: verdicts.map { CellResult(cell: cell, outcome: outcome, verdict: $0, milliseconds: 1.23456) })
        let report = ComparisonReport(
            backends: [ComparisonReport.Participant(name: "a", libraryVersion: "1", libraryVersionNumber: 1)], rows: [row])
        #expect(!report.isAsExpected)
        let document = try Json.encode(ComparisonDocument(report))
        #expect(try JsonSchema(named: "compare").problems(with: document) == [])
        let text = ComparisonText(report: report, style: Style(.never, isTerminal: true)).text
        #expect(text.contains("5 cells") && text.contains("1 new, 1 vanished") && text.contains("because"))
    }

    @Test func theSchemaCheckerFindsWhatIsWrong() throws {
        let schema = try JsonSchema(named: "serve")
        #expect(schema.problems(with: Array(#"{"schema":1,"listening":"x","port":1}"#.utf8)) == [])
        for wrong in [
            #"{"schema":2,"listening":"x","port":1}"#, #"{"schema":1,"port":1}"#, #"{"schema":1,"listening":1,"port":1}"#,
            #"{"schema":1,"listening":"x","port":0}"#, #"{"schema":1,"listening":"x","port":1,"more":1}"#, "{} {}", "",
        ] {
            #expect(!schema.problems(with: Array(wrong.utf8)).isEmpty, "\(wrong)")
        }
    }
}
