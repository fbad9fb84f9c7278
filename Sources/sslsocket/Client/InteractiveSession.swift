internal import SslSockets

/// Standard input to the server and the server to standard output, both at once, until the server ends the connection.
///
/// The end of standard input only ends our half: what the server still has to say is printed.
actor InteractiveSession {
    private let socket: SslSocket

    init(_ socket: sending SslSocket) { self.socket = socket }

    /// Runs until the end. Returns what went wrong, nil for nothing.
    func run() async -> SslSocketError? {
        let input: StandardInput
        do throws(ToolFailure) {
            input = try StandardInput()
        } catch {
            return SslSocketError(.socketResource, error.message)
        }
        let upload = Task { await self.upload(input) }
        let failure = await download()
        // The server has ended the connection: nobody waits for the keyboard any longer.
        upload.cancel()
        await upload.value
        await socket.finish()
        return failure
    }

    private func upload(_ input: StandardInput) async {
        do throws(SslSocketError) {
            while let chunk = await input.next() { try await socket.send(chunk) }
            if !Task.isCancelled { try await socket.finishWriting() }
        } catch {
            // Reading fails too, and tells why.
        }
    }

    private func download() async -> SslSocketError? {
        do throws(SslSocketError) {
            while true {
                let bytes = try await socket.receive()
                if bytes.isEmpty { return nil }
                await Threads.run { Console.write(bytes) }
            }
        } catch {
            return error
        }
    }
}
