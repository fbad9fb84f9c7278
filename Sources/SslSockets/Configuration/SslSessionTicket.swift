public import SslValues

/// A session that can be resumed, with the verdict that was reached when it was made.
///
/// Resumption skips the certificates, so the ticket remembers for whom and under which settings they were judged: it is offered
/// only where the same judgement would be made, only while the certificates of the verified path are valid, and for no more than seven days after they were
/// judged. It holds secrets; keep it as carefully as a private key.
public struct SslSessionTicket: Sendable, Hashable {
    /// Under what the peer was judged.
    let terms: SessionTerms
    /// The engine's own form.
    let secret: SecretBytes
    /// The chain the peer showed, DER.
    let peerChain: [[UInt8]]
    /// When the verified path is valid; nil when it was not verified, or with errors.
    let validity: ClosedRange<SslInstant>?
    /// When the ticket was received.
    let received: SslInstant
    /// When the peer was judged: in the first of the connections that resumed one another.
    let judged: SslInstant
    /// It should be offered only once (RFC 8446 appendix C.4).
    let isForOneUse: Bool

    /// How many seconds the server means to keep it (`sessionTicketLifeTimeHint`).
    public let lifetimeHint: Int

    /// The longest life of a ticket, and of a verdict (RFC 8446 section 4.6.1).
    private static let longestLife: Int64 = 7 * 86_400

    /// True when a connection under these terms may offer the ticket at this time.
    func isUsable(under terms: SessionTerms, at time: SslInstant) -> Bool {
        guard self.terms == terms, time >= received, time <= received.adding(seconds: min(Int64(lifetimeHint), Self.longestLife)),
            time >= judged, time <= judged.adding(seconds: Self.longestLife)
        else { return false }
        // Only a peer that was verified without any error may come back unverified.
        guard terms.isVerified else { return true }
        return validity.map { $0.contains(time) } ?? false
    }
}

extension SslSessionTicket: CustomStringConvertible, CustomReflectable {
    /// The peer and the lifetime; nothing secret.
    public var description: String { "session ticket (\(lifetimeHint) s)" }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

// MARK: - Export

extension SslSessionTicket {
    /// What stands at the head of an exported ticket.
    private static let title = Array("sslsocket session 1\n".utf8)

    /// The ticket in octets, to be kept somewhere and read by ``init(exported:)``, in another process for example.
    ///
    /// They hold the secrets of the session and the verdict on the server. Who can change them can make a client take anybody for the server, and
    /// who can read them can pass for it: keep them where private keys are kept.
    public var exported: SecretBytes {
        var writer = TicketWriter(title: Self.title)
        defer { writer.octets.wipe() }
        writer.reserve(secret.count + peerChain.reduce(0) { $0 + $1.count + 4 } + 1024)
        writer.put(Array(terms.backend.utf8))
        writer.put(Array(terms.libraryVersion.utf8))
        switch terms.name {
        case .none: writer.put(0)
        case .dns(let name):
            writer.put(1)
            writer.put(Array(name.utf8))
        case .ipAddress(let octets):
            writer.put(2)
            writer.put(octets)
        case .email(let address):
            writer.put(3)
            writer.put(Array(address.utf8))
        }
        writer.put(terms.isVerified ? 1 : 0)
        writer.put(terms.settings)
        writer.put(Int64(peerChain.count))
        for der in peerChain { writer.put(der) }
        writer.put(validity == nil ? 0 : 1)
        if let validity {
            writer.put(validity.lowerBound.secondsSince1970)
            writer.put(validity.upperBound.secondsSince1970)
        }
        for number in [received.secondsSince1970, judged.secondsSince1970, isForOneUse ? 1 : 0, Int64(lifetimeHint)] {
            writer.put(number)
        }
        unsafe secret.withBytes { unsafe writer.put($0) }
        return SecretBytes(writer.octets)
    }

    /// Reads what ``exported`` gave. Another backend, another version of its library, or other settings do not resume it: there the handshake
    /// is a full one.
    ///
    /// - Throws: ``SslSocketError/Code/invalidUserData`` when it is not an exported ticket, or damaged.
    public init(exported: SecretBytes) throws(SslSocketError) {
        var octets = exported.copy
        defer { octets.wipe() }
        var reader = TicketReader(octets, title: Self.title)
        guard let ticket = Self(&reader), reader.isAtEnd else {
            throw SslSocketError(.invalidUserData, "The data are not an exported session ticket, or they are damaged")
        }
        self = ticket
    }

    private init?(_ reader: inout TicketReader) {
        guard let backend = reader.text(), let version = reader.text(), let kind = reader.number() else { return nil }
        let name: PeerName?
        switch kind {
        case 0: name = nil
        case 1:
            guard let text = reader.text() else { return nil }
            name = .dns(text)
        case 2:
            guard let octets = reader.octets() else { return nil }
            name = .ipAddress([UInt8](octets))
        case 3:
            guard let text = reader.text() else { return nil }
            name = .email(text)
        default: return nil
        }
        guard let isVerified = reader.flag(), let settings = reader.octets(), let count = reader.number(),
            (0...100).contains(count)
        else { return nil }
        var chain: [[UInt8]] = []
        for _ in 0..<count {
            guard let der = reader.octets() else { return nil }
            chain.append([UInt8](der))
        }
        guard let hasValidity = reader.flag() else { return nil }
        var validity: ClosedRange<SslInstant>?
        if hasValidity {
            guard let start = reader.instant(), let end = reader.instant(), start <= end else { return nil }
            validity = start...end
        }
        guard let received = reader.instant(), let judged = reader.instant(), let isForOneUse = reader.flag(),
            let lifetime = reader.number(), (0...Int64(UInt32.max)).contains(lifetime), let secret = reader.octets()
        else { return nil }
        terms = SessionTerms(
            backend: backend, libraryVersion: version, name: name, isVerified: isVerified, settings: [UInt8](settings))
        self.secret = SecretBytes(secret.span)
        peerChain = chain
        self.validity = validity
        self.received = received
        self.judged = judged
        self.isForOneUse = isForOneUse
        lifetimeHint = Int(lifetime)
    }
}

/// Numbers of eight octets, and strings with their length before them.
private struct TicketWriter {
    var octets: [UInt8]

    init(title: [UInt8]) { octets = title }

    /// So that no secret is left behind in memory that became too small.
    mutating func reserve(_ count: Int) { octets.reserveCapacity(octets.count + count) }

    mutating func put(_ number: Int64) { octets += (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }

    mutating func put(_ string: [UInt8]) {
        put(Int64(string.count))
        octets += string
    }

    mutating func put(_ string: UnsafeRawBufferPointer) {
        put(Int64(string.count))
        unsafe octets.append(contentsOf: string)
    }
}

private struct TicketReader {
    private var rest: ArraySlice<UInt8>

    init(_ octets: [UInt8], title: [UInt8]) {
        rest = octets.starts(with: title) ? octets.dropFirst(title.count) : []
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func number() -> Int64? {
        guard rest.count >= 8 else { return nil }
        defer { rest = rest.dropFirst(8) }
        return rest.prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    mutating func flag() -> Bool? {
        switch number() {
        case 0: false
        case 1: true
        default: nil
        }
    }

    /// Of any time that can be computed with.
    mutating func instant() -> SslInstant? {
        guard let seconds = number(), abs(seconds >> 8) < 1 << 50 else { return nil }
        return SslInstant(secondsSince1970: seconds)
    }

    mutating func octets() -> ArraySlice<UInt8>? {
        guard let count = number(), count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    mutating func text() -> String? { octets().flatMap { String(validating: $0, as: UTF8.self) } }
}
