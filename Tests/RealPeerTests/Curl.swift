internal import SslSockets
internal import SslTestKit
internal import TestProcesses

/// curl with either TLS library: Debian's program `curl` uses OpenSSL, its Python binding GnuTLS.
enum Curl: String, Sendable, CaseIterable {
    case openssl = "OpenSSL"
    case gnutls = "GnuTLS"

    /// What curl should do.
    struct Transfer: Sendable {
        var cell: Cell
        var port: UInt16
        var anchors: String
        var output: String
        /// A file to leave on the server; nil to fetch one.
        var upload: String?
        var certificate: CertificateFiles?
    }

    /// Which library it says it uses.
    func version() async throws -> String {
        switch self {
        case .openssl: try await ChildProcess.run(Self.program(), ["--version"]).text
        case .gnutls: try await ChildProcess.run(Self.python, ["-c", "import pycurl; print(pycurl.version)"]).text
        }
    }

    /// Makes the transfer. The status is curl's own number, with both flavours.
    func run(_ transfer: Transfer) async throws -> ProcessResult {
        switch self {
        case .openssl: try await ChildProcess.run(Self.program(), arguments(transfer), within: .seconds(120))
        case .gnutls: try await runBinding(transfer)
        }
    }

    private static func program() throws -> String { try ProgramPath.find("curl", package: "curl") }

    /// The system's own Python, which has the system's own binding; another one on PATH would not.
    private static let python = "/usr/bin/python3"

    private func url(_ transfer: Transfer) -> String { "https://\(TestIdentity.defaultHost):\(transfer.port)/file" }
    private func address(_ transfer: Transfer) -> String { "\(TestIdentity.defaultHost):\(transfer.port):127.0.0.1" }

    private func arguments(_ transfer: Transfer) -> [String] {
        var all = [
            "-sS", "--http1.1", "--cacert", transfer.anchors, "--output", transfer.output, "--resolve", address(transfer),
        ]
        all += transfer.cell.version == .tls1_3 ? ["--tlsv1.3"] : ["--tlsv1.2", "--tls-max", "1.2"]
        if let certificate = transfer.certificate { all += ["--cert", certificate.chain, "--key", certificate.key] }
        if let upload = transfer.upload { all += ["--upload-file", upload] }
        return all + [url(transfer)]
    }

    private func runBinding(_ transfer: Transfer) async throws -> ProcessResult {
        let probe = try await ChildProcess.run(Self.python, ["-c", "import pycurl"])
        guard probe.status == 0 else { throw MissingProgram(program: "pycurl", package: "python3-pycurl") }
        let version = transfer.cell.version == .tls1_3 ? "3" : "2"
        return try await ChildProcess.run(
            Self.python,
            [
                "-c", Self.script, url(transfer), address(transfer), transfer.anchors, transfer.output, version,
                transfer.upload ?? "",
                transfer.certificate?.chain ?? "", transfer.certificate?.key ?? "",
            ], within: .seconds(120))
    }

    private static let script = """
        import os, sys, pycurl
        url, address, anchors, output, version, upload, chain, key = sys.argv[1:]
        curl = pycurl.Curl()
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.RESOLVE, [address])
        curl.setopt(pycurl.CAINFO, anchors)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        floor = getattr(pycurl, "SSLVERSION_TLSv1_" + version)
        ceiling = getattr(pycurl, "SSLVERSION_MAX_TLSv1_" + version)
        curl.setopt(pycurl.SSLVERSION, floor | ceiling)
        if chain:
            curl.setopt(pycurl.SSLCERT, chain)
            curl.setopt(pycurl.SSLKEY, key)
        if upload:
            curl.setopt(pycurl.UPLOAD, 1)
            curl.setopt(pycurl.INFILESIZE_LARGE, os.path.getsize(upload))
            curl.setopt(pycurl.READDATA, open(upload, "rb"))
        with open(output, "wb") as received:
            curl.setopt(pycurl.WRITEDATA, received)
            try:
                curl.perform()
            except pycurl.error as error:
                print(error, file=sys.stderr)
                sys.exit(error.args[0])
        """
}
