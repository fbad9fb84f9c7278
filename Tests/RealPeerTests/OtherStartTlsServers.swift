internal import FoundationEssentials
internal import Glibc
internal import SslSockets
internal import SslTestKit
internal import TestProcesses

extension StartTlsServer {
    /// True when these tests may become another user.
    private static var isRoot: Bool { getuid() == 0 }
    /// The user and group `nobody` of Debian.
    private static let nobody: UInt32 = 65_534

    /// PostgreSQL, whose TLS is OpenSSL's. It never runs as root.
    ///
    /// - Parameter password: the one of the user `postgres`, who proves it by SCRAM; nil lets everybody in.
    static func postgres(_ files: CertificateFiles, password: String? = nil) async throws -> StartTlsServer {
        let setpriv = try ProgramPath.find("setpriv", package: "util-linux")
        // Debian keeps the programs of each version in a folder of its own.
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        guard let version = versions.compactMap(Int.init).max() else {
            throw MissingProgram(program: "postgres", package: "postgresql")
        }
        let programs = "/usr/lib/postgresql/\(version)/bin"
        let folder = try ScratchFolder()
        let port = try LocalPort.free()
        // The key must be the user's own and nobody else's.
        let key = try folder.write(files.identity.key.pem, to: "key.pem")
        unsafe chmod(key, 0o600)
        unsafe mkdir(folder.file("data"), 0o700)
        if isRoot {
            unsafe chown(key, nobody, nobody)
            unsafe chown(folder.file("data"), nobody, nobody)
        }
        let asUser = isRoot ? ["--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups"] : ["--no-new-privs"]
        let method = try password.map { ["-A", "scram-sha-256", "--pwfile", try folder.write($0 + "\n", to: "password")] }
        let made = try await ChildProcess.run(
            setpriv,
            asUser + ["\(programs)/initdb", "-D", folder.file("data"), "-U", "postgres", "--no-sync"]
                + (method ?? ["-A", "trust"]))
        guard made.status == 0 else { throw ProcessFailure("initdb: \(made)") }
        let settings = [
            "ssl=on", "ssl_cert_file=\(files.chain)", "ssl_key_file=\(key)", "fsync=off", "unix_socket_directories=",
            "listen_addresses=127.0.0.1", "port=\(port)",
        ]
        let process = try ChildProcess(
            setpriv, asUser + ["\(programs)/postgres", "-D", folder.file("data")] + settings.flatMap { ["-c", $0] })
        // It listens before it lets anybody in.
        try await process.output(containing: "ready to accept connections")
        return StartTlsServer(folder: folder, process: process, port: port)
    }

    /// vsftpd speaks FTP; its TLS is OpenSSL's.
    static func vsftpd(_ files: CertificateFiles) async throws -> StartTlsServer {
        let program = try ProgramPath.find("vsftpd", package: "vsftpd")
        let folder = try ScratchFolder()
        let port = try LocalPort.free()
        unsafe mkdir(folder.file("empty"), 0o755)
        let configuration = """
            listen=YES
            listen_address=127.0.0.1
            listen_port=\(port)
            background=NO
            run_as_launching_user=\(isRoot ? "NO" : "YES")
            nopriv_user=nobody
            secure_chroot_dir=\(folder.file("empty"))
            seccomp_sandbox=NO
            anonymous_enable=YES
            local_enable=NO
            ssl_enable=YES
            allow_anon_ssl=YES
            ssl_tlsv1=YES
            rsa_cert_file=\(files.chain)
            rsa_private_key_file=\(files.key)

            """
        let process = try ChildProcess(program, [try folder.write(configuration, to: "vsftpd.conf")])
        try await process.listening(at: port)
        return StartTlsServer(folder: folder, process: process, port: port)
    }

    /// slapd speaks LDAP; Debian's uses GnuTLS.
    static func slapd(_ files: CertificateFiles) async throws -> StartTlsServer {
        let program = try ProgramPath.find("slapd", package: "slapd")
        let folder = try ScratchFolder()
        let port = try LocalPort.free()
        let configuration = """
            include /etc/ldap/schema/core.schema
            pidfile \(folder.file("pid"))
            modulepath /usr/lib/ldap
            moduleload back_null
            TLSCertificateFile \(files.chain)
            TLSCertificateKeyFile \(files.key)
            database null
            suffix "dc=test"

            """
        let path = try folder.write(configuration, to: "slapd.conf")
        // Any level of debugging keeps it in the foreground.
        let process = try ChildProcess(program, ["-d", "0", "-f", path, "-h", "ldap://127.0.0.1:\(port)"])
        try await process.listening(at: port)
        return StartTlsServer(folder: folder, process: process, port: port)
    }

    /// Prosody speaks XMPP; its TLS is OpenSSL's.
    static func prosody(_ files: CertificateFiles) async throws -> StartTlsServer {
        let program = try ProgramPath.find("prosody", package: "prosody")
        let folder = try ScratchFolder()
        let port = try LocalPort.free()
        let host = files.identity.host
        let configuration = """
            run_as_root = \(isRoot)
            daemonize = false
            pidfile = "\(folder.file("pid"))"
            data_path = "\(folder.path)"
            log = { info = "*console" }
            modules_enabled = { "tls"; "saslauth" }
            modules_disabled = { "s2s" }
            c2s_ports = { \(port) }
            c2s_interfaces = { "127.0.0.1" }
            c2s_require_encryption = true
            ssl = { certificate = "\(files.chain)"; key = "\(files.key)" }
            VirtualHost "\(host)"
              ssl = { certificate = "\(files.chain)"; key = "\(files.key)" }

            """
        let process = try ChildProcess(program, ["--config", try folder.write(configuration, to: "prosody.cfg.lua")])
        try await process.listening(at: port)
        return StartTlsServer(folder: folder, process: process, port: port)
    }
}
