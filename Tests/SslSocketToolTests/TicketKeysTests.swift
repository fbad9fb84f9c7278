internal import Glibc
internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

/// Servers as processes of their own that share their ticket keys by a file, and clients that keep a session in one.
@Suite struct TicketKeysTests {
    /// The backends, and the only version.
    struct Cell: Sendable, CustomStringConvertible {
        let pair: Pair
        let version: String
        var description: String { "\(pair) TLS \(version)" }
        static let all = Tool.pairs.flatMap { pair in ["1.2", "1.3"].map { Cell(pair: pair, version: $0) } }
    }

    /// Servers with one certificate, and a client that trusts it.
    private struct Fleet {
        let cell: Cell
        let folder: ScratchFolder
        let files: CertificateFiles

        init(_ cell: Cell) throws {
            self.cell = cell
            folder = try ScratchFolder()
            files = try CertificateFiles(.valid)
        }

        func server(_ keys: String) async throws -> ToolServer {
            try await ToolServer(
                ["--ticket-keys", folder.file(keys), "--cert", files.chain, "--key", files.key], backend: cell.pair.server,
                ownCertificate: false)
        }

        /// Connects with the session of a file. True when it was resumed.
        func connect(_ server: ToolServer, session: String) async throws -> Bool {
            let result = try await Tool.run([
                "connect", "localhost:\(server.port)", "--name", TestIdentity.defaultHost, "--backend", cell.pair.client,
                "--min-tls", cell.version, "--max-tls", cell.version, "--no-system-ca", "--ca", files.anchors, "--session",
                folder.file("session-\(session)"), "--json", "--send", "hello", "--wait", "0.2",
            ])
            #expect(result.status == 0, "\(result)")
            return result.text.contains("\"resumed\" : true")
        }

        /// Replaces a keyring as a whole.
        func copy(_ from: String, to target: String, _ change: (String) -> String = { $0 }) throws {
            let text = String(decoding: try #require(folder.read(from)), as: UTF8.self)
            let fresh = try folder.write(change(text), to: target + ".new")
            _ = unsafe chmod(fresh, 0o600)
            #expect(unsafe rename(fresh, folder.file(target)) == 0)
        }

        /// Waits until a server seals its tickets with the key that is the current one in `keys`: a server that has no other can open them.
        func settle(_ server: ToolServer, on keys: String) async throws {
            try copy(keys, to: "probe") { text in text.split(separator: "\n").filter { $0.hasPrefix("current") }.joined() }
            let probe = try await self.server("probe")
            for attempt in 0..<200 {
                let isFresh = try await !connect(server, session: "\(keys)-\(server.port)-\(attempt)")
                #expect(isFresh)
                if try await connect(probe, session: "\(keys)-\(server.port)-\(attempt)") { return }
            }
            Issue.record("the server has not read its new keys")
        }
    }

    @Test(arguments: Cell.all) func serversResumeEachOthersSessionsBeforeDuringAndAfterARotation(_ cell: Cell) async throws {
        let fleet = try Fleet(cell)
        try SslTicketKeys.rotateFile(fleet.folder.file("keys"))
        try fleet.copy("keys", to: "late")
        let (one, two) = (try await fleet.server("keys"), try await fleet.server("late"))
        // Before.
        #expect(try await !fleet.connect(one, session: "old"))
        #expect(try await fleet.connect(two, session: "old"))
        #expect(try await fleet.connect(one, session: "old"))
        // During: the first server has the new keys, the second not yet.
        try SslTicketKeys.rotateFile(fleet.folder.file("keys"))
        try await fleet.settle(one, on: "keys")
        #expect(try await !fleet.connect(one, session: "new"))
        #expect(try await fleet.connect(two, session: "new"))
        #expect(try await fleet.connect(one, session: "old"))
        #expect(try await fleet.connect(two, session: "old"))
        #expect(try await !fleet.connect(two, session: "late"))
        // After.
        try fleet.copy("keys", to: "late")
        try await fleet.settle(two, on: "keys")
        for session in ["new", "old", "late"] {
            #expect(try await fleet.connect(two, session: session), "\(session)")
            #expect(try await fleet.connect(one, session: session), "\(session)")
        }
        // A server without the keys makes a full handshake, and its own ticket serves there.
        try SslTicketKeys.rotateFile(fleet.folder.file("other"))
        let stranger = try await fleet.server("other")
        #expect(try await !fleet.connect(stranger, session: "new"))
        #expect(try await fleet.connect(stranger, session: "new"))
    }

    @Test(arguments: Tool.backends) func filesThatAreNoKeysOrNoSessionAreRefused(_ backend: String) async throws {
        let folder = try ScratchFolder()
        func serve(_ file: String) async throws -> ProcessResult {
            try await Tool.run(["serve", "--port", "0", "--backend", backend, "--ticket-keys", file])
        }
        #expect(try await serve(folder.file("missing")).status == 66)
        let open = try folder.write("current AAAA\n", to: "open")
        _ = unsafe chmod(open, 0o644)
        let refused = try await serve(open)
        #expect(refused.status == 66 && refused.errorText.contains("chmod 600"), "\(refused)")
        _ = unsafe chmod(open, 0o600)
        #expect(try await serve(open).status == 64)
        let session = try folder.write("no session", to: "session")
        let result = try await Tool.run(["connect", "localhost:9", "--backend", backend, "--session", session])
        #expect(result.status == 66 && result.errorText.contains("session"), "\(result)")
    }

    @Test(arguments: Tool.backends) func aSessionIsKeptFromOthers(_ backend: String) async throws {
        let server = try await ToolServer(backend: backend)
        let session = server.folder.file("session")
        let result = try await Tool.run(
            ["connect", server.endpoint, "--backend", backend, "--session", session, "--send", "a", "--wait", "0.2"]
                + server.trust)
        #expect(result.status == 0)
        var status = stat()
        #expect(unsafe stat(session, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
}
