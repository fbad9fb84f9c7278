internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

extension RealPeers {
    /// Connections through the proxies of Debian.
    @Suite(.enabled(if: HeavyPeers.areWanted, Comment(rawValue: HeavyPeers.reason))) struct ProxyPeerTests {
        private static let payload = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }

        @Test("TLS, by each backend, version and way of waiting", arguments: ProxyProgram.allCases, [false, true])
        func tls(_ program: ProxyProgram, _ wantsPassword: Bool) async throws {
            let process = try await ProxyProcess(program, wantsPassword: wantsPassword)
            let identity = try TestCertificates.shared().identity(.valid)
            for cell in Cell.all {
                let server = try await Server(try cell.server(showing: identity), .echo(Self.payload.count))
                for drive in Drive.allCases {
                    var client = Client(port: server.port, configuration: try cell.client(trusting: identity), drive: drive)
                    client.proxy =
                        wantsPassword ? process.proxy(user: ProxyProcess.user, password: ProxyProcess.password) : process.proxy()
                    // The name is the proxy's to find.
                    client.host = "localhost"
                    let conversation = await client.talk(Self.payload, length: Self.payload.count)
                    #expect(
                        conversation.failure == nil, "\(program) \(cell) \(drive): \(String(describing: conversation.failure))")
                    #expect(conversation.answer == Self.payload, "\(program) \(cell) \(drive)")
                    #expect(conversation.version == cell.version)
                }
            }
        }

        /// Sends five octets in plain text and returns what comes back, or what went wrong.
        private func ask(_ proxy: SslProxy, _ host: String, _ port: UInt16, _ drive: Drive) async -> Result<
            [UInt8], SslSocketError
        > {
            switch drive {
            case .async:
                let socket = SslSocket()
                socket.proxy = proxy
                socket.connectToHost(host, port: port)
                guard await socket.waitForConnected() else { return .failure(socket.error ?? SslSocketError(.operation, "")) }
                socket.write("hello")
                var answer: [UInt8] = []
                while let piece = try? await socket.receive(timeout: .seconds(30)), !piece.isEmpty { answer += piece }
                return .success(answer)
            case .blocking:
                return await Background.run {
                    let socket = SslSocket()
                    socket.proxy = proxy
                    socket.connectToHost(host, port: port)
                    guard socket.waitForConnected() else { return .failure(socket.error ?? SslSocketError(.operation, "")) }
                    socket.write("hello")
                    while socket.state == .connected, socket.waitForReadyRead() {}
                    return .success(socket.readAll())
                }
            }
        }

        @Test("plain text, by name and by address of either kind", arguments: ProxyProgram.allCases, Drive.allCases)
        func plain(_ program: ProxyProgram, _ drive: Drive) async throws {
            let process = try await ProxyProcess(program, wantsPassword: false)
            for host in ["localhost", "127.0.0.1", "::1"] {
                let server = try ScriptedPeer(ipv6: host == "::1", [.hear(5), .say(Self.payload)])
                let answer = await ask(process.proxy(), host, server.port, drive)
                #expect(answer == .success(Self.payload), "\(host)")
                #expect(server.heardTexts == ["hello"])
            }
        }

        @Test("credentials: none, wrong, and from the slot", arguments: ProxyProgram.allCases, Drive.allCases)
        func credentials(_ program: ProxyProgram, _ drive: Drive) async throws {
            let process = try await ProxyProcess(program, wantsPassword: true)
            let server = try ScriptedPeer([.hear(5), .say("welcome")])
            for proxy in [process.proxy(), process.proxy(user: ProxyProcess.user, password: "wrong")] {
                let refused = await ask(proxy, "127.0.0.1", server.port, drive)
                #expect(refused == .failure(SslSocketError(.proxyAuthenticationRequired, "")))
            }
            let socket = SslSocket()
            socket.proxy = process.proxy(user: ProxyProcess.user, password: "wrong")
            var realms: [String] = []
            socket.proxyAuthenticationRequired.connect { _, authenticator in
                realms.append(authenticator.realm)
                authenticator.fillIn(user: ProxyProcess.user, password: ProxyProcess.password)
            }
            socket.connectToHost("127.0.0.1", port: server.port)
            #expect(await socket.waitForConnected(), "\(socket.errorString)")
            #expect(realms == [program.realm])
            socket.write("hello")
            #expect(try await socket.receive(timeout: .seconds(30)) == Array("welcome".utf8))
            socket.abort()
        }

        @Test("a host that is not there", arguments: ProxyProgram.allCases)
        func unreachable(_ program: ProxyProgram) async throws {
            let process = try await ProxyProcess(program, wantsPassword: false)
            // Each has its own way to say it; none is the proxy's fault.
            let codes: [ProxyProgram: SslSocketError.Code] = [
                .microsocks: .connectionRefused, .tinyproxy: .network, .squid: .connectionRefused,
            ]
            let refused = await ask(process.proxy(), "127.0.0.1", try LocalPort.free(), .async)
            #expect(refused == .failure(SslSocketError(try #require(codes[program]), "")))
        }
    }
}
