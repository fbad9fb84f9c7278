internal import Glibc
internal import SslValues

/// Reads and writes files of ticket keys.
enum TicketKeyFile {
    /// At most so many keys make a ring.
    static let mostKeys = 16
    /// How many octets a new key has.
    static let keyLength = 64
    /// A key has so many octets in our own form.
    static let keyLengths = 32...256
    /// Sixteen keys of the longest kind, with room for comments.
    private static let largest = 65_536

    /// What tells one content of a file from another without reading it.
    struct Stamp: Hashable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let modified: Int64
        let changed: Int64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
            changed = Int64(status.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_ctim.tv_nsec)
        }
    }

    /// The stamps of files; fewer when one is missing.
    static func stamps(_ paths: [String]) -> [Stamp] {
        paths.compactMap { path in
            var status = stat()
            return unsafe stat(path, &status) == 0 ? Stamp(status) : nil
        }
    }

    /// Reads the keys.
    static func read(_ paths: [String], _ format: SslTicketKeyFormat) throws(SslSocketError)
        -> (ring: SslTicketKeys.Ring, stamps: [Stamp])
    {
        var keys: [SecretBytes] = []
        var stamps: [Stamp] = []
        for path in paths {
            var (content, stamp) = try content(of: path)
            defer { content.wipe() }
            stamps.append(stamp)
            switch format {
            case .sslsocket: return (try Lines.ring(content, path), stamps)
            case .haproxy: return (try Lines.haproxyRing(content, path), stamps)
            case .nginx: keys.append(try sized(content, path))
            }
        }
        guard let current = keys.first else { throw SslSocketError(.invalidUserData, "There is no file of ticket keys") }
        return (SslTicketKeys.Ring(current: current, previous: Array(keys.dropFirst())), stamps)
    }

    /// A key of OpenSSL's two lengths.
    static func sized(_ octets: [UInt8], _ place: String) throws(SslSocketError) -> SecretBytes {
        guard octets.count == 48 || octets.count == 80 else {
            throw SslSocketError(
                .invalidUserData, "\(place): a ticket key has 48 or 80 octets in this form, here there are \(octets.count)")
        }
        return SecretBytes(octets)
    }

    // MARK: Reading

    private static func content(of path: String) throws(SslSocketError) -> ([UInt8], Stamp) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("read", path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("read", path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SslSocketError(.unreadableFile, "\(path) is not a file, so no ticket keys are read from it")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw SslSocketError(
                .unreadableFile, "The ticket keys in \(path) belong to another user, who knows what is sealed with them")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw SslSocketError(
                .unreadableFile, "The ticket keys in \(path) are open to others than the owner of the file: chmod 600 \(path)")
        }
        guard status.st_size <= largest else {
            throw SslSocketError(.invalidUserData, "\(path) has more than \(largest) octets: it holds no ticket keys")
        }
        // One octet of room beyond the largest size, so that nothing moves in memory, and a file that grows meanwhile is noticed.
        var octets = [UInt8](repeating: 0, count: largest + 1)
        defer { octets.wipe() }
        var count = 0
        while count < octets.count {
            let n = unsafe octets.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress.map { unsafe $0 + count }, $0.count - count)
            }
            if n < 0 && errno == EINTR { continue }
            guard n >= 0 else { throw failure("read", path, errno) }
            if n == 0 { return (Array(octets[..<count]), Stamp(status)) }
            count += n
        }
        throw SslSocketError(.invalidUserData, "\(path) has more than \(largest) octets: it holds no ticket keys")
    }

    static func failure(_ what: String, _ path: String, _ code: Int32) -> SslSocketError {
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return SslSocketError(.unreadableFile, "Cannot \(what) the file \(path): \(reason)", systemError: code)
    }

    // MARK: Writing

    /// Replaces a file as a whole, so that nobody reads half of it; only its owner may read the new one.
    static func replace(_ path: String, with content: [UInt8]) throws(SslSocketError) {
        let suffix = try KeyEncryption.randomOctets(6).map { String($0, radix: 16) }.joined()
        let name = "\(path).\(suffix)"
        let descriptor = unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("write", path, errno) }
        var rest = content[...]
        var code: Int32 = 0
        while !rest.isEmpty, code == 0 {
            let n = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if n < 0 {
                if errno != EINTR { code = errno }
            } else {
                rest = rest.dropFirst(n)
            }
        }
        if code == 0, fsync(descriptor) != 0 { code = errno }
        if close(descriptor) != 0, code == 0 { code = errno }
        if code == 0, unsafe rename(name, path) != 0 { code = errno }
        guard code == 0 else {
            unsafe unlink(name)
            throw failure("write", path, code)
        }
    }

    // MARK: Forms of text

    /// The forms that are lines of text.
    private enum Lines {
        /// The lines that say something, with their numbers.
        private static func split(_ content: [UInt8]) -> [(number: Int, text: ArraySlice<UInt8>)] {
            var lines: [(Int, ArraySlice<UInt8>)] = []
            for (index, line) in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
                func isBlank(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 || octet == 0x0D }
                var text = line.drop(while: isBlank)
                while let last = text.last, isBlank(last) { text.removeLast() }
                if !text.isEmpty, text.first != UInt8(ascii: "#") { lines.append((index + 1, text)) }
            }
            return lines
        }

        static func ring(_ content: [UInt8], _ path: String) throws(SslSocketError) -> SslTicketKeys.Ring {
            var current: SecretBytes?
            var previous: [SecretBytes] = []
            var next: [SecretBytes] = []
            for (number, text) in split(content) {
                let words = text.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 })
                guard words.count == 2, var octets = Pem.decodeBase64(Array(words[1])) else {
                    throw wrong(path, number, "\"current\", \"previous\" or \"next\" and a key in Base64 are expected")
                }
                defer { octets.wipe() }
                guard keyLengths.contains(octets.count) else {
                    throw wrong(
                        path, number,
                        "a key has \(keyLengths.lowerBound) to \(keyLengths.upperBound) octets, here there are \(octets.count)")
                }
                switch Array(words[0]) {
                case Array("current".utf8):
                    guard current == nil else { throw wrong(path, number, "there is a second current key") }
                    current = SecretBytes(octets)
                case Array("previous".utf8): previous.append(SecretBytes(octets))
                case Array("next".utf8): next.append(SecretBytes(octets))
                default: throw wrong(path, number, "a line begins with \"current\", \"previous\" or \"next\"")
                }
            }
            guard let current else { throw SslSocketError(.invalidUserData, "\(path): there is no current ticket key") }
            guard previous.count + next.count < mostKeys else {
                throw SslSocketError(.invalidUserData, "\(path): there are more than \(mostKeys) ticket keys")
            }
            return SslTicketKeys.Ring(current: current, previous: previous, next: next)
        }

        static func haproxyRing(_ content: [UInt8], _ path: String) throws(SslSocketError) -> SslTicketKeys.Ring {
            var keys: [SecretBytes] = []
            for (number, text) in split(content) {
                guard var octets = Pem.decodeBase64(Array(text)) else { throw wrong(path, number, "a key in Base64 is expected") }
                defer { octets.wipe() }
                keys.append(try sized(octets, "\(path), line \(number)"))
            }
            guard (3...mostKeys).contains(keys.count), Set(keys.map(\.count)).count == 1 else {
                throw SslSocketError(
                    .invalidUserData, "\(path): 3 to \(mostKeys) ticket keys of the same length are expected, one a line")
            }
            return SslTicketKeys.Ring(
                current: keys[keys.count - 2], previous: Array(keys.dropLast(2)), next: Array(keys.suffix(1)))
        }

        private static func wrong(_ path: String, _ number: Int, _ what: String) -> SslSocketError {
            SslSocketError(.invalidUserData, "\(path), line \(number): \(what)")
        }
    }
}

