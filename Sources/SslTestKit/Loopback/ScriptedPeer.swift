internal import Glibc
package import SslSockets

/// A peer that plays a script with each connection, the first with the first, and the last with all that come later.
package final class ScriptedPeer: Sendable {
    /// One thing it does.
    package enum Act: Sendable {
        /// Sends octets.
        case say([UInt8])
        /// Waits for so many octets.
        case hear(Int)
        /// Waits for an empty line.
        case hearHead
        /// Waits for anything.
        case hearSome
        /// Hands the connection on to this port of 127.0.0.1.
        case relay(UInt16)
        /// Waits until the other end has closed.
        case hold

        /// A text in UTF-8.
        package static func say(_ text: String) -> Act { .say(Array(text.utf8)) }
    }
    private let listener: Int32
    /// Where it listens.
    package let port: UInt16
    private let log = Lock<[[UInt8]]>([])

    /// Begins to listen. After its script it closes the connection.
    package init(ipv6: Bool = false, _ scripts: [Act]...) throws(SslSocketError) {
        (listener, port) = try PlainPeer.listen(ipv6: ipv6)
        let log = log
        PlainPeer.acceptAll(listener) { fd, index in
            PlainPeer.detach {
                for act in scripts[min(index, scripts.count - 1)] {
                    var heard: [UInt8] = []
                    switch act {
                    case .say(let octets): PlainPeer.send(fd, octets)
                    case .hear(let count): heard = PlainPeer.receive(fd, exactly: count)
                    case .hearHead: heard = PlainPeer.receive(fd, through: "\r\n\r\n")
                    case .hearSome: heard = PlainPeer.receive(fd, 4096)
                    case .relay(let port):
                        guard let next = PlainPeer.connect(SocketAddress(.loopbackIPv4, port: port)) else { break }
                        PlainPeer.splice(fd, next)
                        close(next)
                    case .hold: while !PlainPeer.receive(fd, 4096).isEmpty {}
                    }
                    if !heard.isEmpty { log.withLock { $0.append(heard) } }
                }
                close(fd)
            }
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// What the acts that hear have heard.
    package var heard: [[UInt8]] { log.withLock { $0 } }
    /// The same as text.
    package var heardTexts: [String] { heard.map { String(decoding: $0, as: UTF8.self) } }
}
