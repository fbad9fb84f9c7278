public import SslValues

/// Session tickets (RFC 5077, RFC 8446 section 4.6.1).
public struct TlsTicketSettings: Sendable {
    /// Tickets are made (server) or accepted (client) at all.
    public var isEnabled = true
    /// How many tickets a TLS 1.3 server sends after a full handshake; one after a resumed one, or none if this is 0.
    public var count = 1
    /// How long a server's tickets can be used, in seconds. TLS 1.3 allows seven days.
    public var lifetime = 7200
    /// Where a server's keys come from; nil: keys of the context's own, which nobody shares.
    public var keys: (any TlsTicketKeySource)?
    /// What a server's tickets stand for, at most 32 octets: a ticket made under another purpose is not resumed. A backend that cannot bind it into
    /// its tickets relies on keys that differ with it, as those of ``TlsTicketKeySource`` do unless they are interchangeable.
    public var purpose: [UInt8] = []

    /// The defaults of the properties.
    public init() {}
}

/// The keys a server seals its tickets with.
///
/// A ticket begins with the name of its key (RFC 5077 section 4), by which the right one is found.
public protocol TlsTicketKeySource: AnyObject, Sendable {
    /// The keys in force now; nil for none, and then tickets are neither made nor accepted. Asked for with each ticket and each connection, from
    /// any thread: it must be fast.
    var keys: TlsTicketKeySet? { get }
    /// Other programs have the same keys and read the same tickets. A backend whose library has a form of its own for tickets refuses
    /// such a source (``SslFeature/interchangeableTickets``).
    var isInterchangeable: Bool { get }
}

/// The keys of one moment. Immutable.
public final class TlsTicketKeySet: Sendable {
    /// The key for new tickets.
    public let current: TlsTicketKey
    /// Keys whose tickets are accepted as well: those before and those to come.
    public let others: [TlsTicketKey]

    /// Puts a set together.
    public init(current: TlsTicketKey, others: [TlsTicketKey] = []) {
        self.current = current
        self.others = others
    }
}

/// One key for session tickets, in the form RFC 5077 section 4 recommends.
public struct TlsTicketKey: Sendable, Hashable {
    /// The 16 octets that name the key in the clear.
    public let name: [UInt8]
    /// The key for AES in CBC mode, 16 or 32 octets.
    public let encryption: SecretBytes
    /// The key for HMAC-SHA-256, 16 or 32 octets.
    public let authentication: SecretBytes

    /// How many octets a name has.
    public static let nameLength = 16

    /// Puts a key together; nil when a part has a wrong length.
    public init?(name: [UInt8], encryption: SecretBytes, authentication: SecretBytes) {
        guard name.count == Self.nameLength, encryption.count == 16 || encryption.count == 32,
            authentication.count == encryption.count
        else { return nil }
        self.name = name
        self.encryption = encryption
        self.authentication = authentication
    }

    /// Takes 80 secret octets apart; nil when there are more or fewer.
    public init?(_ secret: SecretBytes) {
        guard secret.count == 80 else { return nil }
        let parts = unsafe secret.withBytes { octets in
            unsafe (
                [UInt8](octets[..<16]), SecretBytes(UnsafeRawBufferPointer(rebasing: octets[16..<48])),
                SecretBytes(UnsafeRawBufferPointer(rebasing: octets[48...]))
            )
        }
        self.init(name: parts.0, encryption: parts.1, authentication: parts.2)
    }
}

/// A key that never changes: for contexts without a source.
public final class TlsFixedTicketKeys: TlsTicketKeySource {
    /// The key.
    public let keys: TlsTicketKeySet?
    /// No other program has it.
    public var isInterchangeable: Bool { false }

    /// Makes a source of 80 secret octets.
    public init(_ secret: SecretBytes) { keys = TlsTicketKey(secret).map { TlsTicketKeySet(current: $0) } }
}
