internal import Glibc
internal import SslSockets
internal import SslTestKit
internal import TestProcesses
internal import Testing

/// A running nginx with files of its own.
struct Nginx {
    let folder: ScratchFolder
    let process: ChildProcess
    let port: UInt16

    init(
        _ cell: Cell, _ files: CertificateFiles, clients: CertificateFiles? = nil, status: [UInt8]? = nil, settings: String = ""
    ) async throws {
        let program = try ProgramPath.find("nginx", package: "nginx-light")
        folder = try ScratchFolder()
        port = try LocalPort.free()
        let verification = clients.map { "ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate \($0.anchors);" } ?? ""
        let stapling: String
        if let status {
            stapling = "ssl_stapling on; ssl_stapling_file \(try folder.write(status, to: "status"));"
        } else {
            stapling = ""
        }
        // Worker processes of a server started by root change their user; one process needs nothing of the kind.
        let configuration = """
            daemon off;
            master_process off;
            pid \(folder.path)/pid;
            error_log stderr notice;
            events { worker_connections 64; }
            http {
                access_log off;
                client_body_temp_path \(folder.path)/body;
                proxy_temp_path \(folder.path)/proxy;
                fastcgi_temp_path \(folder.path)/fastcgi;
                uwsgi_temp_path \(folder.path)/uwsgi;
                scgi_temp_path \(folder.path)/scgi;
                client_max_body_size 100m;
                server {
                    listen 127.0.0.1:\(port) ssl;
                    server_name \(TestIdentity.defaultHost);
                    ssl_certificate \(files.chain);
                    ssl_certificate_key \(files.key);
                    ssl_protocols \(cell.version.description);
                    \(verification)
                    \(settings)
                    \(stapling)
                    root \(folder.path)/www;
                    location /facts {
                        return 200 "$ssl_protocol $ssl_cipher $ssl_server_name $ssl_client_verify $ssl_client_s_dn\\n";
                    }
                    location /put/ { dav_methods PUT; create_full_put_path on; }
                }
            }
            """
        try folder.write(configuration, to: "nginx.conf")
        _ = unsafe mkdir(folder.file("www"), 0o755)
        process = try ChildProcess(program, ["-p", folder.path, "-e", "stderr", "-c", folder.file("nginx.conf")])
        try await process.listening(at: port)
    }
}

extension RealPeers {
    /// Our client to nginx.
    @Suite(.enabled(if: HeavyPeers.areWanted, Comment(rawValue: HeavyPeers.reason))) struct NginxTests {
        private static let head = "Host: \(TestIdentity.defaultHost)\r\nConnection: close\r\n"

        /// The body of an answer; nil when it has no head, or not the status 2xx.
        private func body(_ answer: [UInt8]) -> [UInt8]? {
            guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
            guard String(decoding: answer.prefix(12), as: UTF8.self).hasPrefix("HTTP/1.1 2") else { return nil }
            return Array(answer[end.upperBound...])
        }

        @Test(arguments: Cell.all, Drive.allCases) func bothSeeTheSameConnection(_ cell: Cell, _ drive: Drive) async throws {
            let files = try CertificateFiles(.valid)
            let server = try await Nginx(cell, files)
            let configuration = try cell.client(trusting: files.identity, alpn: ["h9", "http/1.1"])
            let talk = await Client(port: server.port, configuration: configuration, drive: drive)
                .talk(Array("GET /facts HTTP/1.1\r\n\(Self.head)\r\n".utf8))
            #expect(talk.failure == nil)
            #expect(talk.version == cell.version && talk.alpn == "http/1.1")
            let facts = body(talk.answer).map { String(decoding: $0, as: UTF8.self) } ?? ""
            #expect(facts.hasPrefix("\(cell.version) ") && facts.contains(" \(TestIdentity.defaultHost) NONE"), "\(talk.text)")
        }

        @Test(arguments: Cell.all) func mutualAuthentication(_ cell: Cell) async throws {
            let files = try CertificateFiles(.rsa)
            let certificate = try CertificateFiles(.client)
            let server = try await Nginx(cell, files, clients: certificate)
            let request = Array("GET /facts HTTP/1.1\r\n\(Self.head)\r\n".utf8)
            let configuration = try cell.client(trusting: files.identity, showing: certificate.identity)
            let shown = await Client(port: server.port, configuration: configuration, drive: .async).talk(request)
            #expect(shown.text.contains("SUCCESS CN=Test Client"), "\(shown)")
            // nginx lets everybody in and answers those without a certificate with an error of HTTP.
            let without = await Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: .async)
                .talk(request)
            #expect(without.text.contains("400 No required SSL certificate"), "\(without)")
        }

        @Test(arguments: Cell.all) func itStaplesTheStatus(_ cell: Cell) async throws {
            let files = try CertificateFiles(.valid)
            let authority = try TestCertificates.shared().intermediate
            let leaf = try #require(files.identity.chain.first)
            var insisting = try cell.client(trusting: files.identity)
            insisting.ocspStaplingEnabled = true
            let request = Array("GET /facts HTTP/1.1\r\n\(Self.head)\r\n".utf8)
            let stapling = try await Nginx(cell, files, status: authority.ocspResponse(for: leaf))
            let good = await Client(port: stapling.port, configuration: insisting, drive: .async).talk(request)
            #expect(good.failure == nil && body(good.answer) != nil, "\(good)")
            let silent = try await Nginx(cell, files)
            let refused = await Client(port: silent.port, configuration: insisting, drive: .async).talk(request)
            #expect(refused.errors == [.ocspNoResponseFound] && refused.answer.isEmpty, "\(refused)")
        }

        @Test(arguments: Cell.all) func itsCertificateIsRefused(_ cell: Cell) async throws {
            let files = try CertificateFiles(.untrusted)
            let server = try await Nginx(cell, files)
            let talk = await Client(port: server.port, configuration: try cell.client(trusting: files.identity), drive: .async)
                .talk([])
            #expect(talk.failure?.code == .peerVerificationFailed && talk.failure?.alert == .unknownCa, "\(talk)")
        }

        @Test(arguments: Cell.all, Drive.allCases) func sixtyFourMebibytesEachWay(_ cell: Cell, _ drive: Drive) async throws {
            let payload = try await Payload.shared()
            let files = try CertificateFiles(.valid)
            let server = try await Nginx(cell, files)
            let configuration = try cell.client(trusting: files.identity)
            let client = Client(port: server.port, configuration: configuration, drive: drive)
            let upload = "PUT /put/file HTTP/1.1\r\n\(Self.head)Content-Length: \(Payload.size)\r\n\r\n"
            let put = await client.talk(Array(upload.utf8) + payload.bytes)
            #expect(put.failure == nil && put.text.contains("201 Created"), "\(put)")
            #expect(try await Checksum.sha256(ofFile: server.folder.file("www/put/file")) == payload.checksum)
            let get = await client.talk(Array("GET /put/file HTTP/1.1\r\n\(Self.head)\r\n".utf8))
            #expect(get.failure == nil)
            try server.folder.write(try #require(body(get.answer)), to: "fetched")
            #expect(try await Checksum.sha256(ofFile: server.folder.file("fetched")) == payload.checksum)
        }
    }
}
