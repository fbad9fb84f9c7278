import SslTestKit

@testable import SslSockets

/// The two ways to wait, so that one test says what happens in both.
enum ProxyDrive: String, Sendable, CaseIterable {
    case blocking, async
}

/// The five ways to a host that every scenario of sockets is run through in the tests of Qt.
enum ProxyWay: String, Sendable, CaseIterable {
    case direct, socks5, socks5WithPassword, http, httpWithPassword

    /// A proxy of this kind; nil for the direct way.
    func makeProxy() throws -> TestProxy? {
        switch self {
        case .direct: nil
        case .socks5: try TestProxy(.socks5)
        case .socks5WithPassword: try TestProxy(.socks5, credentials: "alice:secret")
        case .http: try TestProxy(.httpConnect)
        case .httpWithPassword: try TestProxy(.httpConnect, credentials: "alice:secret")
        }
    }

    /// How a client uses it.
    func settings(_ proxy: TestProxy?) -> SslProxy {
        switch self {
        case .direct: .none
        case .socks5, .http: proxy?.proxy() ?? .none
        case .socks5WithPassword, .httpWithPassword: proxy?.proxy(user: "alice", password: "secret") ?? .none
        }
    }

    /// What the proxy is told besides the target.
    var credentials: String? { self == .socks5WithPassword || self == .httpWithPassword ? "alice:secret" : nil }
}

/// What a client came to, for both ways of waiting.
struct ProxyVisit: Sendable {
    var isEncrypted = false
    var alpn: String?
    var version: SslVersion?
    var echo: [UInt8] = []
    var peerName = ""
    var peerAddress: SocketAddress?
    var error: SslSocketError.Code?
    var message = ""
    var problems: [SslErrorCode] = []
    var trace: [String] = []
    var asked: [String] = []

    fileprivate mutating func take(_ socket: SslSocket) {
        isEncrypted = socket.isEncrypted
        alpn = socket.nextNegotiatedProtocol
        version = socket.sessionProtocol.versions?.lowerBound
        peerName = socket.peerName
        peerAddress = socket.peerAddress
        problems = socket.sslHandshakeErrors.map(\.code)
        error = socket.error?.code
        message = socket.errorString
    }
}

/// A client behind a proxy.
struct ProxyClient: Sendable {
    var configuration: SslConfiguration
    var proxy: SslProxy
    var host: String
    var port: UInt16
    var peerVerifyName: String?
    /// Sent to be echoed; with nothing to send, no encryption begins and only the connection is tried.
    var payload: [UInt8] = []
    var isPlain = false
    var startTls: SslStartTls?
    /// Handed out by the slot of proxyAuthenticationRequired, one after the other.
    var answers: [(user: String, password: String)] = []
    var timeout = Duration.seconds(20)

    func visit(_ drive: ProxyDrive) async -> ProxyVisit {
        switch drive {
        case .blocking: await PlainThread.run { visitBlocking() }
        case .async: await visitAsync()
        }
    }

    private func make(_ asked: Asked) -> (SslSocket, Trace) {
        let socket = SslSocket(configuration: configuration)
        socket.proxy = proxy
        let trace = Trace(socket)
        let answers = answers
        socket.proxyAuthenticationRequired.connect { _, authenticator in
            asked.realms.append(authenticator.realm)
            let index = asked.realms.count - 1
            if index < answers.count { authenticator.fillIn(user: answers[index].user, password: answers[index].password) }
        }
        if isPlain {
            socket.connectToHost(host, port: port)
        } else if let startTls {
            socket.connectToHostEncrypted(host, port: port, startTls: startTls, peerVerifyName: peerVerifyName)
        } else {
            socket.connectToHostEncrypted(host, port: port, peerVerifyName: peerVerifyName)
        }
        return (socket, trace)
    }

    private func visitBlocking() -> ProxyVisit {
        var visit = ProxyVisit()
        let asked = Asked()
        let (socket, trace) = make(asked)
        let isThere = isPlain ? socket.waitForConnected(timeout: timeout) : socket.waitForEncrypted(timeout: timeout)
        visit.take(socket)
        if isThere {
            socket.write(payload)
            while visit.echo.count < payload.count {
                let piece = socket.readAll()
                visit.echo += piece
                if piece.isEmpty, !socket.waitForReadyRead(timeout: timeout), socket.bytesAvailable == 0 { break }
            }
            socket.disconnectFromHost()
            if socket.state != .unconnected { _ = socket.waitForDisconnected(timeout: timeout) }
        }
        return finish(visit, socket, trace, asked)
    }

    private func visitAsync() async -> ProxyVisit {
        var visit = ProxyVisit()
        let asked = Asked()
        let (socket, trace) = make(asked)
        let isThere =
            isPlain ? await socket.waitForConnected(timeout: timeout) : await socket.waitForEncrypted(timeout: timeout)
        visit.take(socket)
        if isThere {
            socket.write(payload)
            while visit.echo.count < payload.count, let piece = try? await socket.receive(timeout: timeout), !piece.isEmpty {
                visit.echo += piece
            }
            await socket.finish(timeout: timeout)
        }
        return finish(visit, socket, trace, asked)
    }

    private func finish(_ visit: ProxyVisit, _ socket: SslSocket, _ trace: Trace, _ asked: Asked) -> ProxyVisit {
        var visit = visit
        visit.trace = trace.entries
        visit.asked = asked.realms
        socket.abort()
        return visit
    }

    private final class Asked { var realms: [String] = [] }
}

/// A server that echoes until its client ends.
final class EchoServer: Sendable {
    private let server: SslServer
    private let names = Lock<[String?]>([])
    let port: UInt16

    init(_ configuration: SslConfiguration) throws {
        server = SslServer(configuration: configuration)
        try server.listen(host: "127.0.0.1")
        port = server.serverPort
        let (server, names) = (server, names)
        Task {
            try await server.run { socket in
                names.withLock { $0.append(socket.requestedServerName) }
                while let piece = try? await socket.receive(timeout: .seconds(20)), !piece.isEmpty {
                    try? await socket.send(piece, timeout: .seconds(20))
                }
                await socket.finish()
            }
        }
    }

    deinit { server.close() }

    /// The names its clients asked for.
    var serverNames: [String?] { names.withLock { $0 } }
}
