internal import SslBackend
public import SslValues

// The Swift-native way: async calls that throw.
extension SslSocket {
    /// Connects and encrypts as a client.
    ///
    /// - Parameters:
    ///   - host: a name or an address; the peer's certificate must prove it.
    ///   - port: the TCP port.
    ///   - configuration: the settings; ``SslConfiguration/default`` when left out.
    ///   - timeout: for everything up to the end of the handshake; nil for no limit.
    /// - Throws: ``SslSocketError``; ``SslSocketError/Code/peerVerificationFailed`` when the certificate is refused.
    public static func connect(
        to host: String, port: UInt16, configuration: SslConfiguration = .default, timeout: Duration? = .seconds(30)
    ) async throws(SslSocketError) -> sending SslSocket {
        let socket = SslSocket(configuration: configuration)
        socket.connectToHostEncrypted(host, port: port)
        guard await socket.suspend(until: .encrypted, timeout: timeout) else {
            let error = socket.error
            socket.abort()
            throw error ?? SslSocketError(.remoteHostClosed, "The connection ended before it was encrypted")
        }
        return socket
    }

    /// Receives into memory, suspending until there is something.
    ///
    /// - Returns: the number of octets; 0 when the peer has finished properly.
    /// - Throws: ``SslSocketError/Code/truncated`` when the peer went away without saying so, and every other failure of the connection.
    public func receive(into span: inout OutputSpan<UInt8>, timeout: Duration? = nil) async throws(SslSocketError) -> Int {
        while true {
            let count = read(into: &span)
            if count > 0 || span.freeCapacity == 0 { return count }
            guard try await canGoOnReading(timeout) else { return 0 }
        }
    }

    /// Receives into memory, suspending until there is something: see ``receive(into:timeout:)-(OutputSpan<UInt8>,_)``.
    public func receive(
        into buffer: UnsafeMutableRawBufferPointer, timeout: Duration? = nil
    ) async throws(SslSocketError) -> Int {
        while true {
            let count = unsafe read(into: buffer)
            if count > 0 || buffer.count == 0 { return count }
            guard try await canGoOnReading(timeout) else { return 0 }
        }
    }

    /// Receives up to `maximum` octets, suspending until there is something; empty when the peer has finished properly.
    public func receive(upTo maximum: Int = 65_536, timeout: Duration? = nil) async throws(SslSocketError) -> [UInt8] {
        while true {
            let bytes = read(maximum)
            if !bytes.isEmpty || maximum <= 0 { return bytes }
            guard try await canGoOnReading(timeout) else { return [] }
        }
    }

    /// Receives a line with its newline; at the end of the stream what is left, then empty.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when a line is longer than `maximum`; it stays in the buffer then.
    public func receiveLine(_ maximum: Int = 65_536, timeout: Duration? = nil) async throws(SslSocketError) -> [UInt8] {
        while !canReadLine {
            if incoming.count >= maximum {
                throw SslSocketError(.invalidUserData, "The peer's line is longer than \(maximum) octets")
            }
            if isReadFinished || state == .unconnected { break }
            let before = announcements
            if !(await suspend(until: .data(since: before), timeout: timeout)), announcements == before { break }
        }
        if incoming.isEmpty { guard try await canGoOnReading(timeout) else { return [] } }
        return readLine(maximum)
    }

    /// Waits until something can be read. False when the stream has ended properly.
    private func canGoOnReading(_ timeout: Duration?) async throws(SslSocketError) -> Bool {
        if !incoming.isEmpty { return true }
        if state != .unconnected, !isReadFinished { _ = await suspend(until: .readable, timeout: timeout) }
        if !incoming.isEmpty { return true }
        guard let error else {
            if state == .unconnected || isReadFinished { return false }
            return true
        }
        switch error.code {
        case .remoteHostClosed: return false
        default: throw error
        }
    }

    /// Sends octets, suspending until the system has taken them all: memory stays bounded however slow the peer is.
    public func send(_ bytes: [UInt8], timeout: Duration? = nil) async throws(SslSocketError) {
        var rest = bytes[...]
        // A piece at a time, so that no copy of everything is queued.
        repeat {
            let piece = rest.prefix(262_144)
            rest = rest.dropFirst(piece.count)
            guard write(Array(piece)) >= 0 else {
                throw error ?? SslSocketError(.operation, "The socket is not connected: nothing can be sent")
            }
            try await drain(timeout: timeout)
        } while !rest.isEmpty
    }

    /// Sends a text in UTF-8: see ``send(_:timeout:)-([UInt8],_)``.
    public func send(_ text: String, timeout: Duration? = nil) async throws(SslSocketError) {
        try await send(Array(text.utf8), timeout: timeout)
    }

    /// Sends what ``write(_:)-([UInt8])`` has queued, suspending until the system has taken it all.
    public func drain(timeout: Duration? = nil) async throws(SslSocketError) {
        guard !isReached(.drained) else { return }
        if !(await suspend(until: .drained, timeout: timeout)) {
            throw error ?? SslSocketError(.remoteHostClosed, "The connection ended before everything was sent")
        }
    }

    /// Ends the connection properly, suspending until everything was sent.
    public func finish(timeout: Duration? = .seconds(30)) async {
        close()
        if state != .unconnected { _ = await suspend(until: .disconnected, timeout: timeout) }
        if state != .unconnected { abort() }
    }
}
