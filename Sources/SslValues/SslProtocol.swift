/// A range of protocol versions an application asks for, or one version that was negotiated (`QSsl::SslProtocol`).
///
/// Cases that end in `OrLater` and the two named ranges allow the newest version both ends have.
/// TLS 1.0 and 1.1 are deprecated (RFC 8996): they are never part of a default. A backend that does not have them refuses a case that names
/// exactly one of them, and leaves them out of a range. Where it has them, cipher suites of their time must be named as well, for the default
/// list has none (`TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA`, for example). SSL 2 and SSL 3 do not exist here (RFC 6176, RFC 7568).
public enum SslProtocol: Sendable, Hashable, CaseIterable {
    /// Exactly TLS 1.0.
    case tlsV1_0
    /// Exactly TLS 1.1.
    case tlsV1_1
    /// Exactly TLS 1.2 (RFC 5246).
    case tlsV1_2
    /// Exactly TLS 1.3 (RFC 8446).
    case tlsV1_3
    /// Any TLS version the library still has, TLS 1.0 and newer.
    case anyProtocol
    /// The default: what is considered secure today, TLS 1.2 and newer.
    case secureProtocols
    /// TLS 1.0 and newer.
    case tlsV1_0OrLater
    /// TLS 1.1 and newer.
    case tlsV1_1OrLater
    /// TLS 1.2 and newer.
    case tlsV1_2OrLater
    /// TLS 1.3 and newer.
    case tlsV1_3OrLater
    /// Exactly DTLS 1.0, for datagrams.
    case dtlsV1_0
    /// Exactly DTLS 1.2 (RFC 6347), for datagrams.
    case dtlsV1_2
    /// DTLS 1.0 and newer.
    case dtlsV1_0OrLater
    /// DTLS 1.2 and newer: the default for datagrams.
    case dtlsV1_2OrLater
    /// Not known, for example because nothing was negotiated yet. As a setting it makes a handshake fail.
    case unknownProtocol

    /// The lowest and highest version of this range, or nil for ``unknownProtocol``.
    public var versions: ClosedRange<SslVersion>? {
        switch self {
        case .tlsV1_0: .tls1_0 ... .tls1_0
        case .tlsV1_1: .tls1_1 ... .tls1_1
        case .tlsV1_2: .tls1_2 ... .tls1_2
        case .tlsV1_3: .tls1_3 ... .tls1_3
        case .anyProtocol, .tlsV1_0OrLater: .tls1_0 ... .tls1_3
        case .tlsV1_1OrLater: .tls1_1 ... .tls1_3
        case .secureProtocols, .tlsV1_2OrLater: .tls1_2 ... .tls1_3
        case .tlsV1_3OrLater: .tls1_3 ... .tls1_3
        case .dtlsV1_0: .dtls1_0 ... .dtls1_0
        case .dtlsV1_2, .dtlsV1_2OrLater: .dtls1_2 ... .dtls1_2
        case .dtlsV1_0OrLater: .dtls1_0 ... .dtls1_2
        case .unknownProtocol: nil
        }
    }

    /// False for a case that leaves the choice of the version open: it then means those versions of its range that a backend has.
    public var isExact: Bool {
        switch self {
        case .tlsV1_0, .tlsV1_1, .tlsV1_2, .tlsV1_3, .dtlsV1_0, .dtlsV1_2: true
        default: false
        }
    }

    /// The case that means exactly `version`.
    public init(exactly version: SslVersion) {
        self =
            switch version {
            case .tls1_0: .tlsV1_0
            case .tls1_1: .tlsV1_1
            case .tls1_2: .tlsV1_2
            case .tls1_3: .tlsV1_3
            case .dtls1_0: .dtlsV1_0
            case .dtls1_2: .dtlsV1_2
            }
    }
}

/// One concrete protocol version, as negotiated by a session or as an end of a range.
///
/// Ordered from oldest to newest within TLS, and all DTLS versions after all TLS versions.
public enum SslVersion: UInt16, Sendable, Hashable, CaseIterable, Comparable, CustomStringConvertible {
    /// TLS 1.0.
    case tls1_0 = 0x0301
    /// TLS 1.1.
    case tls1_1 = 0x0302
    /// TLS 1.2.
    case tls1_2 = 0x0303
    /// TLS 1.3.
    case tls1_3 = 0x0304
    /// DTLS 1.0.
    case dtls1_0 = 0xFEFF
    /// DTLS 1.2.
    case dtls1_2 = 0xFEFD

    /// True for the datagram versions.
    public var isDatagram: Bool { self == .dtls1_0 || self == .dtls1_2 }

    private var rank: Int {
        switch self {
        case .tls1_0: 0
        case .tls1_1: 1
        case .tls1_2: 2
        case .tls1_3: 3
        case .dtls1_0: 10
        case .dtls1_2: 11
        }
    }

    public static func < (a: SslVersion, b: SslVersion) -> Bool { a.rank < b.rank }

    /// The usual spelling, for example `TLSv1.3`.
    public var description: String {
        switch self {
        case .tls1_0: "TLSv1.0"
        case .tls1_1: "TLSv1.1"
        case .tls1_2: "TLSv1.2"
        case .tls1_3: "TLSv1.3"
        case .dtls1_0: "DTLSv1.0"
        case .dtls1_2: "DTLSv1.2"
        }
    }
}
