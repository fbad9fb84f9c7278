import Testing

@testable import SslSockets

/// STARTTLS as state machines: what servers say octet by octet, and what they must not say.
@Suite("Dialogues before TLS")
struct StartTlsDialogueTests {
    private func dialogue(_ kind: SslStartTls) -> any Dialogue {
        kind.dialogue(with: "server.example.test", from: IpAddress("192.0.2.1"))
    }

    /// All that an honest server says.
    private static func answers(_ kind: SslStartTls) throws -> [UInt8] {
        Array(try #require(StartTlsTests.scripts[kind]).joined().utf8)
    }

    @Test("they end with the last octet of the server's answer and leave alone what follows", arguments: SslStartTls.allCases)
    func ends(_ kind: SslStartTls) throws { try Talk.expectEnd({ dialogue(kind) }, after: try Self.answers(kind)) }

    @Test(
        "what they say",
        arguments: [
            (.smtp, "EHLO [192.0.2.1]\r\nSTARTTLS\r\n"), (.imap, "s1 STARTTLS\r\n"), (.pop3, "STLS\r\n"), (.ftp, "AUTH TLS\r\n"),
            (
                .xmpp,
                "<?xml version='1.0'?><stream:stream to='server.example.test' version='1.0' xmlns='jabber:client' "
                    + "xmlns:stream='http://etherx.jabber.org/streams'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
            ),
        ] as [(SslStartTls, String)])
    func says(_ kind: SslStartTls, _ text: String) throws {
        let talk = try Talk(dialogue(kind))
        try talk.tell(try Self.answers(kind))
        #expect(talk.takeSaidText() == text)
    }

    @Test("the requests in octets, of PostgreSQL and LDAP") func octets() throws {
        #expect(try Talk(dialogue(.postgres)).takeSaid() == [0, 0, 0, 8, 4, 210, 22, 47])
        #expect(
            try Talk(dialogue(.ldap)).takeSaid()
                == [0x30, 0x1D, 2, 1, 1, 0x77, 0x18, 0x80, 0x16] + Array("1.3.6.1.4.1.1466.20037".utf8))
    }

    @Test("a client at an IPv6 address says so in SMTP") func ipv6() throws {
        let talk = try Talk(SmtpDialogue(from: IpAddress("2001:db8::1")))
        try talk.tell("220 x\r\n")
        #expect(talk.takeSaidText() == "EHLO [IPv6:2001:db8::1]\r\n")
    }

    @Test("the service of XMPP cannot end its quotes") func escaping() throws {
        #expect(try Talk(XmppDialogue(to: "a'/><b \"&\n")).takeSaidText().contains("to='a&apos;/&gt;&lt;b &quot;&amp;?' version"))
    }

