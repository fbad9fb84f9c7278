internal import SslBackend
internal import SslSockets

/// What `cert verify` asks, for one chain.
struct ChainQuestion {
    var backend: String?
    /// Leaf first, then whatever a path may be built from.
    var chain: [SslCertificate] = []
    /// nil: the system's.
    var roots: [SslCertificate]?
    var revocationLists: [SslRevocationList] = []
    var maxIntermediates: Int?
    private var revocationPolicy = SslRevocationPolicy.automatic
    private var time: SslInstant?
    private var purpose: SslPurpose? = .serverAuthentication
    private var profile = SslCertificateProfile.path
    private var names: [PeerName] = []

    mutating func setRevocationPolicy(_ text: String) throws(ToolFailure) {
        switch text {
        case "automatic": revocationPolicy = .automatic
        case "off": revocationPolicy = .off
        case "leaf": revocationPolicy = .leaf
        case "chain": revocationPolicy = .chain
        case "listed": revocationPolicy = .listed
        default: throw ToolFailure(.usage, "\"\(text)\" is no way to check revocation: automatic, off, leaf, chain or listed")
        }
    }

    mutating func setPurpose(_ text: String) throws(ToolFailure) {
        switch text {
        case "server": purpose = .serverAuthentication
        case "client": purpose = .clientAuthentication
        case "any": purpose = nil
        default: throw ToolFailure(.usage, "\"\(text)\" is no purpose: server, client or any")
        }
    }

    mutating func setProfile(_ text: String) throws(ToolFailure) {
        switch text {
        case "path": profile = .path
        case "rfc5280": profile = .rfc5280
        case "webpki": profile = .webPki
        default: throw ToolFailure(.usage, "\"\(text)\" is no profile: path, rfc5280 or webpki")
        }
    }

    mutating func setTime(_ text: String) throws(ToolFailure) {
        guard let instant = Rfc3339.instant(text) else {
            throw ToolFailure(.usage, "\"\(text)\" is not a time like 2026-11-21T08:30:00Z")
        }
        time = instant
    }

    mutating func addName(kind: String, value: String) throws(ToolFailure) {
        do throws(SslSocketError) {
            switch kind {
            case "dns", "ip": names.append(try PeerName(value))
            case "email": names.append(try PeerName(email: value))
            default: throw SslSocketError(.invalidUserData, "\"\(kind)\" is no kind of name: dns, ip or email")
            }
        } catch {
            throw ToolFailure(error)
        }
    }

    /// The names of the problems; empty when the chain is accepted.
    func answer() throws(ToolFailure) -> [String] {
        do throws(SslSocketError) {
            var configuration = SslConfiguration()
            configuration.backend = backend
            configuration.usesSystemCaCertificates = roots == nil
            configuration.caCertificates = roots ?? []
            var verification = PeerVerification(
                purpose: purpose, name: nil, time: time ?? .now, depth: maxIntermediates.map { $0 + 1 } ?? 0)
            verification.names = names
            verification.requiresName = false
            verification.settings.profile = profile
            verification.settings.revocationLists = revocationLists
            verification.settings.revocationPolicy = revocationPolicy
            let result = verification.judge(chain.map(\.der), store: try configuration.trustStore())
            return result.errors.map { "\(Self.name(of: $0.code)):\($0.depth)" }
        } catch {
            throw ToolFailure(error)
        }
    }

    /// The name of a problem, in Qt's spelling.
    static func name(of code: SslErrorCode) -> String {
        let name = "\(code)"
        return name.prefix(1).uppercased() + name.dropFirst()
    }
}

/// Times as RFC 3339 writes them.
enum Rfc3339 {
    /// `2026-11-21T08:30:00Z`, with a fraction of seconds that is dropped, or with an offset of hours and minutes; nil for anything else.
    static func instant(_ text: String) -> SslInstant? {
        let octets = Array(text.utf8)
        guard octets.count >= 20, octets[4] == UInt8(ascii: "-"), octets[7] == UInt8(ascii: "-"),
            octets[10] | 0x20 == UInt8(ascii: "t"),
            octets[13] == UInt8(ascii: ":"), octets[16] == UInt8(ascii: ":")
        else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: octets[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19),
            let local = SslInstant(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        var rest = octets[19...]
        if rest.first == UInt8(ascii: ".") { rest = rest.dropFirst().drop { (0x30...0x39).contains($0) } }
        if rest.elementsEqual("Z".utf8) || rest.elementsEqual("z".utf8) { return local }
        guard rest.count == 6, let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            rest[rest.startIndex + 3] == UInt8(ascii: ":"), let hours = number((rest.startIndex + 1)..<(rest.startIndex + 3)),
            let minutes = number((rest.startIndex + 4)..<(rest.startIndex + 6))
        else { return nil }
        let offset = Int64(hours * 3600 + minutes * 60)
        return local.adding(seconds: sign == UInt8(ascii: "+") ? -offset : offset)
    }
}
