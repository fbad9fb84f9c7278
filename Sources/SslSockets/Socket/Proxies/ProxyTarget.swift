internal import SslValues

/// Where a tunnel ends, in a form that both kinds of proxy can be told.
struct ProxyTarget: Hashable, CustomStringConvertible {
    /// A name; for an address its text.
    let host: String
    let port: UInt16
    /// The address, when the host is none but that.
    let address: IpAddress?

    /// - Throws: ``SslSocketError/Code/hostNotFound`` for what is neither a name nor an address, and
    ///   ``SslSocketError/Code/unsupportedOperation`` for a version of the Internet protocol that only the proxy could choose.
    init(_ host: String, port: UInt16, protocol family: SslNetworkProtocol = .any) throws(SslSocketError) {
        guard port > 0 else { throw SslSocketError(.connectionRefused, "Nobody can listen at port 0 of \(host)") }
        address = IpAddress(host)
        if let address {
            guard family == .any || (family == .ipv6) == address.isIPv6 else {
                throw SslSocketError(.hostNotFound, "\(host) is not an address of the wanted protocol")
            }
            guard address.scope == 0 else {
                throw SslSocketError(.unsupportedOperation, "A proxy cannot be told an address with a zone, like \(host)")
            }
            self.host = address.description
        } else {
            // Anything else could end the line it is written in.
            guard HostNames.isName(host) else {
                throw SslSocketError(.hostNotFound, "\(DialogueWords.quoted(host)) is not a host name")
            }
            guard family == .any else {
                throw SslSocketError(
                    .unsupportedOperation,
                    "The proxy resolves the name \(host) itself: which version of the Internet protocol it uses cannot be chosen here"
                )
            }
            self.host = host
        }
        self.port = port
    }

    /// `example.org:443`, `[2001:db8::1]:443`.
    var description: String { address?.isIPv6 == true ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What can be a host name.
enum HostNames {
    /// Labels of 1 to 63 letters, digits, hyphens and underscores, 253 together, and maybe the dot of the root (RFC 1035 section 2.3.4).
    static func isName(_ text: String) -> Bool {
        let octets = Array(text.utf8)
        let name = octets.last == UInt8(ascii: ".") ? octets.dropLast() : octets[...]
        guard name.count <= 253 else { return false }
        return name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count)
                && label.allSatisfy { octet in
                    switch octet {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                    default: false
                    }
                }
        }
    }
}