extension SslTicketKeys {
    /// Rotates the keys of a file of the form ``SslTicketKeyFormat/sslsocket``: the next key becomes the current one, which is kept as the
    /// previous one, and a new next key is made. Makes the file if there is none. Only the owner can read the new file.
    ///
    /// Copy it to all servers before it is rotated again, and rotate no more often than tickets last, which is 2 hours.
    ///
    /// - Throws: as ``init(paths:format:)``; and ``SslSocketError/Code/unreadableFile`` when it cannot be written. The file is as before then.
    public static func rotateFile(_ path: String) throws(SslSocketError) {
        var status = stat()
        var lines = [("current", try makeKey()), ("next", try makeKey())]
        if unsafe stat(path, &status) == 0 || errno != ENOENT {
            let known = try TicketKeyFile.read([path], .sslsocket).ring
            if let next = known.next.first { lines[0].1 = next }
            lines.insert(("previous", known.current), at: 0)
        }
        var content: [UInt8] = []
        content.reserveCapacity(4096)
        defer { content.wipe() }
        for (role, key) in lines {
            var octets = key.copy
            var text = Pem.encodeBase64(octets)
            content += Array("\(role) ".utf8)
            content += text
            content.append(UInt8(ascii: "\n"))
            octets.wipe()
            text.wipe()
        }
        try TicketKeyFile.replace(path, with: content)
    }
}
