import SslSockets

// A plain thread: what is not there is waited for with the blocking waits.
extension SslSocket {
    /// Reads at least one octet. 0 at the end of the connection.
    func readSome(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = unsafe read(into: buffer)
            if count > 0 { return count }
            if !waitForReadyRead(), bytesAvailable == 0 { return 0 }
        }
    }

    /// Reads exactly `count` octets; false when the connection ends before.
    func readFully(_ count: Int, _ scratch: Scratch) -> Bool {
        var got = 0
        while got < count {
            let n = unsafe readSome(into: scratch.part(got, count))
            guard n > 0 else { return false }
            got += n
        }
        return true
    }

    /// Writes, and waits while too much is queued.
    func writeAll(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard unsafe write(bytes) == bytes.count else { return false }
        while encryptedBytesToWrite > highWater { guard waitForBytesWritten() else { return false } }
        return true
    }

    /// Sends everything that was written.
    func sendAll() -> Bool {
        flush()
        while bytesToWrite > 0 || encryptedBytesToWrite > 0 { guard waitForBytesWritten() else { return false } }
        return true
    }

    /// Writes a few octets and sends them.
    func send(_ bytes: [UInt8]) -> Bool { write(bytes) == bytes.count && sendAll() }

    /// Looks whether something came. A wait in which nothing happens gives the buffers back.
    func rest() { _ = waitForReadyRead(timeout: .zero) }

    /// Ends the connection properly.
    func leave() {
        close()
        if state != .unconnected { _ = waitForDisconnected() }
    }
}

/// Serves connections one after the other.
final class BlockingServer {
    private let options: Options
    private let configuration: SslConfiguration
    private var scratch = Scratch(highWater)
    private var kept: [SslSocket] = []

    init(_ options: Options, _ configuration: SslConfiguration) {
        self.options = options
        self.configuration = configuration
    }

    func run() {
        let server = SslServer(configuration: configuration)
        do throws(SslSocketError) {
            try server.listen(host: "127.0.0.1", port: options.port)
            line("READY")
            while let socket = try server.waitForNewConnection() {
                if serve(socket) { kept.append(socket) } else { socket.leave() }
            }
        } catch {
            die("\(error)")
        }
    }

    /// Does what the client asks. True when the connection is to be kept.
    private func serve(_ socket: SslSocket) -> Bool {
        guard socket.waitForEncrypted(), socket.readFully(Request.length, scratch),
            let request = unsafe Request([UInt8](scratch.first(Request.length))[...])
        else { return false }
        if unsafe request.size > scratch.bytes.count { scratch = Scratch(request.size) }
        switch request.operation {
        case .take:
            var got = 0
            while got < request.total {
                let count = unsafe socket.readSome(into: scratch.bytes)
                guard count > 0 else { return false }
                got += count
            }
            guard socket.send(acknowledgement) else { return false }
        case .give:
            var sent = 0
            while sent < request.total {
                guard unsafe socket.writeAll(scratch.first(request.size)) else { return false }
                sent += request.size
            }
            guard socket.sendAll() else { return false }
        case .echo:
            while socket.readFully(request.size, scratch) {
                guard unsafe socket.writeAll(scratch.first(request.size)) else { break }
                socket.flush()
            }
            return false
        case .hello:
            guard socket.send(acknowledgement) else { return false }
        case .idle:
            let isSent = socket.send(acknowledgement)
            socket.rest()
            return isSent
        }
        while unsafe socket.readSome(into: scratch.bytes) > 0 {}
        return false
    }
}

/// Measures.
struct BlockingClient {
    private let options: Options
    private let configuration: SslConfiguration
    private let scratch: Scratch

    init(_ options: Options, _ configuration: SslConfiguration) {
        self.options = options
        self.configuration = configuration
        scratch = Scratch(max(options.size, highWater))
    }

