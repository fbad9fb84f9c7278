internal import SslSockets

/// A file of pre-shared keys as GnuTLS's psktool writes it: a line `identity:key` each, the key in hexadecimal digits. An identity that
/// begins with `#` is hexadecimal too.
enum PreSharedKeyFile {
    /// Reads the keys of a file, which may be a pipe. What was read is wiped.
    ///
    /// - Throws: ``ToolFailure``; its message names the line and never what stands there.
    static func read(_ path: String, hash: SslHash) throws(ToolFailure) -> [SslPreSharedKey] {
        var content: [UInt8]
        do throws(SslSocketError) {
            content = try FileReader.read(path)
        } catch {
            throw ToolFailure(error)
        }
        defer { content.wipe() }
        return try keys(content, hash: hash, path: path)
    }

    /// The keys that stand in `content`.
    static func keys(_ content: [UInt8], hash: SslHash, path: String) throws(ToolFailure) -> [SslPreSharedKey] {
        var list: [SslPreSharedKey] = []
        for (index, whole) in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let line = whole.last == UInt8(ascii: "\r") ? whole.dropLast() : whole
            if line.isEmpty { continue }
            func wrong(_ what: String) -> ToolFailure { ToolFailure(.unreadable, "\(path), line \(index + 1): \(what)") }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw wrong("there is no \"identity:key\"") }
            var identity = Array(line[..<colon])
            if identity.first == UInt8(ascii: "#") {
                guard let octets = Hex.decode(identity.dropFirst()) else {
                    throw wrong("what follows # is no hexadecimal identity")
                }
                identity = octets
            }
            guard var octets = Hex.decode(line[(colon + 1)...]) else { throw wrong("the key is not in hexadecimal digits") }
            do throws(SslSocketError) {
                list.append(try SslPreSharedKey(identity: identity, key: SecretBytes(wiping: &octets), hash: hash))
            } catch {
                throw wrong(error.message)
            }
        }
        guard !list.isEmpty else { throw ToolFailure(.unreadable, "\(path): there is no key") }
        return list
    }
}

extension Hex {
    /// The octets of hexadecimal digits, two each; nil for anything else.
    static func decode(_ digits: some Collection<UInt8>) -> [UInt8]? {
        guard digits.count % 2 == 0 else { return nil }
        var octets: [UInt8] = []
        // An array of secrets must not grow, for what it leaves behind cannot be wiped.
        octets.reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
            default:
                octets.wipe()
                return nil
            }
            if let first = high {
                octets.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return octets
    }
}
