internal import SslBackend
internal import SslValues

/// Asks an HTTP proxy for a tunnel by CONNECT (RFC 9110 section 9.3.6), with Basic authentication (RFC 7617) when there are credentials.
struct HttpConnectDialogue: Dialogue {
    private enum Phase { case request, status, fields, body(left: Int), end }
    private var phase = Phase.request
    private let target: ProxyTarget
    private let credentials: ProxyCredentials?
    private var lines = Self.freshLines
    private var head = HttpProxyHead()
    /// Interim answers (1xx) may come before the final one (RFC 9110 section 15.2).
    private var interimLeft = 8

    /// The size of a head is bounded by lines and their length: squid's longest is about 1 KiB.
    private static let freshLines = DialogueLines(speaker: "The HTTP proxy", code: .proxyProtocol, longest: 4096, left: 64)
    /// A longer explanation of a refusal is not worth waiting for: a new connection costs less.
    private static let longestBody = 65_536

    init(to target: ProxyTarget, credentials: ProxyCredentials?) {
        self.target = target
        self.credentials = credentials
    }

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        while true {
            switch phase {
            case .request:
                phase = .status
                return .say(request)
            case .status:
                try checkBeginning(received)
                guard let line = try lines.next(&received) else { return .listen }
                head = try HttpProxyHead(statusLine: line)
                phase = .fields
            case .fields:
                guard let line = try lines.next(&received) else { return .listen }
                guard line.isEmpty else {
                    try head.add(line)
                    continue
                }
                if let step = try concludeHead() { return step }
            case .body(let left):
                let count = min(left, received.count)
                received.consume(count)
                phase = .body(left: left - count)
                if count < left { return .listen }
                return .needsCredentials(realm: head.realm, keepsConnection: true)
            case .end: return .done
            }
        }
    }

    private var request: [UInt8] {
        var text = "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n"
        if let credentials { text += "Proxy-Authorization: Basic \(credentials.basic)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// What does not begin like an answer of HTTP is not collected until a line is too long.
    private func checkBeginning(_ received: borrowing ByteQueue) throws(SslSocketError) {
        for (place, wanted) in "HTTP/1.".utf8.enumerated() {
            guard let found = received.octet(at: place) else { return }
            if found != wanted { throw SslSocketError(.proxyProtocol, "What answered is no HTTP proxy") }
        }
    }

    /// Nil when the answer was only an interim one.
    private mutating func concludeHead() throws(SslSocketError) -> DialogueStep? {
        switch head.status {
        case 100..<200:
            interimLeft -= 1
            // 101 would be the switch to a protocol that nobody asked for.
            guard head.status != 101, interimLeft >= 0 else {
                throw SslSocketError(.proxyProtocol, "The HTTP proxy does not come to an answer")
            }
            lines = Self.freshLines
            phase = .status
            return nil
        case 200..<300:
            // Lengths in such an answer mean nothing (RFC 9110 section 9.3.6): the tunnel begins here.
            phase = .end
            return .done
        // Tinyproxy answers wrong credentials with 401, which is meant for servers.
        case 401, 407:
            guard head.offersBasic else {
                throw SslSocketError(
                    .proxyAuthenticationRequired,
                    "The HTTP proxy wants another authentication than Basic, the only one there is here")
            }
            guard head.keepsConnection, let length = head.length, length <= Self.longestBody else {
                return .needsCredentials(realm: head.realm, keepsConnection: false)
            }
            phase = .body(left: length)
            return nil
        default: throw refusal()
        }
    }

    private func refusal() -> SslSocketError {
        let kind: SslSocketError.Code =
            switch head.status {
            case 403, 405: .socketAccess
            case 404: .hostNotFound
            case 503: .connectionRefused
            case 504: .socketTimeout
            // The request was understood, and could not be fulfilled.
            case 500...: .network
            default: .proxyProtocol
            }
        return SslSocketError(
            kind, "The HTTP proxy did not connect to \(target): \(head.status) \(DialogueWords.quoted(head.reason))",
            nativeCode: head.status)
    }
}
