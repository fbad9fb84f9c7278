internal import SslSockets

/// One text sent and the answer to it.
///
/// Nobody can tell from outside when an answer is complete: it ends when the server ends the connection, or has been quiet for a while.
struct Exchange {
    let socket: SslSocket
    /// The answer is kept instead of being printed.
    let keepsAnswer: Bool
    /// How long the first octet may take.
    let timeout: Duration
    /// How long the server may be quiet afterwards.
    let quiet: Duration
    private(set) var answer: [UInt8] = []

    init(socket: SslSocket, keepsAnswer: Bool, timeout: Duration, quiet: Duration) {
        self.socket = socket
        self.keepsAnswer = keepsAnswer
        self.timeout = timeout
        self.quiet = quiet
    }

    /// Sends, receives, ends the connection. Returns what went wrong, nil for nothing.
    mutating func run(_ text: String) async -> SslSocketError? {
        var hasAnswer = false
        var unsent: SslSocketError?
        do throws(SslSocketError) {
            try await socket.send(text, timeout: timeout)
        } catch {
            // A server that speaks first may have said everything and ended by now: what it said still counts.
            guard socket.bytesAvailable > 0 else {
                socket.abort()
                return error
            }
            unsent = SslSocketError(.remoteHostClosed, "The server ended the connection before it took the text")
        }
        do throws(SslSocketError) {
            while true {
                let bytes = try await socket.receive(timeout: hasAnswer ? quiet : timeout)
                if bytes.isEmpty { break }
                hasAnswer = true
                if keepsAnswer { answer += bytes } else { Console.write(bytes) }
            }
        } catch {
            guard hasAnswer, error.code == .socketTimeout else {
                socket.abort()
                return error
            }
        }
        await socket.finish(timeout: timeout)
        return unsent
    }
}
