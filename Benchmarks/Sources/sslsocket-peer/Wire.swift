/// The first octets of a client: what it wants the server to do.
struct Request {
    /// What a server can be asked.
    enum Operation: UInt8 {
        /// Read `total` octets, then acknowledge.
        case take = 0x53  // S
        /// Send `total` octets in writes of `size`.
        case give = 0x52  // R
        /// Send back each message of `size` octets.
        case echo = 0x50  // P
        /// Acknowledge and read to the end.
        case hello = 0x48  // H
        /// Acknowledge and keep the connection open.
        case idle = 0x49  // I
    }
    var operation: Operation
    var total = 0
    var size = 0

    /// Operation, seven zero octets, total and size in 64 bits, little-endian.
    static let length = 24

    init(_ operation: Operation, total: Int = 0, size: Int = 0) {
        self.operation = operation
        self.total = total
        self.size = size
    }

    /// nil when the octets are no request.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count == Self.length, let first = bytes.first, let operation = Operation(rawValue: first) else { return nil }
        self.operation = operation
        total = Self.number(bytes.dropFirst(8).prefix(8))
        size = Self.number(bytes.dropFirst(16))
        guard total >= 0, size >= 0, size <= 1 << 30, operation != .give || size > 0 else { return nil }
    }

    var bytes: [UInt8] { [operation.rawValue, 0, 0, 0, 0, 0, 0, 0] + Self.octets(total) + Self.octets(size) }

    private static func octets(_ number: Int) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    private static func number(_ octets: ArraySlice<UInt8>) -> Int { octets.reversed().reduce(0) { $0 << 8 | Int($1) } }
}

/// What a server says when it has done what was asked.
let acknowledgement: [UInt8] = [UInt8(ascii: "k")]

/// A client asks, a server answers in pieces; beyond so much ciphertext queued, a sender waits for the system.
let highWater = 65_536
