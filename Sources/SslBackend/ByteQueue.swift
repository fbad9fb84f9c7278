internal import Glibc

/// Bytes between `head` and `tail` of one allocation: appended at the end, taken from the front, moved to the start only when
/// the room behind the tail is too small. No ring, so both the readable and the writable part are one piece of memory.
///
/// The memory is not cleared on growth and not freed by reading it empty: ``releaseStorage()`` does that, when a connection
/// goes idle. It is wiped before it is freed, for it may have held plaintext.
@safe
public struct ByteQueue: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    @usableFromInline internal var head = 0
    @usableFromInline internal var tail = 0
    /// The size of the allocation in bytes; 0 without one.
    public private(set) var capacity = 0

    /// Makes an empty queue without storage.
    public init() {}

    deinit {
        if let base = unsafe base {
            unsafe explicit_bzero(base, capacity)
            unsafe free(base)
        }
    }

    /// How many bytes can be taken.
    @inlinable public var count: Int { tail - head }
    /// True when nothing can be taken.
    @inlinable public var isEmpty: Bool { head == tail }

    /// The bytes that can be taken. Valid until the next mutation.
    public var readable: UnsafeRawBufferPointer {
        guard let base = unsafe base else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeRawBufferPointer(start: base + head, count: tail - head)
    }

    /// Drops the first `n` bytes; `n` beyond ``count`` drops all.
    public mutating func consume(_ n: Int) {
        head += min(max(n, 0), tail - head)
        if head == tail {
            head = 0
            tail = 0
        }
    }

    /// Room for at least `minimum` bytes behind the last one; write there, then ``commit(_:)``. Valid until the next mutation.
    public mutating func writable(minimum: Int) -> UnsafeMutableRawBufferPointer {
        if capacity - tail < minimum { grow(minimum) }
        guard let base = unsafe base else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeMutableRawBufferPointer(start: base + tail, count: capacity - tail)
    }

    /// Says that `n` bytes were written to the memory of ``writable(minimum:)``.
    public mutating func commit(_ n: Int) { tail += min(max(n, 0), capacity - tail) }

    /// Appends a copy of `bytes`.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        guard let target = unsafe writable(minimum: bytes.count).baseAddress else { return }
        unsafe memcpy(target, source, bytes.count)
        tail += bytes.count
    }

    /// Appends a copy of `bytes`.
    public mutating func append(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// Puts `bytes` before the first byte (as `ungetChar` needs).
    public mutating func prepend(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if head < bytes.count {
            let kept = count
            _ = unsafe writable(minimum: bytes.count)
            guard let base = unsafe base else { return }
            unsafe memmove(base + head + bytes.count, base + head, kept)
            tail += bytes.count
            head += bytes.count
        }
        head -= bytes.count
        guard let base = unsafe base else { return }
        unsafe memcpy(base + head, source, bytes.count)
    }

    /// Moves up to `target.count` bytes into `target` and returns how many.
    public mutating func take(into target: UnsafeMutableRawBufferPointer) -> Int {
        let n = min(count, target.count)
        guard n > 0, let base = unsafe base, let to = target.baseAddress else { return 0 }
        unsafe memcpy(to, base + head, n)
        consume(n)
        return n
    }

    /// Takes up to `limit` bytes as an array.
    public mutating func take(_ limit: Int = .max) -> [UInt8] {
        let bytes = unsafe [UInt8](UnsafeRawBufferPointer(rebasing: readable.prefix(limit)))
        consume(bytes.count)
        return bytes
    }

    /// Forgets all bytes but keeps the memory.
    public mutating func removeAll() {
        head = 0
        tail = 0
    }

    /// Wipes and gives back the memory if the queue is empty; does nothing otherwise.
    public mutating func releaseStorage() {
        guard head == tail, let old = unsafe base else { return }
        unsafe explicit_bzero(old, capacity)
        unsafe free(old)
        unsafe base = nil
        capacity = 0
        head = 0
        tail = 0
    }

    private mutating func grow(_ room: Int) {
        let kept = tail - head
        if let base = unsafe base, capacity - kept >= room, head >= capacity / 2 || kept == 0 {
            unsafe memmove(base, base + head, kept)
        } else {
            var size = max(capacity, 512)
            while size - kept < room { size *= 2 }
            guard let fresh = unsafe malloc(size) else { outOfMemory() }
            if let old = unsafe base {
                unsafe memcpy(fresh, old + head, kept)
                unsafe explicit_bzero(old, capacity)
                unsafe free(old)
            }
            unsafe base = fresh
            capacity = size
        }
        head = 0
        tail = kept
    }

    /// As everywhere in Swift, memory that cannot be had ends the process.
    private func outOfMemory() -> Never { abort() }
}
