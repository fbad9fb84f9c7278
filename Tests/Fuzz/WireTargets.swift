import SslBackend
import SslTestKit

@testable import SslSockets

extension FuzzTarget {
    private static let versions: [SslProtocol] = [.tlsV1_2, .tlsV1_3]

    private static func configurations(
        _ backend: String, _ version: SslProtocol
    ) throws -> (client: SslConfiguration, server: SslConfiguration) {
        let identity = try TestCertificates.shared().identity(.valid)
        var client = try identity.trustingConfiguration(backend: backend)
        var server = try identity.configuration(backend: backend)
        client.protocol = version
        server.protocol = version
        server.peerVerifyMode = .verifyNone
        return (client, server)
    }

    /// The first octets of a connection.
    static let clientHello = FuzzTarget(name: "client-hello") {
        var seeds: [[UInt8]] = []
        for backend in SslBackends.available {
            for version in versions { seeds.append(try firstFlight(backend, version)) }
        }
        return Prepared(seeds: seeds) { input in
            func read(_ count: Int) -> String {
                unsafe input.withUnsafeBytes { octets in
                    switch unsafe TlsClientHello.read(records: UnsafeRawBufferPointer(rebasing: octets.prefix(count))) {
                    case .incomplete: return "incomplete"
                    case .notTls: return "not TLS"
                    case .hello(let hello): return "\(hello)"
                    }
                }
            }
            let whole = read(input.count)
            // What was said of a beginning stays true.
            for count in stride(from: 0, to: input.count, by: 7) {
                let part = read(count)
                require(part == "incomplete" || part == whole, "\(count) octets are \(part), all \(whole)")
            }
        }
    }

    private static func firstFlight(_ backend: String, _ version: SslProtocol) throws -> [UInt8] {
        let (client, server) = try configurations(backend, version)
        let end = try MemoryPipe(client: client, server: server).client
        end.work()
        return end.takeOutput()
    }

    /// Each end of a connection of each backend, told anything: first octets choose the version and the size of the pieces.
    static let sessions: [FuzzTarget] = SslBackends.available.flatMap { backend in
        [
            FuzzTarget(name: "client-\(backend)") { try session(backend, isClient: true) },
            FuzzTarget(name: "server-\(backend)") { try session(backend, isClient: false) },
        ]
    }

    private static func session(_ backend: String, isClient: Bool) throws -> Prepared {
        var seeds: [[UInt8]] = []
        // Contexts are made once.
        var prepared: [(client: SslConfiguration, server: SslConfiguration)] = []
        for (place, version) in versions.enumerated() {
            let both = try configurations(backend, version)
            prepared.append(both)
            let pipe = try MemoryPipe(client: both.client, server: both.server)
            pipe.client.work()
            let hello = pipe.client.takeOutput()
            pipe.server.take(hello)
            pipe.server.work()
            seeds.append([UInt8(place), 0] + (isClient ? pipe.server.takeOutput() : hello))
        }
        seeds.append([0, 7] + RawRecord.alert(level: 2, code: 40))
        let known = prepared
        return Prepared(seeds: seeds) { input in
            guard input.count > 2 else { return }
            let both = known[Int(input[0]) % known.count]
            guard let pipe = try? MemoryPipe(client: both.client, server: both.server) else { return }
            let end = isClient ? pipe.client : pipe.server
            end.work()
            _ = end.takeOutput()
            let octets = input.dropFirst(2)
            let size = input[1] == 0 ? octets.count : Int(input[1])
            var rest = octets
            while !rest.isEmpty {
                end.take(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
                end.work()
                _ = end.takeOutput()
            }
            end.take([], isEnd: true)
            end.work()
            require(!end.isEstablished && end.received.isEmpty, "a connection with nobody")
            require(end.error != nil, "no error at the end")
        }
    }

    /// DTLS: each datagram begins with two octets of length.
    static let datagrams: [FuzzTarget] = SslBackends.available.map { backend in
        FuzzTarget(name: "datagrams-\(backend)") {
            let identity = try TestCertificates.shared().identity(.valid)
            var client = try identity.trustingConfiguration(backend: backend)
            var server = try identity.configuration(backend: backend)
            client.protocol = .dtlsV1_2
            server.protocol = .dtlsV1_2
            server.peerVerifyMode = .verifyNone
            let first = try DatagramEndpoint(clientTo: identity.host, configuration: client)
            first.work(nil)
            let flight = first.take().flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xFF)] + $0 }
            return Prepared(seeds: [[0] + flight, [1] + flight]) { input in
                guard let selector = input.first,
                    let end = selector % 2 == 0
                        ? try? DatagramEndpoint(server: server)
                        : try? DatagramEndpoint(clientTo: identity.host, configuration: client)
                else { return }
                end.work(nil)
                var rest = input.dropFirst()
                while rest.count > 2 {
                    let count = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
                    rest = rest.dropFirst(2)
                    end.work(Array(rest.prefix(count)))
                    _ = end.take()
                    rest = rest.dropFirst(count)
                }
                require(!end.report.isEstablished && end.received.isEmpty, "a connection with nobody")
            }
        }
    }

    /// A session to resume, in the engine's own form: it is refused, or of no use.
    static let session = FuzzTarget(name: "session") {
        var seeds: [[UInt8]] = []
        var contexts: [any TlsContext] = []
        for backend in SslBackends.available {
            for version in versions {
                let (client, server) = try configurations(backend, version)
                let pipe = try MemoryPipe(client: client, server: server)
                pipe.converse([1])
                guard let ticket = pipe.client.tickets.first else { continue }
                seeds.append([UInt8(contexts.count)] + ticket.secret.copy)
                contexts.append(try client.context(role: .client))
            }
        }
        let known = contexts
        return Prepared(seeds: seeds) { input in
            guard let selector = input.first, !known.isEmpty else { return }
            let context = known[Int(selector) % known.count]
            let parameters = TlsSessionParameters(serverName: TestIdentity.defaultHost, resumption: Array(input.dropFirst()))
            guard let session = try? context.makeSession(parameters) else { return }
            _ = unsafe [UInt8]().withUnsafeBytes { unsafe session.handshake(TlsInput($0, isEndOfStream: false), SocketOutput()) }
        }
    }

    /// A ticket as an application keeps it.
    static let ticket = FuzzTarget(name: "session-ticket") {
        var seeds: [[UInt8]] = []
        for backend in SslBackends.available {
            let (client, server) = try configurations(backend, .tlsV1_3)
            let pipe = try MemoryPipe(client: client, server: server)
            pipe.converse([1])
            seeds += pipe.client.tickets.prefix(1).map { $0.exported.copy }
        }
        return Prepared(seeds: seeds) { input in
            guard let ticket = try? SslSessionTicket(exported: SecretBytes(input)) else { return }
            require((try? SslSessionTicket(exported: ticket.exported)) == ticket, "another ticket after writing and reading")
        }
    }
}
