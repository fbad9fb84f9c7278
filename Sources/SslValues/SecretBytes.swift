internal import Glibc

/// Secret octets that are wiped when the last reference goes: private keys, pre-shared keys, ticket keys.
///
/// Printing or reflecting it shows only the length. Two are equal when their octets are, compared in constant time.
@safe
public final class SecretBytes: Sendable {
    // Written only by the initializers, so that sharing it between threads is safe.
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer
    /// How many octets.
    public let count: Int

    /// Takes a copy of `bytes`. The caller's own copy is the caller's to wipe.
    public init(_ bytes: UnsafeRawBufferPointer) {
        count = bytes.count
        guard let memory = unsafe malloc(max(bytes.count, 1)) else { abort() }
        if let source = bytes.baseAddress { unsafe memcpy(memory, source, bytes.count) }
        unsafe base = memory
    }

    /// Takes a copy of `bytes`. The array itself cannot be wiped from here.
    public convenience init(_ bytes: [UInt8]) {
        self.init(bytes.span)
    }

    /// Takes a copy of `bytes`.
    public init(_ bytes: Span<UInt8>) {
        count = bytes.count
        guard let memory = unsafe malloc(max(bytes.count, 1)) else { abort() }
        unsafe bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { unsafe memcpy(memory, start, source.count) }
        }
        unsafe base = memory
    }

    deinit {
        unsafe explicit_bzero(base, count)
        unsafe free(base)
    }

    /// Lends the octets for the time of `body`.
    public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }
}

extension SecretBytes: Hashable, CustomStringConvertible, CustomReflectable {
    public static func == (a: SecretBytes, b: SecretBytes) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for i in 0..<a.count {
            difference |= unsafe a.base.load(fromByteOffset: i, as: UInt8.self) ^ b.base.load(fromByteOffset: i, as: UInt8.self)
        }
        return difference == 0
    }

    /// Hashes only the length, so that no secret reaches a hash table's layout.
    public func hash(into hasher: inout Hasher) { hasher.combine(count) }

    /// Only the length.
    public var description: String { "<\(count) secret octets>" }

    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretBytes {
    /// Takes a copy of `bytes` and wipes them.
    package convenience init(wiping bytes: inout [UInt8]) {
        self.init(bytes)
        bytes.wipe()
    }

    /// A copy that the caller wipes.
    package var copy: [UInt8] { unsafe withBytes { unsafe [UInt8]($0) } }
}

extension [UInt8] {
    /// Overwrites secret octets before the memory goes back. Copies made before are not reached: grow no array of secrets, reserve its room.
    package mutating func wipe() {
        unsafe withUnsafeMutableBytes { octets in
            if let start = octets.baseAddress { unsafe explicit_bzero(start, octets.count) }
        }
    }
}
