/// Memory to send from and to receive into, made once.
@safe
final class Scratch {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int) {
        unsafe bytes = .allocate(byteCount: max(count, 1), alignment: 4096)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
    }

    deinit { unsafe bytes.deallocate() }

    /// The first `count` octets, to send.
    func first(_ count: Int) -> UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(count)) }

    /// The octets from `start` to `end`, to receive into.
    func part(_ start: Int, _ end: Int) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end])
    }
}
