internal import ArgumentParser

/// Where to connect: `host:443`, `192.0.2.1:443`, `[2001:db8::1]:443`.
struct Endpoint: ExpressibleByArgument, Equatable {
    let host: String
    let port: UInt16

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...]), port > 0
        else {
            return nil
        }
        var host = argument[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(where: { $0 == ":" || $0 == "[" || $0 == "]" }) {
            // Without brackets nobody can tell the port of an IPv6 address from its last group.
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = port
    }
}
