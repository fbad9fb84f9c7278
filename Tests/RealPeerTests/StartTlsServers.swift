internal import Glibc
internal import SslSockets
internal import TestProcesses

/// A server that begins in plain text and switches to TLS.
struct StartTlsServer {
    let folder: ScratchFolder
    let process: ChildProcess
    let port: UInt16

    /// Dovecot speaks IMAP and POP3; its TLS is OpenSSL's.
    static func dovecot(_ cell: Cell, _ files: CertificateFiles, service: String = "imap") async throws -> StartTlsServer {
        let program = try ProgramPath.find("dovecot", package: "dovecot-\(service)d")
        let folder = try ScratchFolder()
        let port = try LocalPort.free()
        // It refuses to let root's processes talk to strangers, and can change to no other user when it is not root.
        let isRoot = getuid() == 0
        let user = unsafe getpwuid(getuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? "nobody"
        let group = unsafe getgrgid(getgid()).map { unsafe String(cString: $0.pointee.gr_name) } ?? "nogroup"
        let configuration = """
            base_dir = \(folder.path)/base
            state_dir = \(folder.path)/state
            log_path = /dev/stderr
            protocols = \(service)
            listen = 127.0.0.1
            ssl = required
            ssl_cert = <\(files.chain)
            ssl_key = <\(files.key)
            ssl_min_protocol = \(cell.version)
            \(cell.version == .tls1_2 ? "ssl_cipher_list = ECDHE+AESGCM" : "")
            default_internal_user = \(isRoot ? "dovecot" : user)
            default_internal_group = \(isRoot ? "dovecot" : group)
            default_login_user = \(isRoot ? "dovenull" : user)
            service \(service)-login {
              chroot =
              inet_listener \(service) {
                port = \(port)
              }
              inet_listener \(service)s {
                port = 0
              }
            }
            service anvil {
              chroot =
            }
            service stats {
              chroot =
            }
            passdb {
              driver = static
              args = nopassword=y
            }
            userdb {
              driver = static
              args = uid=65534 gid=65534 home=\(folder.path)
            }

            """
        try folder.write(configuration, to: "dovecot.conf")
        let process = try ChildProcess(program, ["-F", "-c", folder.file("dovecot.conf")])
        try await process.listening(at: port)
        return StartTlsServer(folder: folder, process: process, port: port)
    }

    /// Exim speaks SMTP; Debian's uses GnuTLS.
    static func exim(_ cell: Cell, _ files: CertificateFiles) async throws -> StartTlsServer {
        let program = try ProgramPath.find("exim4", package: "exim4-daemon-light")
        let folder = try ScratchFolder()
        // It gives its spool to a user of its own.
        unsafe chmod(folder.path, 0o777)
        let port = try LocalPort.free()
        let configuration = """
            primary_hostname = server.example.test
            spool_directory = \(folder.path)/spool
            log_file_path = \(folder.path)/%slog
            pid_file_path = \(folder.path)/pid
            keep_environment =
            tls_advertise_hosts = *
            tls_certificate = \(files.chain)
            tls_privatekey = \(files.key)
            tls_require_ciphers = \(cell.gnutlsPriority)
            daemon_smtp_ports = \(port)
            local_interfaces = 127.0.0.1
            host_lookup =
            rfc1413_hosts =

            """
        let path = try folder.write(configuration, to: "exim.conf")
        let process = try ChildProcess(program, ["-C", path, "-bdf"])
        try await process.listening(at: port)
        return StartTlsServer(folder: folder, process: process, port: port)
    }
}
