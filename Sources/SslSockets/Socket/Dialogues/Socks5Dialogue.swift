internal import SslBackend
internal import SslValues

/// Asks a SOCKS 5 proxy for a connection (RFC 1928), with user and password where it wants them (RFC 1929).
struct Socks5Dialogue: Dialogue {
    private enum Phase { case hello, method, credentials, reply, end }
    private var phase = Phase.hello
    private let target: ProxyTarget
    private let credentials: ProxyCredentials?

    private static let version: UInt8 = 5
    private static let withoutCredentials: UInt8 = 0
    private static let withPassword: UInt8 = 2
    private static let noneAcceptable: UInt8 = 0xFF

    init(to target: ProxyTarget, credentials: ProxyCredentials?) {
        self.target = target
        self.credentials = credentials
    }

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        switch phase {
        case .hello:
            phase = .method
            return .say(
                credentials == nil
                    ? [Self.version, 1, Self.withoutCredentials]
                    : [Self.version, 2, Self.withoutCredentials, Self.withPassword])
        case .method:
            try checkVersion(received, Self.version)
            guard received.count >= 2 else { return .listen }
            return try chosen(received.take(2)[1])
        case .credentials:
            // The sub-negotiation has a version of its own.
            try checkVersion(received, 1)
            guard received.count >= 2 else { return .listen }
            guard received.take(2)[1] == 0 else { return .needsCredentials(realm: "", keepsConnection: false) }
            return request()
        case .reply: return try reply(&received)
        case .end: return .done
        }
    }

    private mutating func chosen(_ method: UInt8) throws(SslSocketError) -> DialogueStep {
        switch (method, credentials) {
        case (Self.withoutCredentials, _): return request()
        case (Self.withPassword, let credentials?):
            phase = .credentials
            let user = Array(credentials.user.utf8)
            let password = unsafe credentials.password.withBytes { unsafe [UInt8]($0) }
            return .say([1, UInt8(clamping: user.count)] + user + [UInt8(clamping: password.count)] + password)
        case (Self.noneAcceptable, _): return .needsCredentials(realm: "", keepsConnection: false)
        default:
            throw SslSocketError(
                .proxyProtocol, "The SOCKS proxy chose the authentication method \(method), which was not offered")
        }
    }

    private mutating func request() -> DialogueStep {
        phase = .reply
        let name: [UInt8] =
            switch target.address {
            case .some(let ip): (ip.isIPv6 ? [4] : [1]) + ip.octets
            case .none: [3, UInt8(clamping: target.host.utf8.count)] + Array(target.host.utf8)
            }
        return .say([Self.version, 1, 0] + name + [UInt8(target.port >> 8), UInt8(target.port & 0xFF)])
    }

    /// Reads exactly the reply: what follows belongs to the tunnel.
    private mutating func reply(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        try checkVersion(received, Self.version)
        // A proxy that refuses need not send the rest.
        guard let code = received.octet(at: 1) else { return .listen }
        if code != 0 { throw refusal(code) }
        if let reserved = received.octet(at: 2), reserved != 0 {
            throw SslSocketError(.proxyProtocol, "The SOCKS proxy sent a reply that RFC 1928 does not allow")
        }
        guard let kind = received.octet(at: 3) else { return .listen }
        let length: Int
        switch kind {
        case 1: length = 4
        case 4: length = 16
        case 3:
            guard let count = received.octet(at: 4) else { return .listen }
            length = 1 + Int(count)
        default: throw SslSocketError(.proxyProtocol, "The SOCKS proxy sent an address of the unknown kind \(kind)")
        }
        guard received.count >= 6 + length else { return .listen }
        received.consume(6 + length)
        phase = .end
        return .done
    }

    private func checkVersion(_ received: borrowing ByteQueue, _ wanted: UInt8) throws(SslSocketError) {
        guard let found = received.octet(at: 0), found != wanted else { return }
        throw SslSocketError(
            .proxyProtocol, "What answered is no SOCKS 5 proxy: it began with the octet \(found) instead of \(wanted)")
    }

    /// RFC 1928 section 6.
    private func refusal(_ code: UInt8) -> SslSocketError {
        let (kind, words): (SslSocketError.Code, String) =
            switch code {
            case 1: (.network, "general failure")
            case 2: (.socketAccess, "not allowed by its rules")
            case 3: (.network, "network unreachable")
            // For a name it is the answer to one that cannot be resolved too.
            case 4: (target.address == nil ? .hostNotFound : .network, "host unreachable")
            case 5: (.connectionRefused, "connection refused")
            case 6: (.network, "time to live expired")
            case 7: (.unsupportedOperation, "it cannot connect")
            case 8: (.unsupportedOperation, "it cannot do this kind of address")
            default: (.proxyProtocol, "unknown reply")
            }
        return SslSocketError(kind, "The SOCKS proxy did not connect to \(target): \(words) [\(code)]", nativeCode: Int(code))
    }
}
