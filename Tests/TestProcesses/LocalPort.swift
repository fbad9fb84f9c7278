internal import Glibc

/// TCP ports of this host.
public enum LocalPort {
    /// A port nobody listens at, for programs that cannot choose one themselves. Somebody else may take it meanwhile, which
    /// happens as rarely as the system gives a port twice in a row.
    public static func free() throws(ProcessFailure) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw ProcessFailure("no socket: error \(errno)") }
        defer { close(descriptor) }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw ProcessFailure("no port: error \(errno)") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// True when somebody listens at the port. It looks into the system's table: a connection would be one the program counts.
    static func isListening(_ port: UInt16) -> Bool {
        let hex = String(port, radix: 16, uppercase: true)
        let wanted = ":" + String(repeating: "0", count: 4 - hex.count) + hex
        return ["/proc/net/tcp", "/proc/net/tcp6"].contains { table in
            guard let stream = unsafe fopen(table, "r") else { return false }
            defer { unsafe fclose(stream) }
            var line = [CChar](repeating: 0, count: 512)
            while unsafe fgets(&line, 512, stream) != nil {
                let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                // Number, local address, remote address, state; 0A is LISTEN.
                let columns = text.split(separator: " ")
                if columns.count > 3, columns[1].hasSuffix(wanted), columns[3] == "0A" { return true }
            }
            return false
        }
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return address
    }
}

/// A port of 127.0.0.1 where connections are taken by the system and never answered.
public final class SilentPort: Sendable {
    private let descriptor: Int32
    /// The port.
    public let number: UInt16

    /// Begins to listen.
    public init() throws(ProcessFailure) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isReady = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        number = UInt16(bigEndian: address.sin_port)
        guard isReady else { throw ProcessFailure("cannot listen: error \(errno)") }
    }

    deinit { close(descriptor) }
}