    @Test(
        "refusals, other protocols, and answers out of turn",
        arguments: [
            (
                .smtp,
                [
                    "554 no\r\n", "220 ready\r\n502 EHLO?\r\n", "220 ready\r\n250-mail\r\n250 HELP\r\n",
                    "220 ready\r\n250 STARTTLS\r\n",
                    "220 ready\r\n250-mail\r\n250 STARTTLSX\r\n", "220 ready\r\n250-mail\r\n250 STARTTLS\r\n454 not now\r\n",
                    "220 ready\r\n250-mail\r\n220 STARTTLS\r\n", "220-ready\r\nfree text\r\n", "220ready\r\n", "22\r\n", "\r\n",
                    "* OK this is IMAP\r\n", "HTTP/1.1 400 Bad Request\r\n", "220_x\r\n",
                ]
            ),
            (
                .imap,
                [
                    "* BYE\r\n", "* PREAUTH welcome\r\n", "220 ready\r\n", "* OKAY\r\n", "* OK hi\r\ns1 NO\r\n",
                    "* OK hi\r\ns1 BAD x\r\n",
                    "* OK hi\r\ns2 OK x\r\n", "* OK hi\r\n+ go on\r\n", "* OK hi\r\ns1 OKAY\r\n", "+OK\r\n",
                ]
            ),
            (.pop3, ["-ERR no\r\n", "+OKAY\r\n", "220 ready\r\n", "+OK\r\n-ERR unknown command\r\n", "+OK\r\n+\r\n", "+ok\r\n"]),
            (
                .ftp,
                [
                    "421 too many\r\n", "220 ready\r\n500 AUTH?\r\n", "220 ready\r\n534 no\r\n", "220 ready\r\n334 more\r\n",
                    "ready\r\n", "220 ready\r\n230 in\r\n", "SSH-2.0-x\r\n",
                ]
            ),
            (.postgres, ["N", "E\0\0\0", "s", "R", "H", "\0"]),
            (
                .xmpp,
                [
                    "220 ready", "<html>", "<stream:stream version='1.0'>", "<!DOCTYPE x>", "<!-- x -->",
                    "<?xml version='1.0'?><?xml version='1.0'?>", "<?php x?>",
                    "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
                    "<stream:stream xmlns:stream='urn:x' version='1.0'>", "\(XmppTexts.header)<stream:error>",
                    "\(XmppTexts.header)<stream:features/>", "\(XmppTexts.header)<stream:features></stream:features>",
                    "\(XmppTexts.header)<stream:features><starttls xmlns='urn:x'/></stream:features>",
                    "\(XmppTexts.header)<stream:features><a><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></a></stream:features>",
                    "\(XmppTexts.header)<stream:features>text", "\(XmppTexts.header)<stream:features></starttls>",
                    "\(XmppTexts.offers)<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "\(XmppTexts.offers)<proceed/>",
                    "\(XmppTexts.offers)<proceed xmlns='urn:x'/>", "\(XmppTexts.offers)proceed",
                    "\(XmppTexts.offers)<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'><x/>",
                    "\(XmppTexts.offers)</stream:stream>",
                    // No XML at all.
                    "\(XmppTexts.header)<a b>", "\(XmppTexts.header)<stream:features><a b='1' b='2'/>",
                    "\(XmppTexts.header)<stream:features><a b=1/>", "\(XmppTexts.header)<stream:features><a b='1'c='2'/>",
                    "\(XmppTexts.header)<stream:features><a <b>", "\(XmppTexts.header)<stream:features></a b='1'>", "<>",
                    "\(XmppTexts.header)<stream:features><a b='<'/>", "\(XmppTexts.header)<stream:features><a b='>",
                ]
            ),
        ] as [(SslStartTls, [String])])
    func refusals(_ kind: SslStartTls, _ texts: [String]) {
        for text in texts {
            // The last is no refusal but an unfinished tag: the > stands between quotes.
            let wanted: SslSocketError.Code? = text.hasSuffix("b='>") ? nil : .handshakeFailed
            #expect(Talk.failure(dialogue(kind), text) == wanted, "\(text)")
            #expect(Talk.failure(dialogue(kind), text, oneByOne: false) == wanted, "\(text)")
        }
    }

    private enum XmppTexts {
        static let header =
            "<?xml version='1.0'?><stream:stream from='x' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        static let features = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
        static let offers = "\(header)\(features)"
        /// White space, other features, empty elements in two parts.
        static let spaced = """
            <?xml version="1.0" encoding='UTF-8' ?>
            <stream:stream from='x' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'> <stream:features>
            <mechanisms xmlns='urn:x'><mechanism>PLAIN</mechanism></mechanisms><c/>
            <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls' ><required/></starttls>
            </stream:features>
            <proceed xmlns = "urn:ietf:params:xml:ns:xmpp-tls"></proceed>
            """
        /// A > between quotes, and no declaration.
        static let quoted =
            "<stream:stream id='>' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>\(features)"
            + "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    }

    @Test(
        "what honest servers say in other ways",
        arguments: [
            (.smtp, "220 x\r\n250-x\r\n250-size 1\r\n250 starttls\r\n220\r\n"), (.smtp, "220 x\n250-x\n250 STARTTLS\n220 ok\n"),
            (.imap, "* ok x\r\n* CAPABILITY x\r\n* 1 EXISTS\r\nS1 Ok begin\r\n"), (.pop3, "+OK\r\n+OK\r\n"),
            (.ftp, "120 wait\r\n220-x\r\n 220 y\r\n230-z\r\n220 ready\r\n234-x\r\n234 go\r\n"),
            (.xmpp, XmppTexts.spaced), (.xmpp, XmppTexts.quoted),
        ] as [(SslStartTls, String)])
    func variants(_ kind: SslStartTls, _ text: String) throws {
        try Talk.expectEnd({ dialogue(kind) }, after: Array(text.utf8))
    }

