internal import SslSockets
public import SslValues

/// How long full handshakes took on one pair of backends: both ends together, over memory, in one thread.
public struct HandshakeTiming: Sendable, Hashable {
    /// The client's backend.
    public let client: String
    /// The server's backend.
    public let server: String
    /// The version that was negotiated.
    public let version: SslVersion
    /// Milliseconds of wall time, ascending; not empty.
    public let milliseconds: [Double]

    /// Sorts what was measured; nil without a measurement.
    public init?(client: String, server: String, version: SslVersion, milliseconds: [Double]) {
        guard !milliseconds.isEmpty else { return nil }
        self.client = client
        self.server = server
        self.version = version
        self.milliseconds = milliseconds.sorted()
    }

    /// The time within which this share of the handshakes was done, from 0 to 1: the smallest measured one that suffices.
    public func percentile(_ share: Double) -> Double {
        let rank = Int((share * Double(milliseconds.count)).rounded(.up)) - 1
        return milliseconds[min(max(rank, 0), milliseconds.count - 1)]
    }
}

extension Comparison {
    /// Measures `count` full handshakes of TLS 1.2 and 1.3 on each pair of backends, after a few to warm up.
    ///
    /// The pairs take turns, so that whatever else the machine does meanwhile meets all of them alike. The certificate is ECDSA on P-256 below an
    /// intermediate; what is prepared once for many connections is prepared before. A pair whose handshake fails is left out.
    public static func timeHandshakes(count: Int, backends: [String]? = nil) async -> [HandshakeTiming] {
        let names = SslBackends.available.filter { backends?.contains($0) ?? true }
        var cells: [ScenarioCell] = []
        for version in [SslVersion.tls1_2, .tls1_3] {
            for client in names {
                cells += names.map { ScenarioCell(scenario: "timing", client: client, server: $0, version: version) }
            }
        }
        let all = cells
        return await PlainThread.run { measure(all, count: count) }
    }

    private static func measure(_ cells: [ScenarioCell], count: Int) -> [HandshakeTiming] {
        let warmUp = 3
        let setups = cells.map { try? Plan().setup($0) }
        var times = [[Double]](repeating: [], count: cells.count)
        for round in 0..<(warmUp + max(count, 0)) {
            for index in cells.indices {
                guard let setup = setups[index], let time = handshake(setup) else { continue }
                if round >= warmUp { times[index].append(time) }
            }
        }
        return zip(cells, times).compactMap { cell, times in
            HandshakeTiming(client: cell.client, server: cell.server, version: cell.version, milliseconds: times)
        }
    }

    /// The milliseconds of one handshake; nil when it failed.
    private static func handshake(_ setup: Plan.Setup) -> Double? {
        let clock = ContinuousClock()
        let start = clock.now
        guard let pipe = try? MemoryPipe(client: setup.client, host: setup.host, server: setup.server) else { return nil }
        pipe.run()
        let (seconds, attoseconds) = (clock.now - start).components
        guard pipe.client.isEstablished, pipe.server.isEstablished else { return nil }
        return Double(seconds) * 1e3 + Double(attoseconds) / 1e15
    }
}
