internal import CSslLinux
internal import Glibc

/// Blocks of memory that are used again instead of being freed: what a driver receives into, and gathers ciphertext in.
///
/// A block is not cleared between two uses, for that would cost as much as the copy it saves; ``give(_:holdsPlaintext:)`` wipes one that
/// held plaintext when its user says so. All blocks are wiped before they go back to the system.
package enum BufferPool {
    /// The sizes there are.
    package enum Size: Int, Sendable, CaseIterable {
        /// 16 KiB: one TLS record of plaintext.
        case small = 16_384
        /// 128 KiB: what one receive or send moves in bulk.
        case large = 131_072
    }

    /// How many free blocks of each size are kept.
    package static let limit = 32

    @safe
    private struct FreeLists {
        var small: [UnsafeMutableRawPointer] = unsafe []
        var large: [UnsafeMutableRawPointer] = unsafe []

        mutating func pop(_ size: Size) -> UnsafeMutableRawPointer? {
            switch size {
            case .small: unsafe small.popLast()
            case .large: unsafe large.popLast()
            }
        }

        /// False when enough of them are kept already.
        mutating func push(_ block: UnsafeMutableRawPointer, _ size: Size) -> Bool {
            switch size {
            case .small:
                guard unsafe small.count < limit else { return false }
                unsafe small.append(block)
            case .large:
                guard unsafe large.count < limit else { return false }
                unsafe large.append(block)
            }
            return true
        }
    }

    private static let free = Lock(FreeLists())

    /// A block of `size` with unspecified content.
    package static func take(_ size: Size) -> UnsafeMutableRawBufferPointer {
        let block = unsafe free.withLock { unsafe $0.pop(size) }
        if let block = unsafe block { return unsafe UnsafeMutableRawBufferPointer(start: block, count: size.rawValue) }
        // As everywhere in Swift, memory that cannot be had ends the process.
        guard let fresh = unsafe malloc(size.rawValue) else { abort() }
        return unsafe UnsafeMutableRawBufferPointer(start: fresh, count: size.rawValue)
    }

    /// Gives back a whole block that ``take(_:)`` returned. With `holdsPlaintext` it is wiped at once.
    package static func give(_ block: UnsafeMutableRawBufferPointer, holdsPlaintext: Bool = false) {
        guard let base = block.baseAddress, let size = Size(rawValue: block.count) else {
            assertionFailure("a block that is not of this pool, or not a whole one")
            return
        }
        if holdsPlaintext { unsafe ssllinux_wipe(base, block.count) }
        let kept = free.withLock { unsafe $0.push(base, size) }
        if !kept { unsafe release(base, size) }
    }

    /// Wipes and frees all blocks that nobody uses.
    package static func trim() {
        let all = free.withLock { lists in
            let all = lists
            lists = FreeLists()
            return all
        }
        unsafe all.small.forEach { unsafe release($0, .small) }
        unsafe all.large.forEach { unsafe release($0, .large) }
    }

    /// How many free blocks of `size` are kept just now.
    package static func kept(_ size: Size) -> Int {
        free.withLock { lists in
            switch size {
            case .small: unsafe lists.small.count
            case .large: unsafe lists.large.count
            }
        }
    }

    private static func release(_ block: UnsafeMutableRawPointer, _ size: Size) {
        unsafe ssllinux_wipe(block, size.rawValue)
        unsafe Glibc.free(block)
    }
}
