import SslTestKit
import Testing

@testable import SslSockets

/// The value, its URL and what it keeps to itself.
@Suite("Descriptions of proxies")
struct SslProxyTests {
    @Test("fields and equality")
    func fields() {
        let proxy = SslProxy(.socks5, host: "proxy.example.org", port: 1080, user: "alice", password: "secret")
        #expect(proxy.kind == .socks5)
        #expect(proxy.host == "proxy.example.org")
        #expect(proxy.port == 1080)
        #expect(proxy.user == "alice")
        #expect(proxy.password == SecretBytes(Array("secret".utf8)))
        var other = proxy
        #expect(other == proxy)
        other.password = SecretBytes(Array("Secret".utf8))
        #expect(other != proxy)
        #expect(SslProxy.default.kind == .default)
        #expect(SslProxy.none.kind == .none)
        #expect(SslProxy(.httpConnect, host: "h", port: 1).password == nil)
    }

    @Test("neither user nor password is ever printed")
    func secrets() {
        let proxy = SslProxy(.httpConnect, host: "::1", port: 8080, user: "alice", password: "hunter2")
        #expect(proxy.description == "http://[::1]:8080")
        var dumped = ""
        dump(proxy, to: &dumped)
        let authenticator = SslAuthenticator(proxy: proxy, realm: "r")
        authenticator.fillIn(user: "bob", password: "hunter2")
        dump(authenticator, to: &dumped)
        for text in [dumped, "\(proxy)", String(reflecting: proxy), String(reflecting: authenticator)] {
            #expect(!text.contains("hunter2"))
            #expect(!text.contains("alice"))
        }
    }

    @Test("the default stands for the proxy of the application, and that for none")
    func inForce() {
        #expect(SslProxy.applicationProxy == .none)
        #expect(SslProxy.default.inForce == nil)
        #expect(SslProxy.none.inForce == nil)
        let proxy = SslProxy(.socks5, host: "h", port: 1)
        #expect(proxy.inForce == proxy)
    }

    @Test("sockets that name no proxy use that of the application, those that name one do not")
    func ofApplication() async {
        // In a process of its own: it is the setting of all sockets of a process.
        await #expect(processExitsWith: .success) {
            let proxy = try TestProxy(.socks5)
            SslProxy.applicationProxy = proxy.proxy()
            #expect(SslProxy.applicationProxy.port == proxy.port)
            let server = try ScriptedPeer([.hold])
            let socket = SslSocket()
            socket.connectToHost("default.example.test", port: server.port)
            #expect(await socket.waitForConnected(timeout: .seconds(20)))
            socket.abort()
            socket.proxy = .none
            socket.connectToHost("127.0.0.1", port: server.port)
            #expect(await socket.waitForConnected(timeout: .seconds(20)))
            socket.abort()
            #expect(proxy.requests.map(\.target) == ["default.example.test:\(server.port)"])
            // The default of the defaults is none.
            SslProxy.applicationProxy = .default
            socket.proxy = .default
            socket.connectToHost("127.0.0.1", port: server.port)
            #expect(await socket.waitForConnected(timeout: .seconds(20)))
            #expect(proxy.requests.count == 1)
        }
    }

    @Test("URLs")
    func urls() throws {
        let full = try SslProxy(url: "socks5://al%3Aice:p%40ss%20word:x@proxy.example.org:1080")
        #expect(full == SslProxy(.socks5, host: "proxy.example.org", port: 1080, user: "al:ice", password: "p@ss word:x"))
        #expect(try SslProxy(url: "HTTP://127.0.0.1:3128/") == SslProxy(.httpConnect, host: "127.0.0.1", port: 3128))
        #expect(try SslProxy(url: "socks5h://[::1]:1080") == SslProxy(.socks5, host: "::1", port: 1080))
        #expect(try SslProxy(url: "http://alice@proxy:80") == SslProxy(.httpConnect, host: "proxy", port: 80, user: "alice"))
    }

    @Test(
        "URLs that cannot be used are refused, and not quoted",
        arguments: [
            "", "proxy:1080", "://proxy:1080", "https://proxy:1080", "socks4://proxy:1080", "ftp://proxy:1", "socks5://proxy",
            "socks5://proxy:", "socks5://proxy:0", "socks5://proxy:65536", "socks5://proxy:+1", "socks5://:1080",
            "socks5://::1:1080", "socks5://[::1]", "socks5://[proxy]:1080", "socks5://[127.0.0.1]:1080",
            "socks5://hunter2@:1080", "socks5://:hunter2@proxy:1080", "socks5://a:hunter2%@proxy:1080",
            "socks5://a:hunter2%g0@proxy:1080", "socks5://a:hunter2%ff@proxy:1080", "socks5://a:hunter2 @proxy:1080",
            "socks5://a:hunter2/@proxy:1080", "socks5://proxy:1080/path", "socks5://proxy:1080?q", "socks5://pro xy:1080",
            "socks5://pr\u{0}oxy:1080", "socks5://a@b@proxy:1080", "http://proxy:80//",
        ])
    func wrongUrls(_ url: String) {
        do throws(SslSocketError) {
            _ = try SslProxy(url: url)
            Issue.record("\(url) was taken")
        } catch {
            #expect(error.code == .invalidUserData)
            #expect(!error.message.contains("hunter2"))
            #expect(error.message.hasPrefix("The URL of the proxy cannot be used: "))
        }
    }

    @Test("targets that neither kind of proxy can be told")
    func targets() throws {
        func code(_ host: String, _ family: SslNetworkProtocol = .any, port: UInt16 = 1) -> SslSocketError.Code? {
            do throws(SslSocketError) {
                _ = try ProxyTarget(host, port: port, protocol: family)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code("example.org") == nil)
        #expect(code("example.org.") == nil)
        #expect(code("127.0.0.1", .ipv4) == nil)
        #expect(code("127.0.0.1", .ipv6) == .hostNotFound)
        #expect(code("::1", .ipv4) == .hostNotFound)
        #expect(code("example.org", .ipv6) == .unsupportedOperation)
        #expect(code("fe80::1%1") == .unsupportedOperation)
        #expect(code("example.org", port: 0) == .connectionRefused)
        // Nothing that could end the line or the field it is written in.
        for host in ["", ".", "a b", "a\r\nX: y", "a/b", "a@b", "a:b", "é.org", "a..b", String(repeating: "a", count: 64)] {
            #expect(code(host) == .hostNotFound, "\(host)")
        }
        #expect(code(Array(repeating: "abcdefg", count: 32).joined(separator: ".")) == .hostNotFound)
    }

    @Test("credentials that the protocol cannot carry")
    func credentials() {
        func isRefused(_ kind: SslProxy.Kind, _ user: String, _ password: String) -> Bool {
            (try? ProxyCredentials(user: user, password: SecretBytes(Array(password.utf8)), for: kind)) == nil
        }
        let long = String(repeating: "x", count: 256)
        #expect(!isRefused(.socks5, "a:b", "c"))
        #expect(isRefused(.socks5, long, "c"))
        #expect(isRefused(.socks5, "a", long))
        #expect(isRefused(.socks5, "a", ""))
        #expect(!isRefused(.httpConnect, "a", ""))
        #expect(!isRefused(.httpConnect, long, long))
        #expect(isRefused(.httpConnect, "a:b", "c"))
        #expect(isRefused(.httpConnect, "a\n", "c"))
        #expect(isRefused(.httpConnect, "a", "c\r\nX: y"))
    }
}
