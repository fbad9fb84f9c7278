/// What can be asked of the system for one connection (`QAbstractSocket::SocketOption`).
public enum SslSocketOption: String, Sendable, Hashable, CaseIterable {
    /// 1: small pieces leave at once (`LowDelayOption`, TCP_NODELAY); 0: they wait for the answer to those before. Unlike in Qt it is on by
    /// default: records are gathered before they are sent, so nothing is left to wait for.
    case lowDelay
    /// 1: the system finds out whether a silent peer is still there (`KeepAliveOption`, SO_KEEPALIVE). Default: 0.
    case keepAlive
    /// For how many seconds nothing comes before the first question, 1 to 32767 (`KeepAliveIdleOption`, TCP_KEEPIDLE).
    case keepAliveIdle
    /// How many seconds stand between two questions, 1 to 32767 (`KeepAliveIntervalOption`, TCP_KEEPINTVL).
    case keepAliveInterval
    /// How many questions stay unanswered before the connection is given up, 1 to 127 (`KeepAliveCountOption`, TCP_KEEPCNT).
    case keepAliveCount
    /// The octet that routers choose by, 0 to 255 (`TypeOfServiceOption`): the type of service of IPv4, the traffic class of IPv6, which Qt leaves
    /// alone. TCP keeps the lowest two bits to itself.
    case typeOfService
    /// How many octets the system keeps to be sent, 1 or more (`SendBufferSizeSocketOption`, SO_SNDBUF). Linux reserves twice as much and reports
    /// that, and has an upper limit.
    case sendBufferSize
    /// How many octets the system keeps that were received, 1 or more (`ReceiveBufferSizeSocketOption`, SO_RCVBUF): as ``sendBufferSize``. Set before
    /// connecting it also bounds what the peer may send ahead.
    case receiveBufferSize
    /// The greatest packet that reaches the peer whole, in octets (`PathMtuSocketOption`). It can only be read, while
    /// connected, and the system knows it only from octets that were sent since the connection or its ``typeOfService`` has changed.
    case pathMtu
    /// Has no meaning for TCP, which knows no multicast (`MulticastTtlOption`).
    case multicastTtl
    /// Has no meaning for TCP, which knows no multicast (`MulticastLoopbackOption`).
    case multicastLoopback

    /// The values that can be set; nil for none at all.
    var range: ClosedRange<Int>? {
        switch self {
        case .lowDelay, .keepAlive: 0...1
        case .keepAliveIdle, .keepAliveInterval: 1...32_767
        case .keepAliveCount: 1...127
        case .typeOfService: 0...255
        case .sendBufferSize, .receiveBufferSize: 1...Int(Int32.max)
        case .pathMtu, .multicastTtl, .multicastLoopback: nil
        }
    }
}
