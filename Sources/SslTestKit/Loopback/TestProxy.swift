internal import Glibc
package import SslSockets

/// A small proxy of either kind in this process. It finds every name at 127.0.0.1, which the system's resolver does not: whoever comes through has
/// left the lookup to it.
package final class TestProxy: Sendable {
    /// What it was asked.
    package struct Request: Sendable, Equatable {
        /// `host:port`, or `[address]:port`.
        package var target: String
        /// `user:password`; nil when none was given.
        package var credentials: String?

        /// Puts one together, to compare with.
        package init(target: String, credentials: String? = nil) {
            self.target = target
            self.credentials = credentials
        }
    }

    private let listener: Int32
    private let log = Lock<[Request]>([])
    private let kind: SslProxy.Kind
    private let credentials: String?
    private let keepsRefusedConnections: Bool
    /// Where it listens.
    package let port: UInt16

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - credentials: `user:password` it wants; nil for none.
    ///   - keepsRefusedConnections: an HTTP proxy takes the next request on the same connection.
    package init(_ kind: SslProxy.Kind, credentials: String? = nil, keepsRefusedConnections: Bool = true) throws(SslSocketError) {
        (listener, port) = try PlainPeer.listen()
        self.kind = kind
        self.credentials = credentials
        self.keepsRefusedConnections = keepsRefusedConnections
        let server = Server(
            kind: kind, credentials: credentials, keepsRefusedConnections: keepsRefusedConnections, log: log)
        PlainPeer.acceptAll(listener) { fd, _ in
            PlainPeer.detach {
                server.serve(fd)
                close(fd)
            }
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// The requests so far, refused ones too.
    package var requests: [Request] { log.withLock { $0 } }

    /// How to use it.
    package func proxy(user: String = "", password: String = "") -> SslProxy {
        SslProxy(kind, host: "127.0.0.1", port: port, user: user, password: password)
    }

    /// One connection.
    private struct Server: Sendable {
        let kind: SslProxy.Kind
        let credentials: String?
        let keepsRefusedConnections: Bool
        let log: Lock<[Request]>

        func serve(_ fd: Int32) {
            guard let upstream = kind == .socks5 ? socks(fd) : http(fd) else { return }
            PlainPeer.splice(fd, upstream)
            close(upstream)
        }

        /// Connects to a name at 127.0.0.1, or to an address.
        private func connect(_ host: String, _ port: UInt16) -> Int32? {
            PlainPeer.connect(SocketAddress(IpAddress(host) ?? .loopbackIPv4, port: port))
        }

        // MARK: SOCKS 5

        private func socks(_ fd: Int32) -> Int32? {
            let hello = PlainPeer.receive(fd, exactly: 2)
            guard hello.count == 2, hello[0] == 5 else { return nil }
            let methods = PlainPeer.receive(fd, exactly: Int(hello[1]))
            let wanted: UInt8 = credentials == nil ? 0 : 2
            guard methods.contains(wanted) else {
                log.withLock { $0.append(Request(target: "", credentials: nil)) }
                PlainPeer.send(fd, [5, 0xFF])
                return nil
            }
            PlainPeer.send(fd, [5, wanted])
            var given: String?
            if wanted == 2 {
                let user = PlainPeer.receive(fd, exactly: Int(PlainPeer.receive(fd, exactly: 2).last ?? 0))
                let password = PlainPeer.receive(fd, exactly: Int(PlainPeer.receive(fd, exactly: 1).last ?? 0))
                given = String(decoding: user + [UInt8(ascii: ":")] + password, as: UTF8.self)
                guard given == credentials else {
                    log.withLock { $0.append(Request(target: "", credentials: given)) }
                    PlainPeer.send(fd, [1, 1])
                    return nil
                }
                PlainPeer.send(fd, [1, 0])
            }
            let head = PlainPeer.receive(fd, exactly: 4)
            guard head.count == 4 else { return nil }
            let host: String
            switch head[3] {
            case 3:
                let length = PlainPeer.receive(fd, exactly: 1).first ?? 0
                host = String(decoding: PlainPeer.receive(fd, exactly: Int(length)), as: UTF8.self)
            default:
                guard let address = IpAddress(octets: PlainPeer.receive(fd, exactly: head[3] == 1 ? 4 : 16)) else { return nil }
                host = address.description
            }
            let digits = PlainPeer.receive(fd, exactly: 2)
            guard digits.count == 2 else { return nil }
            let port = UInt16(digits[0]) << 8 | UInt16(digits[1])
            log.withLock {
                $0.append(Request(target: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)", credentials: given))
            }
            guard let upstream = connect(host, port) else {
                PlainPeer.send(fd, [5, 5, 0, 1, 0, 0, 0, 0, 0, 0])
                return nil
            }
            PlainPeer.send(fd, [5, 0, 0, 1, 127, 0, 0, 1, 0, 9])
            return upstream
        }

        // MARK: HTTP

        private func http(_ fd: Int32) -> Int32? {
            while true {
                let head = String(decoding: PlainPeer.receive(fd, through: "\r\n\r\n"), as: UTF8.self)
                let lines = head.split(separator: "\r\n")
                let words = lines.first?.split(separator: " ") ?? []
                guard words.count == 3, words[0] == "CONNECT", words[2] == "HTTP/1.1", lines.contains("Host: \(words[1])") else {
                    PlainPeer.send(fd, Array("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".utf8))
                    return nil
                }
                let basic = lines.first { $0.hasPrefix("Proxy-Authorization: Basic ") }?.dropFirst(27)
                let given = basic.flatMap { Pem.decodeBase64(Array($0.utf8)) }.map { String(decoding: $0, as: UTF8.self) }
                log.withLock { $0.append(Request(target: String(words[1]), credentials: given)) }
                if let credentials, given != credentials {
                    let connection = keepsRefusedConnections ? "keep-alive" : "close"
                    PlainPeer.send(
                        fd,
                        Array(
                            ("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Digest nonce=\"a,b\", Basic realm=\"a realm\"\r\n"
                                + "Connection: \(connection)\r\nContent-Length: 7\r\n\r\nrefused").utf8))
                    guard keepsRefusedConnections else { return nil }
                    continue
                }
                let place = words[1].lastIndex(of: ":") ?? words[1].startIndex
                let host = words[1][..<place].trimmingPrefix("[")
                let port = UInt16(words[1][place...].dropFirst()) ?? 0
                guard let upstream = connect(host.hasSuffix("]") ? String(host.dropLast()) : String(host), port) else {
                    PlainPeer.send(fd, Array("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n".utf8))
                    return nil
                }
                PlainPeer.send(fd, Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8))
                return upstream
            }
        }
    }
}