    func run() {
        switch options.mode {
        case .bulkSend: bulkSend()
        case .bulkReceive: bulkReceive()
        case .handshake, .resume: handshakes(resuming: options.mode == .resume)
        case .pingpong: pingpong()
        case .idle: idle()
        }
    }

    private func dial(_ configuration: SslConfiguration) -> SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.connectToHostEncrypted("127.0.0.1", port: options.port, peerVerifyName: "localhost")
        if !socket.waitForEncrypted() { die(socket.errorString) }
        return socket
    }

    private func ask(_ request: Request, _ socket: SslSocket) {
        if !socket.send(request.bytes) { die(socket.errorString) }
    }

    private func awaitAcknowledgement(_ socket: SslSocket) {
        if !socket.readFully(1, scratch) { die("no acknowledgement: \(socket.errorString)") }
    }

    private func bulkSend() {
        let total = options.count * options.size
        let socket = dial(configuration)
        let tls = socket.negotiated
        let measurement = Measurement(options)
        ask(Request(.take, total: total, size: options.size), socket)
        let bytes = unsafe scratch.first(options.size)
        for _ in 0..<options.count {
            if unsafe !socket.writeAll(bytes) { die(socket.errorString) }
        }
        if !socket.sendAll() { die(socket.errorString) }
        awaitAcknowledgement(socket)
        measurement.report(bytes: total, tls: tls)
        socket.leave()
    }

    private func bulkReceive() {
        let total = options.count * options.size
        let socket = dial(configuration)
        let tls = socket.negotiated
        let measurement = Measurement(options)
        ask(Request(.give, total: total, size: options.size), socket)
        var got = 0
        while got < total {
            let count = unsafe socket.readSome(into: scratch.bytes)
            if count == 0 { die("\(got) of \(total) octets: \(socket.errorString)") }
            got += count
        }
        measurement.report(bytes: total, tls: tls)
        socket.leave()
    }

    private func handshakes(resuming: Bool) {
        var configuration = configuration
        var resumed = 0
        var tls = ""
        // The first one warms up.
        hello(&configuration, resuming, &resumed, &tls)
        resumed = 0
        let measurement = Measurement(options)
        for _ in 0..<options.count { hello(&configuration, resuming, &resumed, &tls) }
        measurement.report(operations: options.count, tls: tls, resumed: resumed)
    }

    private func hello(_ configuration: inout SslConfiguration, _ resuming: Bool, _ resumed: inout Int, _ tls: inout String) {
        let socket = dial(configuration)
        ask(Request(.hello), socket)
        awaitAcknowledgement(socket)
        if resuming {
            if socket.isSessionResumed { resumed += 1 }
            if let ticket = socket.sessionTicket { configuration.sessionTicket = ticket }
        }
        if tls.isEmpty { tls = socket.negotiated }
        socket.leave()
    }

    private func pingpong() {
        let socket = dial(configuration)
        let tls = socket.negotiated
        ask(Request(.echo, size: options.size), socket)
        for _ in 0...options.count / 20 { roundTrip(socket) }
        let measurement = Measurement(options)
        for _ in 0..<options.count { roundTrip(socket) }
        measurement.report(operations: options.count, tls: tls)
        socket.leave()
    }

    private func roundTrip(_ socket: SslSocket) {
        guard unsafe socket.writeAll(scratch.first(options.size)) else { die(socket.errorString) }
        socket.flush()
        if !socket.readFully(options.size, scratch) { die(socket.errorString) }
    }

    private func idle() {
        var all: [SslSocket] = []
        func open() {
            let socket = dial(configuration)
            ask(Request(.idle), socket)
            awaitAcknowledgement(socket)
            socket.rest()
            all.append(socket)
        }
        open()
        line(#"{"peer":"sslsocket","mode":"idle","baseline":1}"#)
        guard readLine() != nil else { return }
        let measurement = Measurement(options)
        for _ in 1..<max(options.count, 1) { open() }
        measurement.report(operations: options.count - 1, tls: all[0].negotiated)
        while readLine() != nil {}
    }
}