    @Test("nothing goes on without end", arguments: SslStartTls.allCases)
    func endless(_ kind: SslStartTls) throws {
        let beginning: [SslStartTls: String] = [
            .smtp: "220 x\r\n", .imap: "* OK x\r\n", .pop3: "+OK ", .ftp: "220-x\r\n",
            .xmpp: "\(XmppTexts.header)<stream:features>",
            .postgres: "", .ldap: "\u{30}",
        ]
        let more: [SslStartTls: [String]] = [
            .smtp: ["250-x\r\n", "x"], .imap: ["* x\r\n", "x"], .pop3: ["x"], .ftp: ["x\r\n", "220-x\r\n", "x"],
            .xmpp: ["<a/>", " ", "<a", "</a"],
            .postgres: ["x"], .ldap: ["\u{7f}"],
        ]
        let start = try #require(beginning[kind])
        for piece in try #require(more[kind]) {
            let talk = start + String(repeating: piece, count: 100_000)
            // An LDAP message says its length, and is only waited for if it is reasonable.
            let code = Talk.failure(dialogue(kind), talk, oneByOne: false)
            #expect(code == .handshakeFailed, "\(piece)")
        }
    }

    @Test(
        "LDAP responses in BER",
        arguments: [
            // Long forms of lengths, a response name, controls.
            ("30 0c 02 01 01 78 07 0a 01 00 04 00 04 00", true), ("30 81 0c 02 01 01 78 07 0a 01 00 04 00 04 00", true),
            ("30 84 00 00 00 10 02 01 01 78 84 00 00 00 07 0a 01 00 04 00 04 00", true),
            (
                "30 24 02 01 01 78 1f 0a 01 00 04 00 04 00 8a 16 31 2e 33 2e 36 2e 31 2e 34 2e 31 2e 31 34 36 36 2e 32 30 30 33 37",
                true
            ),
            ("30 10 02 01 01 78 07 0a 01 00 04 00 04 00 a0 02 30 00", true),
            // Another result, message, name, type; too short, too long, trailing.
            ("30 0c 02 01 01 78 07 0a 01 02 04 00 04 00", false), ("30 0c 02 01 02 78 07 0a 01 00 04 00 04 00", false),
            ("30 0c 02 01 00 78 07 0a 01 00 04 00 04 00", false), ("30 0f 02 01 01 78 0a 0a 01 00 04 00 04 00 8a 01 31", false),
            ("30 0c 02 01 01 61 07 0a 01 00 04 00 04 00", false), ("30 0a 02 01 01 78 05 0a 01 00 04 00", false),
            ("30 0e 02 01 01 78 07 0a 01 00 04 00 04 00 05 00", false),
            ("30 0e 02 01 01 78 09 0a 01 00 04 00 04 00 05 00", false),
            ("30 0c 02 01 01 78 08 0a 01 00 04 00 04 00", false), ("30 0d 02 01 01 78 08 0a 02 00 00 04 00 04 00", false),
            ("30 00", false), ("30 80", false), ("30 85 00 00 00 00", false), ("30 84 7f ff ff ff", false), ("31", false),
            ("48", false),
        ])
    func ldap(_ hex: String, _ isGood: Bool) throws {
        let octets = hex.split(separator: " ").compactMap { UInt8($0, radix: 16) }
        if isGood {
            try Talk.expectEnd({ dialogue(.ldap) }, after: octets)
        } else {
            #expect(Talk.failure(dialogue(.ldap), octets) == .handshakeFailed)
        }
    }

    @Test("what a stranger says is quoted short and without control characters") func quoting() {
        do throws(SslSocketError) {
            try Talk(dialogue(.pop3)).tell("-ERR \u{1b}[31m" + String(repeating: "x", count: 1000) + "\r\n")
            Issue.record("it was taken")
        } catch {
            #expect(error.message.hasPrefix("The server answered the greeting with \"-ERR ?[31mxxx"))
            #expect(error.message.count < 260)
        }
    }
}
