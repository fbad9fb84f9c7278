internal import SslBackend
internal import SslValues

/// Speaks a dialogue over a connected descriptor without ever waiting. It has buffers of its own: what the application has written or will read
/// is no part of the dialogue.
final class DialogueRun {
    /// What a turn came to.
    enum Outcome {
        /// Wait for ``DialogueRun/events``.
        case waiting
        /// The aim is reached; ``DialogueRun/takeLeftover()`` has what came after it.
        case done
        /// See ``DialogueStep/needsCredentials(realm:keepsConnection:)``.
        case needsCredentials(realm: String, keepsConnection: Bool)
        /// The other end has closed the connection.
        case ended
        /// The connection broke with this errno.
        case broken(Int32)
        /// The other end says no, or nonsense.
        case failed(SslSocketError)
    }

    /// The connection.
    let descriptor: SocketDescriptor
    private var dialogue: any Dialogue
    private var received = ByteQueue()
    private var unsent: ArraySlice<UInt8> = []

    /// - Parameter received: what has come already.
    init(_ dialogue: any Dialogue, over descriptor: SocketDescriptor, received: [UInt8] = []) {
        self.dialogue = dialogue
        self.descriptor = descriptor
        self.received.append(received)
    }

    /// What has to happen before another turn makes sense.
    var events: IOEvents { unsent.isEmpty ? .read : .write }

    /// Goes on with another dialogue on the same connection.
    func restart(with dialogue: any Dialogue) { self.dialogue = dialogue }

    /// Takes the octets that came after the end of the dialogue.
    func takeLeftover() -> [UInt8] { received.take() }

    /// Goes on as far as it is possible now.
    func progress() -> Outcome {
        while true {
            if let stop = send() { return stop }
            do throws(SslSocketError) {
                switch try dialogue.proceed(&received) {
                case .say(let octets): unsent = octets[...]
                case .listen: if let stop = receive() { return stop }
                case .done: return .done
                case .needsCredentials(let realm, let keeps): return .needsCredentials(realm: realm, keepsConnection: keeps)
                }
            } catch {
                return .failed(error)
            }
        }
    }

    private func send() -> Outcome? {
        while !unsent.isEmpty {
            switch unsafe unsent.withUnsafeBytes({ unsafe descriptor.send($0) }) {
            case .bytes(let count): unsent = unsent.dropFirst(count)
            case .wouldBlock: return .waiting
            case .endOfStream: return .ended
            case .failed(let code): return .broken(code)
            }
        }
        return nil
    }

    private func receive() -> Outcome? {
        let scratch = unsafe BufferPool.take(.small)
        defer { unsafe BufferPool.give(scratch) }
        switch unsafe descriptor.receive(into: scratch) {
        case .bytes(let count): unsafe received.append(UnsafeRawBufferPointer(rebasing: scratch.prefix(count)))
        case .wouldBlock: return .waiting
        case .endOfStream: return .ended
        case .failed(let code): return .broken(code)
        }
        return nil
    }
}
