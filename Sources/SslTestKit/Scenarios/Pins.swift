internal import SslValues

/// Differences that more than one scenario shows, and the library versions they were measured with.
enum Pins {
    static let gnutls3_7: [String: ClosedRange<Int>] = ["gnutls": 0x03_0700...0x03_07FF]
    static let openssl3_0: [String: ClosedRange<Int>] = ["openssl": 0x3000_0000...0x300F_FFFF]
    static let both: [String: ClosedRange<Int>] = gnutls3_7.merging(openssl3_0) { own, _ in own }

    /// A client of OpenSSL refuses its server in TLS 1.3, and a server of GnuTLS cannot read why.
    static func alertInTheClear(client: String, server: String = "handshakeFailed, sent bad_record_mac") -> ScenarioDifference {
        ScenarioDifference(
            client: "openssl", server: "gnutls", versions: [.tls1_3], libraries: both,
            outcome: ScenarioOutcome(client: client, server: server),
            reason:
                "RFC 8446 section 7.1 protects a client's alert with its handshake keys once the ServerHello is there. OpenSSL changes "
                + "to them only with its own second flight and sends the alert in the clear before. GnuTLS takes that for a damaged record. "
                + "The connection is refused at both ends all the same.")
    }
}
