internal import SslValues

/// The textual encoding of certificates and keys (RFC 7468): Base64 between two marked lines.
package enum Pem {
    /// One `-----BEGIN label-----` block.
    struct Block: Sendable, Hashable {
        var label: String
        /// What stands before the content in old files (RFC 1421 section 4.6), for example `DEK-Info`.
        var headers: [String: String] = [:]
        var der: [UInt8]
    }

    /// A block whose content is secret.
    struct SecretBlock: Sendable {
        var label: String
        var headers: [String: String]
        var der: SecretBytes
    }

    /// The blocks of a text, in order. Text around them is skipped; a block that cannot be decoded ends the list with an error.
    static func blocks(in text: [UInt8], labels: Set<String>) throws(SslSocketError) -> [Block] {
        var found: [Block] = []
        try scan(text) { label, headers, der in
            if labels.contains(label) { found.append(Block(label: label, headers: headers, der: der)) }
        }
        return found
    }

    /// The certificates (DER) of a PEM file. Those in OpenSSL's own format, which may carry rules that nobody else knows, are left out.
    static func certificates(inFile path: String) throws(SslSocketError) -> [[UInt8]] {
        try blocks(in: FileReader.read(path), labels: ["CERTIFICATE", "X509 CERTIFICATE"]).map(\.der)
    }

    /// The same for secrets: nothing of them is left in memory but what is returned.
    static func secretBlocks(in text: SecretBytes, labels: Set<String>) throws(SslSocketError) -> [SecretBlock] {
        var found: [SecretBlock] = []
        var copy = text.copy
        defer { copy.wipe() }
        try scan(copy) { label, headers, der in
            if labels.contains(label) {
                found.append(SecretBlock(label: label, headers: headers, der: SecretBytes(der)))
            }
        }
        return found
    }

    /// No label there is makes a first line longer than this.
    private static let longestBegin = 80

    /// Hands out each block, whose content is wiped afterwards.
    private static func scan(
        _ text: [UInt8], _ visit: (_ label: String, _ headers: [String: String], _ der: [UInt8]) -> Void
    ) throws(SslSocketError) {
        var label: String?
        var end: [UInt8] = []
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        // A growing array would leave parts of a secret behind.
        body.reserveCapacity(text.count)
        defer { body.wipe() }
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
            let line = trimmed(line)
            if let open = label {
                if line.elementsEqual(end) {
                    guard var der = decodeBase64(body) else {
                        throw SslSocketError(.invalidUserData, "A PEM block \"\(open)\" is not valid Base64")
                    }
                    visit(open, headers, der)
                    der.wipe()
                    label = nil
                } else if body.isEmpty, let colon = line.firstIndex(of: UInt8(ascii: ":")) {
                    let name = String(decoding: line[..<colon], as: UTF8.self)
                    headers[name] = String(decoding: trimmed(line[(colon + 1)...]), as: UTF8.self)
                } else {
                    body.append(contentsOf: line)
                }
            } else if line.starts(with: "-----BEGIN ".utf8), 17...Self.longestBegin ~= line.count,
                line.suffix(5).elementsEqual("-----".utf8)
            {
                label = String(decoding: line.dropFirst(11).dropLast(5), as: UTF8.self)
                end = Array("-----END ".utf8) + line.dropFirst(11)
                headers = [:]
                body.wipe()
                body.removeAll(keepingCapacity: true)
            }
        }
        if let open = label {
            throw SslSocketError(.invalidUserData, "A PEM block \"\(open)\" has no end: the data is cut off")
        }
    }

    /// The PEM form, in lines of 64 characters.
    static func encode(_ der: [UInt8], label: String, headers: [String] = []) -> String {
        let base64 = encodeBase64(der)
        var text = "-----BEGIN \(label)-----\n"
        if !headers.isEmpty { text += headers.joined(separator: "\n") + "\n\n" }
        var rest = base64[...]
        while !rest.isEmpty {
            text += String(decoding: rest.prefix(64), as: UTF8.self) + "\n"
            rest = rest.dropFirst(64)
        }
        return text + "-----END \(label)-----\n"
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        while let last = line.last, last == 13 || last == 32 || last == 9 { line.removeLast() }
        while let first = line.first, first == 32 || first == 9 { line.removeFirst() }
        return line
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encodeBase64(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var group = UInt32(bytes[index]) << 16
            if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { group |= UInt32(bytes[index + 2]) }
            text.append(alphabet[Int(group >> 18 & 63)])
            text.append(alphabet[Int(group >> 12 & 63)])
            text.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            text.append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
            index += 3
        }
        return text
    }

    /// Strict Base64 (RFC 4648 section 4) without white space; nil for anything else.
    package static func decodeBase64(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var group: UInt32 = 0
        var have = 0
        for character in text.dropLast(padding) {
            let value: UInt32
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(character) - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(character) - 97 + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(character) - 48 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            group = group << 6 | value
            have += 1
            if have == 4 {
                bytes.append(UInt8(group >> 16 & 255))
                bytes.append(UInt8(group >> 8 & 255))
                bytes.append(UInt8(group & 255))
                group = 0
                have = 0
            }
        }
        switch have {
        case 0: break
        case 2:
            guard group & 15 == 0 else { return nil }
            bytes.append(UInt8(group >> 4 & 255))
        case 3:
            guard group & 3 == 0 else { return nil }
            bytes.append(UInt8(group >> 10 & 255))
            bytes.append(UInt8(group >> 2 & 255))
        default: return nil
        }
        return bytes
    }
}
