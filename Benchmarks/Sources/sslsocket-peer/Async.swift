import SslSockets

// A task: what is not there is awaited.
extension SslSocket {
    /// Receives exactly `count` octets; false when the connection ends before.
    func receiveFully(_ count: Int, _ scratch: Scratch) async throws(SslSocketError) -> Bool {
        var got = 0
        while got < count {
            let n = unsafe try await receive(into: scratch.part(got, count))
            guard n > 0 else { return false }
            got += n
        }
        return true
    }

    /// Writes, and waits while too much is queued.
    func writeAll(_ bytes: UnsafeRawBufferPointer) async throws(SslSocketError) {
        guard unsafe write(bytes) == bytes.count else { throw error ?? SslSocketError(.operation, "The connection has ended") }
        if encryptedBytesToWrite > highWater { try await drain() }
    }
}

/// Serves every connection in a task of its own, on the reactor's executor.
struct AsyncServer {
    private let options: Options
    private let configuration: SslConfiguration

    init(_ options: Options, _ configuration: SslConfiguration) {
        self.options = options
        self.configuration = configuration
    }

    func run() async throws(SslSocketError) {
        let server = SslServer(configuration: configuration)
        try server.listen(host: "127.0.0.1", port: options.port)
        line("READY")
        try await server.run { socket in
            // A client that leaves in the middle is no concern of ours.
            do throws(SslSocketError) { try await Self.serve(socket) } catch {}
            await socket.finish()
        }
    }

    private static func serve(_ socket: SslSocket) async throws(SslSocketError) {
        guard let request = Request(try await receiveRequest(socket)[...]) else { return }
        switch request.operation {
        case .take:
            let scratch = Scratch(highWater)
            var got = 0
            while got < request.total {
                let count = unsafe try await socket.receive(into: scratch.bytes)
                guard count > 0 else { return }
                got += count
            }
            try await socket.send(acknowledgement)
        case .give:
            let scratch = Scratch(request.size)
            var sent = 0
            while sent < request.total {
                unsafe try await socket.writeAll(scratch.first(request.size))
                sent += request.size
            }
            try await socket.drain()
        case .echo:
            let scratch = Scratch(request.size)
            while try await socket.receiveFully(request.size, scratch) {
                unsafe try await socket.writeAll(scratch.first(request.size))
                try await socket.drain()
            }
        case .hello, .idle: try await socket.send(acknowledgement)
        }
        // To the end: an idle connection waits here.
        while try await !socket.receive().isEmpty {}
    }

    private static func receiveRequest(_ socket: SslSocket) async throws(SslSocketError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < Request.length {
            let piece = try await socket.receive(upTo: Request.length - bytes.count)
            if piece.isEmpty { break }
            bytes += piece
        }
        return bytes
    }
}

/// Measures.
struct AsyncClient {
    private let options: Options
    private let configuration: SslConfiguration
    private let scratch: Scratch

    init(_ options: Options, _ configuration: SslConfiguration) {
        self.options = options
        self.configuration = configuration
        scratch = Scratch(max(options.size, highWater))
    }

    func run() async throws(SslSocketError) {
        switch options.mode {
        case .bulkSend: try await bulkSend()
        case .bulkReceive: try await bulkReceive()
        case .handshake, .resume: try await handshakes(resuming: options.mode == .resume)
        case .pingpong: try await pingpong()
        case .idle: try await idle()
        }
    }

    private func dial(_ configuration: SslConfiguration) async throws(SslSocketError) -> sending SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.connectToHostEncrypted("127.0.0.1", port: options.port, peerVerifyName: "localhost")
        if await !socket.waitForEncrypted() { die(socket.errorString) }
        return socket
    }

    private func awaitAcknowledgement(_ socket: SslSocket) async throws(SslSocketError) {
        if try await !socket.receiveFully(1, scratch) { die("no acknowledgement: \(socket.errorString)") }
    }

    private func bulkSend() async throws(SslSocketError) {
        let total = options.count * options.size
        let socket = try await dial(configuration)
        let tls = socket.negotiated
        let measurement = Measurement(options)
        try await socket.send(Request(.take, total: total, size: options.size).bytes)
        for _ in 0..<options.count { unsafe try await socket.writeAll(scratch.first(options.size)) }
        try await socket.drain()
        try await awaitAcknowledgement(socket)
        measurement.report(bytes: total, tls: tls)
        await socket.finish()
    }

    private func bulkReceive() async throws(SslSocketError) {
        let total = options.count * options.size
        let socket = try await dial(configuration)
        let tls = socket.negotiated
        let measurement = Measurement(options)
        try await socket.send(Request(.give, total: total, size: options.size).bytes)
        var got = 0
        while got < total {
            let count = unsafe try await socket.receive(into: scratch.bytes)
            if count == 0 { die("\(got) of \(total) octets") }
            got += count
        }
        measurement.report(bytes: total, tls: tls)
        await socket.finish()
    }

    private func handshakes(resuming: Bool) async throws(SslSocketError) {
        var ticket: SslSessionTicket?
        var resumed = 0
        var tls = ""
        var measurement = Measurement(options)
        for round in -1..<options.count {
            // The first one warms up.
            if round == 0 { (resumed, measurement) = (0, Measurement(options)) }
            var configuration = configuration
            if let ticket { configuration.sessionTicket = ticket }
            let socket = try await dial(configuration)
            try await socket.send(Request(.hello).bytes)
            try await awaitAcknowledgement(socket)
            if resuming {
                if socket.isSessionResumed { resumed += 1 }
                ticket = socket.sessionTicket ?? ticket
            }
            if tls.isEmpty { tls = socket.negotiated }
            await socket.finish()
        }
        measurement.report(operations: options.count, tls: tls, resumed: resumed)
    }

    private func pingpong() async throws(SslSocketError) {
        let socket = try await dial(configuration)
        let tls = socket.negotiated
        try await socket.send(Request(.echo, size: options.size).bytes)
        for _ in 0...options.count / 20 { try await roundTrip(socket) }
        let measurement = Measurement(options)
        for _ in 0..<options.count { try await roundTrip(socket) }
        measurement.report(operations: options.count, tls: tls)
        await socket.finish()
    }

    private func roundTrip(_ socket: SslSocket) async throws(SslSocketError) {
        unsafe try await socket.writeAll(scratch.first(options.size))
        try await socket.drain()
        if try await !socket.receiveFully(options.size, scratch) { die("the server has left") }
    }

    private func idle() async throws(SslSocketError) {
        var all: [SslSocket] = []
        try await all.append(openIdle())
        line(#"{"peer":"sslsocket","mode":"idle","baseline":1}"#)
        guard readLine() != nil else { return }
        let measurement = Measurement(options)
        for _ in 1..<max(options.count, 1) { try await all.append(openIdle()) }
        measurement.report(operations: options.count - 1, tls: all[0].negotiated)
        while readLine() != nil {}
    }

    private func openIdle() async throws(SslSocketError) -> SslSocket {
        let socket = try await dial(configuration)
        try await socket.send(Request(.idle).bytes)
        try await awaitAcknowledgement(socket)
        // A wait in which nothing happens gives the buffers back.
        _ = await socket.waitForReadyRead(timeout: .zero)
        return socket
    }
}
