internal import Glibc
internal import SslBackend

/// The way out of one connection: takes what the engine produces and sends it, as much as possible in one system call.
///
/// During the handshake each flight leaves as it is produced, so that the peer works while this end goes on. Afterwards records are gathered
/// up to 64 KiB. What the system does not take stays in the queue.
package final class SocketOutput: TlsSink {
    private var queue = ByteQueue()
    /// Its size, apart because it is asked for after every write: reading a number needs no check for exclusive access.
    private var queued = 0
    // None of these is visible outside the module, so that the compiler proves their accesses exclusive instead of checking each.

    /// Where to send; nil keeps everything queued (before there is a descriptor, and in memory pipes).
    var descriptor: SocketDescriptor?
    /// Sends each piece as it comes, when nothing is queued before it.
    var sendsAtOnce = true
    /// The errno that ended sending; 0 while it works.
    private(set) var failure: Int32 = 0
    /// Octets given to the system since ``takeSent()``.
    private var sent = 0
    /// The system took less than it was given: wait until it is writable.
    private(set) var isBlocked = false

    /// One system call carries so much.
    private static let batch = 65_536
    /// No more plaintext is encrypted beyond so much.
    static let limit = 131_072

    /// Makes an output without a descriptor.
    package init() {}

    /// Octets not taken by the system yet.
    package var count: Int { queued }
    /// How much memory the queue holds.
    var capacity: Int { queue.capacity }
    /// More may be encrypted.
    package var hasRoom: Bool { queued < Self.limit && failure == 0 }
    /// How many octets of plaintext may be encrypted now, in whole records.
    package func room(for record: Int) -> Int { max((Self.limit - queued) / record, 1) * record }

    package func put(_ bytes: UnsafeRawBufferPointer) {
        var rest = unsafe bytes
        if queued == 0, sendsAtOnce, !isBlocked, let descriptor, failure == 0 {
            switch unsafe descriptor.send(rest) {
            case .bytes(let n):
                sent += n
                if n == rest.count { return }
                isBlocked = true
                unsafe rest = unsafe UnsafeRawBufferPointer(rebasing: rest.dropFirst(n))
            case .wouldBlock: isBlocked = true
            case .endOfStream: return
            case .failed(let code):
                failure = code
                return
            }
        }
        unsafe queue.append(rest)
        queued += rest.count
        if queued >= Self.batch || sendsAtOnce { drain() }
    }

    /// Queues octets of the plain phase; full batches are sent at once, from the caller's memory if possible.
    package func append(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count >= Self.batch { return unsafe put(bytes) }
        unsafe queue.append(bytes)
        queued += bytes.count
        if queued >= Self.batch { drain() }
    }

    /// Sends what is queued until the system takes no more.
    package func drain() {
        guard queued > 0, let descriptor, failure == 0, !isBlocked else { return }
        while queued > 0 {
            switch unsafe descriptor.send(queue.readable) {
            case .bytes(let n):
                sent += n
                queued -= n
                queue.consume(n)
            case .wouldBlock:
                isBlocked = true
                return
            case .endOfStream: return
            case .failed(let code):
                failure = code
                queued = 0
                queue.removeAll()
                return
            }
        }
    }

    /// The system says that it takes more.
    package func unblock() { isBlocked = false }

    /// Octets were given to the system since the last call of ``takeSent()``.
    var hasSent: Bool { sent > 0 }

    /// Octets given to the system since the last call.
    package func takeSent() -> Int {
        defer { sent = 0 }
        return sent
    }

    /// Gives the memory back while nothing is queued.
    package func releaseBuffers() { queue.releaseStorage() }

    /// Forgets what is queued.
    package func discard() {
        queued = 0
        queue.removeAll()
        queue.releaseStorage()
    }

    /// As if it had just been made.
    package func reset() {
        discard()
        descriptor = nil
        sendsAtOnce = true
        failure = 0
        sent = 0
        isBlocked = false
    }

    /// Takes what is queued, for a driver that is no socket.
    package func take(_ limit: Int = .max) -> [UInt8] {
        let bytes = queue.take(limit)
        queued -= bytes.count
        return bytes
    }
}
