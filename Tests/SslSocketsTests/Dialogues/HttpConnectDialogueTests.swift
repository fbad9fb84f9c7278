import Testing

@testable import SslSockets

/// CONNECT as a state machine: RFC 9110 section 9.3.6, RFC 9112, RFC 7617.
@Suite("The dialogue with an HTTP proxy")
struct HttpConnectDialogueTests {
    private func dialogue(_ host: String = "example.org", port: UInt16 = 443, user: String = "", password: String = "") throws
        -> HttpConnectDialogue
    {
        let secret = password.isEmpty ? nil : SecretBytes(Array(password.utf8))
        return HttpConnectDialogue(
            to: try ProxyTarget(host, port: port),
            credentials: try ProxyCredentials(user: user, password: secret, for: .httpConnect))
    }

    @Test(
        "the request names the host, with brackets around an IPv6 address",
        arguments: [
            ("example.org", "example.org:443"), ("192.0.2.7", "192.0.2.7:443"), ("2001:DB8::1", "[2001:db8::1]:443"),
        ])
    func request(_ host: String, _ written: String) throws {
        #expect(try Talk(dialogue(host)).takeSaidText() == "CONNECT \(written) HTTP/1.1\r\nHost: \(written)\r\n\r\n")
    }

    @Test("user and password go along in Base64")
    func credentials() throws {
        // The example of RFC 7617 section 2.
        #expect(
            try Talk(dialogue(user: "Aladdin", password: "open sesame")).takeSaidText()
                == "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n"
                + "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n")
    }

    @Test(
        "the tunnel begins after the head",
        arguments: [
            "HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200\r\n\r\n", "HTTP/1.1 299 \r\nServer: x\r\n\r\n",
            // A length means nothing there.
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\nX: y\n\n",
        ])
    func ends(_ head: String) throws { try Talk.expectEnd({ try dialogue() }, after: Array(head.utf8)) }

    @Test(
        "each refusal has a meaning",
        arguments: [
            (400, .proxyProtocol), (403, .socketAccess), (405, .socketAccess), (404, .hostNotFound), (500, .network),
            (502, .network), (503, .connectionRefused), (504, .socketTimeout), (301, .proxyProtocol), (101, .proxyProtocol),
        ] as [(Int, SslSocketError.Code)])
    func refusals(_ status: Int, _ code: SslSocketError.Code) throws {
        #expect(Talk.failure(try dialogue(), "HTTP/1.1 \(status) No\r\nServer: x\r\n\r\n") == code)
    }

    @Test("a challenge keeps the connection when the proxy does and the body is told")
    func challengeOnTheSameConnection() throws {
        let talk = try Talk(dialogue())
        try talk.tell("HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"the realm\"\r\nContent-Length: 4\r\n\r\nbod")
        #expect(talk.step == .listen)
        try talk.tell("y")
        #expect(talk.step == .needsCredentials(realm: "the realm", keepsConnection: true))
        #expect(talk.leftover.isEmpty)
    }

    @Test(
        "otherwise a new connection is needed, and no body is waited for",
        arguments: [
            "HTTP/1.0 407 Who?\r\nProxy-Authenticate: Basic realm=r\r\nContent-Length: 4\r\n\r\n",
            "HTTP/1.1 407 Who?\r\nproxy-authenticate: BASIC realm=\"r\"\r\nConnection: Close\r\nContent-Length: 4\r\n\r\n",
            "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"r\"\r\nProxy-Connection: foo, close\r\nContent-Length: 4\r\n\r\n",
            "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"r\"\r\n\r\n",
            "HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=\"r\"\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Digest realm=\"Basic, realm=x\", Basic realm=\"r\"\r\nContent-Length: 9999999\r\n\r\n",
        ])
    func challengeOnAnother(_ head: String) throws {
        let talk = try Talk(dialogue())
        try talk.tell(head)
        #expect(talk.step == .needsCredentials(realm: "r", keepsConnection: false))
    }

    @Test("an authentication that is not there is no reason to ask for a password")
    func otherSchemes() throws {
        for challenge in ["Digest realm=\"Basic\"", "Negotiate", "Basically realm=x", "Digest a=\"x, Basic realm=y\""] {
            #expect(
                Talk.failure(try dialogue(), "HTTP/1.1 407 Who?\r\nProxy-Authenticate: \(challenge)\r\n\r\n")
                    == .proxyAuthenticationRequired, "\(challenge)")
        }
    }

    @Test(
        "what is no HTTP is refused",
        arguments: [
            "SSH-2.0", "HTTP/2", "HTTP/1.2 200 OK\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 abc OK\r\n",
            "HTTP/1.1  200 OK\r\n", "HTTP/1.1 099 OK\r\n", "HTTP/1.1\r\n", "\r\nHTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n", "HTTP/1.1 200 OK\r\n: empty\r\n", "HTTP/1.1 200 OK\r\nspaced : x\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n", "HTTP/1.1 200 OK\r\nA: \u{1}\r\n", "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n",
            "HTTP/1.1 407 Who?\r\nContent-Length: -1\r\n", "HTTP/1.1 407 Who?\r\nContent-Length: 1, 2\r\n",
            "HTTP/1.1 407 Who?\r\nContent-Length: 99999999999999999999\r\n",
            "HTTP/1.1 407 Who?\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        ])
    func malformed(_ text: String) throws { #expect(Talk.failure(try dialogue(), text) == .proxyProtocol) }

    @Test("nothing goes on without end")
    func bounded() throws {
        let long = String(repeating: "x", count: 5000)
        #expect(Talk.failure(try dialogue(), "HTTP/1.1 200 \(long)", oneByOne: false) == .proxyProtocol)
        let fields = String(repeating: "Field: value\r\n", count: 100)
        #expect(Talk.failure(try dialogue(), "HTTP/1.1 200 OK\r\n\(fields)", oneByOne: false) == .proxyProtocol)
        let interim = String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 20)
        #expect(Talk.failure(try dialogue(), interim, oneByOne: false) == .proxyProtocol)
    }
}
