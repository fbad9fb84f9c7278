internal import SslTestKit

/// A capture file (libpcap format) of a TCP connection that only ever was in memory, so that making it takes no privileges.
struct Capture {
    /// Where the server listens, as the capture has it: tshark takes it for HTTPS.
    static let port: UInt16 = 443
    private var octets: [UInt8] = []
    private var sent: (client: UInt32, server: UInt32) = (1000, 5000)

    init() {
        // Magic number, version 2.4, no time zone, longest packet, packets that begin with an IP header (LINKTYPE_RAW).
        for word in [0xA1B2_C3D4, 0x0002_0004, 0, 0, 262_144, 101] as [UInt32] { put(word) }
        segment(fromClient: true, flags: 0x02, [])
        sent.client += 1
        segment(fromClient: false, flags: 0x12, [])
        sent.server += 1
        segment(fromClient: true, flags: 0x10, [])
    }

    /// The file.
    var file: [UInt8] { octets }

    /// Adds what one end has sent.
    mutating func add(fromClient: Bool, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(1400)
            rest = rest.dropFirst(1400)
            segment(fromClient: fromClient, flags: 0x18, Array(part))
            if fromClient { sent.client += UInt32(part.count) } else { sent.server += UInt32(part.count) }
        }
    }

    private mutating func segment(fromClient: Bool, flags: UInt8, _ payload: [UInt8]) {
        let length = 40 + payload.count
        for word in [UInt32(1_700_000_000), 0, UInt32(length), UInt32(length)] { put(word) }
        let hosts: [[UInt8]] = [[192, 0, 2, 1], [192, 0, 2, 2]]
        // IPv4, without a checksum, which nobody asks for: RFC 791 section 3.1.
        octets += [0x45, 0, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0x40, 0, 64, 6, 0, 0]
        octets += fromClient ? hosts[0] + hosts[1] : hosts[1] + hosts[0]
        // TCP: RFC 9293 section 3.1.
        let ports: [UInt16] = fromClient ? [40_000, Self.port] : [Self.port, 40_000]
        for port in ports { octets += [UInt8(port >> 8), UInt8(port & 255)] }
        put(fromClient ? sent.client : sent.server)
        put(flags == 0x02 ? 0 : fromClient ? sent.server : sent.client)
        octets += [0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]
        octets += payload
    }

    private mutating func put(_ word: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { octets.append(UInt8(word >> shift & 255)) }
    }

    /// Two ends with everything they say to each other.
    struct Recording {
        let client: PipeEndpoint
        let server: PipeEndpoint
        private(set) var capture = Capture()

        init(client: PipeEndpoint, server: PipeEndpoint) { (self.client, self.server) = (client, server) }

        /// Carries octets until nobody has more to say.
        mutating func run() {
            while true {
                client.work()
                let request = client.takeOutput()
                capture.add(fromClient: true, request)
                server.take(request)
                server.work()
                let answer = server.takeOutput()
                capture.add(fromClient: false, answer)
                client.take(answer)
                if request.isEmpty && answer.isEmpty { return }
            }
        }
    }
}
