internal import SslSockets
internal import SslTestKit
internal import TestProcesses

/// What a server learned of one connection.
struct Visit: Sendable {
    let version: SslVersion?
    let alpn: String?
    let serverName: String?
    /// The common name of the client's certificate.
    let client: String?
    let isResumed: Bool

    init(_ socket: SslSocket) {
        version = socket.sessionProtocol.versions?.lowerBound
        alpn = socket.nextNegotiatedProtocol
        serverName = socket.requestedServerName
        client = socket.peerCertificate?.subjectDisplayName
        isResumed = socket.isSessionResumed
    }
}

/// Our server at a free port, driven in both ways, until it is dropped.
final class Server: Sendable {
    /// What it does with a connection.
    enum Service: Sendable {
        /// Sends back so many octets, then ends.
        case echo(Int)
        /// Takes everything into a file, which is complete when the service has ended.
        case store(String)
        /// Serves the payload, and takes files.
        case http(folder: ScratchFolder)
        /// Sends a text and ends.
        case reply(String)
    }
    private let server: SslServer
    /// The port.
    let port: UInt16
    private let visits: AsyncStream<Visit>
    private let failures: AsyncStream<SslSocketError>
    private let ends: AsyncStream<Void>

    init(_ configuration: SslConfiguration, drive: Drive = .async, _ service: Service) async throws {
        let server = SslServer(configuration: configuration)
        self.server = server
        try server.listen(host: "127.0.0.1")
        port = server.serverPort
        let (visits, visit) = AsyncStream.makeStream(of: Visit.self)
        let (failures, failure) = AsyncStream.makeStream(of: SslSocketError.self)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        (self.visits, self.failures, self.ends) = (visits, failures, ends)
        let payload: Payload? = if case .http = service { try await Payload.shared() } else { nil }
        switch drive {
        case .async:
            server.onHandshakeFailure { _, error in failure.yield(error) }
            Task {
                try? await server.run { socket in
                    visit.yield(Visit(socket))
                    do {
                        try await Self.serve(socket, service, payload)
                    } catch {
                        failure.yield(error as? SslSocketError ?? SslSocketError(.operation, "\(error)"))
                    }
                    await socket.finish()
                    end.yield()
                }
            }
        case .blocking:
            Task {
                await Background.run { Self.serveBlocking(server, service, visit, failure, end) }
            }
        }
    }

    deinit { server.close() }

    /// The next connection whose handshake succeeded.
    func nextVisit() async -> Visit? {
        var iterator = visits.makeAsyncIterator()
        return await iterator.next()
    }

    /// The end of the service of the next connection.
    func nextEnd() async {
        var iterator = ends.makeAsyncIterator()
        await iterator.next()
    }

    /// The next failure.
    func nextFailure() async -> SslSocketError? {
        var iterator = failures.makeAsyncIterator()
        return await iterator.next()
    }

    private static func serve(_ socket: SslSocket, _ service: Service, _ payload: Payload?) async throws {
        switch service {
        case .reply(let text): try await socket.send(text)
        case .store(let path):
            let sink = try FileSink(path)
            while true {
                let bytes = try await socket.receive(timeout: .seconds(60))
                if bytes.isEmpty { return }
                sink.write(bytes)
            }
        case .http(let folder):
            if let payload { try await HttpService(socket: socket, payload: payload, folder: folder).run() }
        case .echo(let length):
            var left = length
            while left > 0 {
                let bytes = try await socket.receive(timeout: .seconds(60))
                if bytes.isEmpty { return }
                left -= bytes.count
                try await socket.send(bytes, timeout: .seconds(60))
            }
        }
    }

    /// One connection after the other, on one thread.
    private static func serveBlocking(
        _ server: SslServer, _ service: Service, _ visit: AsyncStream<Visit>.Continuation,
        _ failure: AsyncStream<SslSocketError>.Continuation, _ end: AsyncStream<Void>.Continuation
    ) {
        let patience = Duration.seconds(60)
        while server.isListening, let socket = try? server.waitForNewConnection() {
            guard socket.waitForEncrypted(timeout: patience) else {
                failure.yield(socket.error ?? SslSocketError(.operation, "no reason"))
                continue
            }
            visit.yield(Visit(socket))
            switch service {
            case .reply(let text): socket.write(text)
            case .store(let path): storeBlocking(socket, path, patience)
            case .http: failure.yield(SslSocketError(.operation, "HTTP is served by tasks"))
            case .echo(let length):
                var left = length
                while left > 0 {
                    let bytes = socket.readAll()
                    left -= bytes.count
                    if !bytes.isEmpty { socket.write(bytes) }
                    while socket.bytesToWrite + socket.encryptedBytesToWrite > 0 {
                        guard socket.waitForBytesWritten(timeout: patience) else { break }
                    }
                    if left > 0, socket.bytesAvailable == 0, !socket.waitForReadyRead(timeout: patience) { break }
                }
                if left > 0 { failure.yield(socket.error ?? SslSocketError(.operation, "\(left) octets are missing")) }
            }
            socket.disconnectFromHost()
            if socket.state != .unconnected { _ = socket.waitForDisconnected(timeout: patience) }
            end.yield()
        }
    }

    /// Everything up to the peer's end.
    private static func storeBlocking(_ socket: SslSocket, _ path: String, _ patience: Duration) {
        guard let sink = try? FileSink(path) else { return }
        repeat { sink.write(socket.readAll()) } while socket.waitForReadyRead(timeout: patience) || socket.bytesAvailable > 0
    }
}
