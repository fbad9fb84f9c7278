internal import SslSockets
internal import SslTestKit
internal import TestProcesses

/// What a client learned.
struct Conversation: Sendable {
    var version: SslVersion?
    var cipher: String?
    var alpn: String?
    var isResumed = false
    var errors: [SslErrorCode] = []
    var answer: [UInt8] = []
    var failure: SslSocketError?

    var text: String { String(decoding: answer, as: UTF8.self) }
}

/// Our client, driven in both ways.
struct Client: Sendable {
    let port: UInt16
    let configuration: SslConfiguration
    let drive: Drive
    var patience = Duration.seconds(60)
    var host = "127.0.0.1"
    var proxy = SslProxy.default

    /// Connects, sends `request`, and keeps what comes back until `length` octets, or the end.
    ///
    /// - Parameter file: where the answer goes instead of being kept.
    func talk(_ request: [UInt8], length: Int = .max, into file: String? = nil) async -> Conversation {
        switch drive {
        case .async: return await talkAsync(request, length, file)
        case .blocking:
            return await Background.run { talkBlocking(request, length, file) }
        }
    }

    fileprivate func make() -> SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.proxy = proxy
        socket.connectToHostEncrypted(host, port: port, peerVerifyName: TestIdentity.defaultHost)
        return socket
    }

    private func facts(_ socket: SslSocket) -> Conversation {
        var facts = Conversation()
        facts.version = socket.sessionProtocol.versions?.lowerBound
        facts.cipher = socket.sessionCipher?.name
        facts.alpn = socket.nextNegotiatedProtocol
        facts.isResumed = socket.isSessionResumed
        facts.errors = socket.sslHandshakeErrors.map(\.code)
        facts.failure = socket.error
        return facts
    }

    private func talkAsync(_ request: [UInt8], _ length: Int, _ file: String?) async -> Conversation {
        let socket = make()
        guard await socket.waitForEncrypted(timeout: patience) else { return facts(socket) }
        var conversation = facts(socket)
        do {
            let sink = try file.map { try FileSink($0) }
            try await socket.send(request, timeout: patience)
            var left = length
            while left > 0 {
                let bytes = try await socket.receive(timeout: patience)
                if bytes.isEmpty { break }
                left -= bytes.count
                if let sink { sink.write(bytes) } else { conversation.answer += bytes }
            }
        } catch {
            conversation.failure = error as? SslSocketError ?? SslSocketError(.operation, "\(error)")
        }
        await socket.finish()
        return conversation
    }

    /// The same in Qt's words, on a thread.
    private func talkBlocking(_ request: [UInt8], _ length: Int, _ file: String?) -> Conversation {
        let socket = make()
        guard socket.waitForEncrypted(timeout: patience) else { return facts(socket) }
        var conversation = facts(socket)
        let sink = try? file.map { try FileSink($0) }
        socket.write(request)
        var left = length
        while socket.bytesToWrite + socket.encryptedBytesToWrite > 0, socket.state == .connected {
            guard socket.waitForBytesWritten(timeout: patience) else { break }
        }
        while left > 0 {
            let bytes = socket.readAll()
            left -= bytes.count
            if let sink { sink.write(bytes) } else { conversation.answer += bytes }
            if left > 0, socket.bytesAvailable == 0, !socket.waitForReadyRead(timeout: patience), socket.bytesAvailable == 0 {
                break
            }
        }
        if let error = socket.error, error.code != .remoteHostClosed { conversation.failure = error }
        socket.disconnectFromHost()
        if socket.state != .unconnected { _ = socket.waitForDisconnected(timeout: patience) }
        return conversation
    }
}

extension Client {
    /// An encrypted connection, for a dialogue of one's own.
    func connect() async throws -> SslSocket {
        let socket = make()
        guard await socket.waitForEncrypted(timeout: patience) else {
            throw socket.error ?? SslSocketError(.operation, "no reason")
        }
        return socket
    }
}
