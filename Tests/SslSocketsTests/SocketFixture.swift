import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// Both ends of connections over loopback, on any pair of backends.
struct SocketFixture: Sendable, CustomTestStringConvertible {
    var client: String
    var server: String

    static let all: [SocketFixture] = SslBackends.available.flatMap { client in
        SslBackends.available.map { SocketFixture(client: client, server: $0) }
    }

    var testDescription: String { "\(client) to \(server)" }

    func serverConfiguration() throws -> SslConfiguration {
        try TestCertificates.shared().identity(.valid).configuration(backend: server)
    }

    func clientConfiguration() throws -> SslConfiguration {
        try TestCertificates.shared().identity(.valid).trustingConfiguration(backend: client)
    }

    /// A listening server whose accepted plain sockets are handed to `serve`, with a client's socket beside it.
    func withPlainPair(
        _ serve: @escaping @Sendable (sending SslSocket) async throws -> Void,
        _ body: (SslSocket) async throws -> Void
    ) async throws {
        let listener = try SocketDescriptor.listener(at: SocketAddress(.loopbackIPv4, port: 0), backlog: 8)
        let port = try #require(listener.localAddress?.port)
        let configuration = try serverConfiguration()
        let registration = try SslReactor.shared.register(listener.fd)
        let peer = Task {
            while true {
                switch listener.accept() {
                case .accepted(let descriptor):
                    let socket = SslSocket(configuration: configuration)
                    socket.opened(descriptor)
                    return try await serve(socket)
                case .wouldBlock:
                    // Some tests end before anybody connects.
                    if await registration.wait(.read, deadline: nil, isolation: nil) == .closed { return }
                case .failed(let code): throw IOErrors.accepting(code)
                }
            }
        }
        let socket = SslSocket(configuration: try clientConfiguration())
        socket.peerVerifyName = TestIdentity.defaultHost
        socket.connectToHost("127.0.0.1", port: port)
        do {
            try await body(socket)
        } catch {
            registration.deregister()
            peer.cancel()
            throw error
        }
        socket.abort()
        registration.deregister()
        try await peer.value
    }
}

/// What a socket signalled, in order.
final class Trace {
    private(set) var entries: [String] = []

    init(_ socket: SslSocket) {
        socket.hostFound.connect { [self] _ in entries.append("hostFound") }
        socket.connected.connect { [self] _ in entries.append("connected") }
        socket.disconnected.connect { [self] _ in entries.append("disconnected") }
        socket.stateChanged.connect { [self] _, state in entries.append("state \(state)") }
        socket.errorOccurred.connect { [self] _, error in entries.append("error \(error.code.rawValue)") }
        socket.encrypted.connect { [self] _ in entries.append("encrypted") }
        socket.modeChanged.connect { [self] _, mode in entries.append("mode \(mode)") }
        socket.peerVerifyError.connect { [self] _, error in entries.append("peerVerifyError \(error.code)") }
        socket.sslErrors.connect { [self] _, errors in entries.append("sslErrors \(errors.count)") }
        socket.readChannelFinished.connect { [self] _ in entries.append("readChannelFinished") }
    }
}
