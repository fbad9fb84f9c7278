internal import SslBackend
internal import SslValues

/// STARTTLS of XMPP, client to server (RFC 6120 section 5).
///
/// There is no XML parser here: only the few elements of this dialogue are understood, in the form servers send them, and anything else is
/// refused. What RFC 6120 section 11.1 forbids (comments, processing instructions, document types) is among it.
struct XmppDialogue: Dialogue {
    private enum Phase {
        case header, declaration, stream, features, offers(hasStartTls: Bool, depth: Int), goAhead, closing, end
    }
    private var phase = Phase.header
    private let domain: String
    /// So many octets may still be read.
    private var left = 65_536

    private static let tlsNamespace = "urn:ietf:params:xml:ns:xmpp-tls"
    private static let streamNamespace = "http://etherx.jabber.org/streams"

    /// - Parameter domain: the service, as it stands behind the @ of an address.
    init(to domain: String) { self.domain = domain }

    mutating func proceed(_ received: inout ByteQueue) throws(SslSocketError) -> DialogueStep {
        if case .header = phase {
            phase = .declaration
            return .say(
                "<?xml version='1.0'?><stream:stream to='\(Self.escaped(domain))' version='1.0' xmlns='jabber:client' "
                    + "xmlns:stream='\(Self.streamNamespace)'>")
        }
        while true {
            if case .end = phase { return .done }
            guard let tag = try nextTag(&received) else { return .listen }
            if let step = try take(tag) { return step }
        }
    }

    /// Takes in one tag; nil when more are to be read.
    private mutating func take(_ tag: XmppTag) throws(SslSocketError) -> DialogueStep? {
        if tag.kind != .declaration, tag.name == "stream:error" || tag.name == "failure" {
            throw SslSocketError(.handshakeFailed, "The XMPP server refuses encryption with <\(tag.name)>")
        }
        switch (phase, tag.kind, tag.name) {
        case (.declaration, .declaration, _): phase = .stream
        case (.declaration, .start, "stream:stream"), (.stream, .start, "stream:stream"):
            guard tag.attributes["xmlns:stream"] == Self.streamNamespace, tag.attributes["version"] == "1.0" else {
                throw DialogueWords.unexpected(tag.text, to: "the stream header")
            }
            phase = .features
        case (.features, .start, "stream:features"): phase = .offers(hasStartTls: false, depth: 0)
        case (.offers(let hasStartTls, let depth), _, _): try takeOffer(tag, hasStartTls, depth)
        case (.goAhead, .start, "proceed"), (.goAhead, .empty, "proceed"):
            guard tag.attributes["xmlns"] == Self.tlsNamespace else { throw DialogueWords.unexpected(tag.text, to: "starttls") }
            phase = tag.kind == .empty ? .end : .closing
        case (.closing, .end, "proceed"): phase = .end
        default: throw DialogueWords.unexpected(tag.text)
        }
        guard case .goAhead = phase, tag.name == "stream:features" else { return nil }
        return .say("<starttls xmlns='\(Self.tlsNamespace)'/>")
    }

    /// The features: those besides STARTTLS are passed over, whatever they hold.
    private mutating func takeOffer(_ tag: XmppTag, _ hasStartTls: Bool, _ depth: Int) throws(SslSocketError) {
        let isOffer = depth == 0 && tag.name == "starttls" && tag.attributes["xmlns"] == Self.tlsNamespace
        switch tag.kind {
        case .start: phase = .offers(hasStartTls: hasStartTls || isOffer, depth: depth + 1)
        case .empty: phase = .offers(hasStartTls: hasStartTls || isOffer, depth: depth)
        case .end where depth > 0: phase = .offers(hasStartTls: hasStartTls, depth: depth - 1)
        case .end where tag.name == "stream:features":
            guard hasStartTls else { throw SslSocketError(.handshakeFailed, "The XMPP server does not offer STARTTLS") }
            phase = .goAhead
        case .end, .declaration: throw DialogueWords.unexpected(tag.text)
        }
    }

    /// The next tag; text between tags is passed over inside features, and elsewhere only when it is white space.
    private mutating func nextTag(_ received: inout ByteQueue) throws(SslSocketError) -> XmppTag? {
        while let octet = received.octet(at: 0), octet != UInt8(ascii: "<") {
            var isInFeature = false
            if case .offers(_, let depth) = phase { isInFeature = depth > 0 }
            guard isInFeature || [0x20, 0x09, 0x0A, 0x0D].contains(octet) else {
                throw SslSocketError(.handshakeFailed, "What answered is no XMPP server")
            }
            received.consume(1)
            try spend(1)
        }
        guard let length = try XmppTag.length(at: received, limit: left) else { return nil }
        try spend(length)
        return try XmppTag(received.take(length))
    }

    private mutating func spend(_ count: Int) throws(SslSocketError) {
        left -= count
        guard left > 0 else { throw SslSocketError(.handshakeFailed, "The XMPP server talks without end before STARTTLS") }
    }

    /// A name as it may stand between quotes.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "'": result += "&apos;"
            case "\"": result += "&quot;"
            case let other where other.properties.generalCategory == .control: result += "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
