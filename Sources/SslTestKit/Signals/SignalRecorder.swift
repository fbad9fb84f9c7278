public import SslSockets
internal import SslValues

/// Writes down everything a socket signals, with what the socket says of itself at that moment.
///
/// ```swift
/// let recorder = SignalRecorder(socket)
/// …
/// #expect(recorder.trace == ["hostFound | hostLookup plain", "stateChanged connecting | connecting plain", …])
/// ```
/// It belongs to the isolation of the socket, which keeps it as long as it lives; it does not keep the socket.
public final class SignalRecorder {
    /// One emission.
    public struct Entry: Sendable, Hashable, CustomStringConvertible {
        /// The name of the signal.
        public var signal: String
        /// What it carried, in few words that are the same for every backend; empty for nothing.
        public var payload: String
        /// What the socket said of itself inside the slot.
        public var state: SslSocketState
        /// Its role.
        public var mode: SslMode
        /// Whether it was encrypted.
        public var isEncrypted: Bool

        /// For example `encrypted | connected client tls`.
        public var description: String {
            let role =
                switch mode {
                case .unencrypted: "plain"
                case .sslClient: "client"
                case .sslServer: "server"
                }
            return "\(signal)\(payload.isEmpty ? "" : " " + payload) | \(state) \(role)\(isEncrypted ? " tls" : "")"
        }
    }

    /// Every emission, in order.
    public private(set) var entries: [Entry] = []
    /// The octets of ciphertext announced by `encryptedBytesWritten` in all.
    public private(set) var encryptedBytesWritten = 0
    private var connections: [SignalConnection] = []

    /// Begins to record.
    public init(_ socket: SslSocket) {
        listen(socket.hostFound, "hostFound")
        listen(socket.connected, "connected")
        listen(socket.disconnected, "disconnected")
        listen(socket.stateChanged, "stateChanged") { "\($0)" }
        listen(socket.errorOccurred, "errorOccurred") { $0.code.rawValue }
        listen(socket.readyRead, "readyRead")
        listen(socket.bytesWritten, "bytesWritten") { "\($0)" }
        listen(socket.aboutToClose, "aboutToClose")
        listen(socket.readChannelFinished, "readChannelFinished")
        listen(socket.encrypted, "encrypted")
        listen(socket.modeChanged, "modeChanged") { "\($0)" }
        listen(socket.peerVerifyError, "peerVerifyError") { "\($0.code)" }
        listen(socket.sslErrors, "sslErrors") { $0.map { "\($0.code)" }.joined(separator: " ") }
        listen(socket.handshakeInterruptedOnError, "handshakeInterruptedOnError") { "\($0.code)" }
        listen(socket.alertSent, "alertSent") { "\($0.type)" }
        listen(socket.alertReceived, "alertReceived") { "\($0.type)" }
        listen(socket.newSessionTicketReceived, "newSessionTicketReceived")
        connections.append(
            socket.encryptedBytesWritten.connect { [self] socket, count in
                encryptedBytesWritten += count
                note(socket, "encryptedBytesWritten", "\(count)")
            })
    }

    /// Records no more.
    public func stop() {
        for connection in connections { connection.disconnect() }
        connections = []
    }

    private func listen<Payload>(
        _ signal: Signal<SslSocket, Payload>, _ name: String, _ text: @escaping (Payload) -> String = { _ in "" }
    ) {
        connections.append(signal.connect { [self] socket, payload in note(socket, name, text(payload)) })
    }

    private func note(_ socket: SslSocket, _ signal: String, _ payload: String) {
        entries.append(
            Entry(
                signal: signal, payload: payload, state: socket.state, mode: socket.mode, isEncrypted: socket.isEncrypted))
    }

    /// The emissions without what depends on how TCP cuts the stream, so that it can be compared.
    ///
    /// `encryptedBytesWritten` is left out. In a stretch in which nothing happens but the traffic of data, what was written comes first, in one
    /// sum, then the tickets and then the data that came, each once.
    public var trace: [String] {
        var lines: [String] = []
        var written: (count: Int, last: Entry)?
        var ticket: Entry?
        var data: Entry?
        func close() {
            if let written {
                var entry = written.last
                entry.payload = "\(written.count)"
                lines.append("\(entry)")
            }
            for entry in [ticket, data] { if let entry { lines.append("\(entry)") } }
            written = nil
            ticket = nil
            data = nil
        }
        for entry in entries {
            switch entry.signal {
            case "encryptedBytesWritten": break
            case "bytesWritten": written = ((written?.count ?? 0) + (Int(entry.payload) ?? 0), entry)
            case "newSessionTicketReceived": ticket = entry
            case "readyRead": data = entry
            default:
                close()
                lines.append("\(entry)")
            }
        }
        close()
        return lines
    }
}
