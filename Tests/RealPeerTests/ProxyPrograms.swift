internal import Glibc
internal import SslSockets
internal import TestProcesses

/// A proxy of Debian.
enum ProxyProgram: String, Sendable, CaseIterable {
    /// SOCKS 5.
    case microsocks
    /// HTTP; it closes a connection whose credentials it refuses.
    case tinyproxy
    /// HTTP; it keeps a connection whose credentials it refuses.
    case squid

    /// How it is spoken to.
    var kind: SslProxy.Kind { self == .microsocks ? .socks5 : .httpConnect }
    /// What it says that the credentials are for.
    var realm: String {
        switch self {
        case .microsocks: ""
        case .tinyproxy: "Tinyproxy"
        case .squid: "the realm of squid"
        }
    }
}

/// A running proxy of this host.
struct ProxyProcess {
    static let user = "alice"
    static let password = "secret"
    private let folder: ScratchFolder
    private let process: ChildProcess
    private let program: ProxyProgram
    let port: UInt16

    /// How a client uses it.
    func proxy(user: String = "", password: String = "") -> SslProxy {
        SslProxy(program.kind, host: "127.0.0.1", port: port, user: user, password: password)
    }

    /// - Parameter wantsPassword: it lets nobody through but ``user``.
    init(_ program: ProxyProgram, wantsPassword: Bool) async throws {
        folder = try ScratchFolder()
        port = try LocalPort.free()
        self.program = program
        process =
            switch program {
            case .microsocks: try Self.microsocks(port, wantsPassword)
            case .tinyproxy: try Self.tinyproxy(port, wantsPassword, folder)
            case .squid: try await Self.squid(port, wantsPassword, folder, program.realm)
            }
        try await process.listening(at: port)
    }

    private static func microsocks(_ port: UInt16, _ wantsPassword: Bool) throws -> ChildProcess {
        let program = try ProgramPath.find("microsocks", package: "microsocks")
        let credentials = wantsPassword ? ["-u", user, "-P", password] : []
        return try ChildProcess(program, ["-i", "127.0.0.1", "-p", "\(port)"] + credentials)
    }

    private static func tinyproxy(_ port: UInt16, _ wantsPassword: Bool, _ folder: ScratchFolder) throws -> ChildProcess {
        let program = try ProgramPath.find("tinyproxy", package: "tinyproxy-bin")
        let configuration = """
            Port \(port)
            Listen 127.0.0.1
            Timeout 60
            MaxClients 20
            \(wantsPassword ? "BasicAuth \(user) \(password)" : "")

            """
        return try ChildProcess(program, ["-d", "-c", try folder.write(configuration, to: "tinyproxy.conf")])
    }

    private static func squid(_ port: UInt16, _ wantsPassword: Bool, _ folder: ScratchFolder, _ realm: String) async throws
        -> ChildProcess
    {
        let program = try ProgramPath.find("squid", package: "squid")
        let openssl = try ProgramPath.find("openssl", package: "openssl")
        // It gives its logs to a user of its own.
        unsafe chmod(folder.path, 0o777)
        let hash = try await ChildProcess.run(openssl, ["passwd", "-apr1", password])
        let list = try folder.write("\(user):\(hash.text)", to: "passwords")
        let access =
            wantsPassword
            ? """
            auth_param basic program /usr/lib/squid/basic_ncsa_auth \(list)
            auth_param basic children 1 startup=1
            auth_param basic realm \(realm)
            acl known proxy_auth REQUIRED
            http_access allow known
            http_access deny all
            """ : "http_access allow all"
        let configuration = """
            http_port 127.0.0.1:\(port)
            visible_hostname localhost
            pid_filename \(folder.file("pid"))
            cache_log \(folder.file("log"))
            coredump_dir \(folder.path)
            access_log none
            netdb_filename none
            cache deny all
            cache_mem 8 MB
            pinger_enable off
            shutdown_lifetime 0 seconds
            max_filedescriptors 1024
            \(access)

            """
        return try ChildProcess(program, ["-N", "-f", try folder.write(configuration, to: "squid.conf")])
    }
}
