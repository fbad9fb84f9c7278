internal import SslValues

/// Every scenario there is, in a fixed order. The tests and the tool read the same list.
public enum ScenarioCatalogue {
    /// All scenarios.
    public static let all: [Scenario] =
        chains + trust + constraints + sources + revocation + names + policy + negotiation + handshakes + clientCertificates
        + decisions
        + records + recordFaults + endings + alerts + sessions + resumptionTerms + ticketKeys + sessionCaches + preSharedKeys
        + stapling + configurations
        + datagrams + exports + demands

    /// The scenario of that name.
    public static func scenario(_ id: String) -> Scenario? { all.first { $0.id == id } }

    /// The rows of the table of engine differences that have no scenario, each with the reason.
    public static let rowsWithoutScenario: [Int: String] = [
        3:
            "The output callback of GnuTLS is a detail of finding a path; what the path lists is compared by the scenarios of rows 2 and 5.",
        38:
            "Renegotiation cannot be asked for through this library, and a HelloRequest inside an encrypted connection cannot be forged "
            + "without the record keys. A real peer that renegotiates is the only proof.",
        46:
            "OpenSSL's error queue is cleared before each call inside its backend; every scenario that fails on one connection and goes on "
            + "with another in the same thread would notice a stale entry.",
        55: "SIGPIPE is a matter of sockets; sessions work on memory.",
    ]

    /// The rows that must be covered, one way or the other: those about verification, names, handshakes, records, ends, alerts and sessions, about keys
    /// in files, the system's trust store, and time.
    public static let rowsToCover: [Int] = Array(1...61) + [73, 74, 76, 85]

    // MARK: Words for expectations

    /// The client finds these problems and sends this alert, which the server gets, if it can read it.
    static func refused(_ problems: String, _ alert: String, prefix: String = "") -> ScenarioExpectation {
        let client = "\(prefix)peerVerificationFailed [\(problems)], sent \(alert)"
        return .equal(client: client, server: "alertReceived, got \(alert)").except(Pins.alertInTheClear(client: client))
    }

    /// The client accepts in spite of these problems.
    static func accepted(_ problems: String) -> ScenarioExpectation { .equal(client: "ok despite [\(problems)]", server: "ok") }
}
