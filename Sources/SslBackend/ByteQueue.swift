internal import Glibc

/// Bytes between `head` and `tail` of one allocation: appended at the end, taken from the front, and put back there. They are moved only
/// when the room on that side is too small. No ring, so both the readable and the writable part are one piece of memory.
///
/// Every operation costs as much as the bytes it is given, on average: what is moved has been paid for by as many bytes that were taken,
/// appended or prepended since the last time, for otherwise the memory is doubled.
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
    /// How many bytes were moved to make room since the queue was made: the whole cost of it beyond the bytes that go in and out.
    package private(set) var movedBytes = 0

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
        if head < bytes.count { makeRoomBefore(bytes.count) }
        guard let base = unsafe base else { return }
        head -= bytes.count
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

    /// Room behind the last byte.
    private mutating func grow(_ room: Int) {
        let kept = tail - head
        var size = capacity
        // Moving what is kept is paid for by as many bytes taken before it.
        if capacity - kept < room || head < kept {
            size = max(2 * capacity, 512)
            while size - kept < room { size *= 2 }
        }
        move(to: 0, of: size)
    }

    /// Room before the first byte: as much again as there is to move, on both sides, so that neither end moves all of it again soon.
    private mutating func makeRoomBefore(_ room: Int) {
        let kept = tail - head
        let spare = max(kept, 64)
        var size = max(capacity, 512)
        while size < room + kept + 2 * spare { size *= 2 }
        move(to: room + spare, of: size)
    }

    /// Puts the bytes at `place` of memory of `size` bytes, the present one if it has that size.
    private mutating func move(to place: Int, of size: Int) {
        let kept = tail - head
        if let base = unsafe base, size == capacity {
            unsafe memmove(base + place, base + head, kept)
        } else {
            guard let fresh = unsafe malloc(size) else { outOfMemory() }
            if let old = unsafe base {
                unsafe memcpy(fresh + place, old + head, kept)
                unsafe explicit_bzero(old, capacity)
                unsafe free(old)
            }
            unsafe base = fresh
            capacity = size
        }
        movedBytes += kept
        head = place
        tail = place + kept
    }

    /// As everywhere in Swift, memory that cannot be had ends the process.
    private func outOfMemory() -> Never { abort() }
}
