public import SslValues

extension SslProxy {
    /// Reads a proxy from a URL: `socks5://host:port`, `http://user:password@host:port`. `socks5h` means the same as `socks5`: the
    /// proxy resolves names.
    ///
    /// Read strictly: the port must be there, an IPv6 address stands in brackets, user and password are percent-encoded where they hold anything
    /// but letters, digits and `-._~!$&'()*+,;=`, in the password also `:`, and nothing but one `/` may follow.
    /// - Throws: ``SslSocketError/Code/invalidUserData``; the message never holds user or password.
    public init(url: String) throws(SslSocketError) {
        guard let mark = url.firstRange(of: "://") else { throw Self.wrong("it needs to begin with socks5:// or http://") }
        let kind: Kind
        switch url[..<mark.lowerBound].lowercased() {
        case "socks5", "socks5h": kind = .socks5
        case "http": kind = .httpConnect
        case "https": throw Self.wrong("a proxy that is itself reached by TLS is not supported; use http:// or socks5://")
        default: throw Self.wrong("only socks5:// and http:// are supported")
        }
        var rest = url[mark.upperBound...]
        if rest.last == "/" { rest = rest.dropLast() }
        var user = ""
        var password = ""
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.decoded(parts[0], "user")
            if parts.count == 2 { password = try Self.decoded(parts[1], "password") }
            if user.isEmpty { throw Self.wrong("there is an @ without a user before it") }
            rest = rest[rest.index(after: at)...]
        }
        let (host, port) = try Self.place(rest)
        self.init(kind, host: host, port: port, user: user, password: password)
    }

    private static func place(_ text: Substring) throws(SslSocketError) -> (String, UInt16) {
        guard let colon = text.lastIndex(of: ":"), text[colon...].count > 1, !text.hasSuffix("]") else {
            throw wrong("the port is missing")
        }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), port > 0 else {
            throw wrong("the port is no number from 1 to 65535")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard let address = IpAddress(host), address.isIPv6 else {
                throw wrong("between the brackets stands no IPv6 address")
            }
        } else {
            guard !host.isEmpty else { throw wrong("the host is missing") }
            guard HostNames.isName(host) || IpAddress(host) != nil else {
                throw wrong("the host is neither a name nor an address; an IPv6 address needs brackets")
            }
            guard !host.contains(":") else { throw wrong("an IPv6 address needs brackets") }
        }
        return (host, port)
    }

    /// RFC 3986 section 3.2.1, in UTF-8.
    private static func decoded(_ text: Substring, _ what: String) throws(SslSocketError) -> String {
        var octets: [UInt8] = []
        var rest = text.utf8[...]
        while let octet = rest.popFirst() {
            switch octet {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    throw wrong("the \(what) holds a % that two hexadecimal digits do not follow")
                }
                octets.append(high << 4 | low)
            case let octet where allowed.contains(octet): octets.append(octet)
            default: throw wrong("the \(what) holds a character that must be percent-encoded")
            }
        }
        guard let decoded = String(validating: octets, as: UTF8.self) else { throw wrong("the \(what) is not UTF-8") }
        return decoded
    }

    private static let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:".utf8)

    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x30...0x39: octet - 0x30
        case 0x41...0x46: octet - 0x41 + 10
        case 0x61...0x66: octet - 0x61 + 10
        default: nil
        }
    }

    /// The URL itself is not quoted: it may hold a password.
    private static func wrong(_ why: String) -> SslSocketError {
        SslSocketError(.invalidUserData, "The URL of the proxy cannot be used: \(why)")
    }
}
