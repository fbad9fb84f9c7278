import Glibc

/// Which end the program plays.
enum Role: String {
    case server, client
}

/// What a client does and measures.
enum Mode: String {
    case bulkSend = "bulk-send"
    case bulkReceive = "bulk-recv"
    case handshake
    case resume
    case pingpong
    case idle
}

/// The command line.
struct Options {
    var role = Role.client
    var mode = Mode.bulkSend
    var port: UInt16 = 0
    var certificateFile = ""
    var keyFile = ""
    var authorityFile = ""
    var version: String?
    var cipher: String?
    var hasTickets = true
    /// How often.
    var count = 1
    /// Octets of one write or one message.
    var size = 16_384
    /// The `--opt key=value` pairs; unknown keys are for other programs of the same contract.
    var extra: [String: String] = [:]

    /// Reads the command line, the role standing anywhere in it; ends the program when it makes no sense.
    init(_ arguments: [String]) {
        var rest = arguments.dropFirst()
        var role: Role?
        while let word = rest.popFirst() {
            if let named = Role(rawValue: word) {
                role = named
            } else if let value = rest.popFirst() {
                set(word, value)
            } else {
                die("\(word) needs a value")
            }
        }
        guard let role else { die("usage: sslsocket-peer server|client --port P …") }
        self.role = role
        if size < 0 || count < 0 { die("--n and --size cannot be negative") }
    }

    private mutating func set(_ name: String, _ value: String) {
        switch name {
        case "--port": port = number(name, value)
        case "--cert": certificateFile = value
        case "--key": keyFile = value
        case "--ca": authorityFile = value
        case "--mode":
            guard let mode = Mode(rawValue: value) else { exit(77) }
            self.mode = mode
        case "--n": count = number(name, value)
        case "--size": size = number(name, value)
        case "--tls": version = value
        case "--cipher": cipher = value
        case "--tickets": hasTickets = value != "0"
        case "--opt":
            let pair = value.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count == 2 { extra[pair[0]] = pair[1] }
        default: die("unknown argument \(name)")
        }
    }

    private func number<Number: FixedWidthInteger>(_ name: String, _ value: String) -> Number {
        guard let number = Number(value) else { die("\(name) \(value): not a number") }
        return number
    }

    /// True for the async way to drive a socket, false for the blocking one.
    var isAsync: Bool { extra["drive"] == "async" }
    /// An async client runs on the reactor's executor, not in a plain task.
    var usesReactor: Bool { extra["executor"] != "pool" }
}

/// Says why and ends the program.
func die(_ message: String) -> Never {
    var text = "sslsocket-peer: \(message)\n"
    text.withUTF8 { unsafe _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(1)
}
