import SslBackend
import Testing

@testable import SslSockets

@Suite("PEM (RFC 7468)")
struct PemTests {
    @Test("round trip of every length", arguments: 0..<70)
    func roundTrip(length: Int) throws {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let text = Pem.encode(bytes, label: "CERTIFICATE")
        #expect(try Pem.blocks(in: Array(text.utf8), labels: ["CERTIFICATE"]).map(\.der) == [bytes])
    }

    @Test("text around blocks and other labels are skipped")
    func mixed() throws {
        let text =
            "subject=x\n" + Pem.encode([1, 2, 3], label: "PRIVATE KEY") + "rubbish\r\n"
            + Pem.encode([4, 5], label: "CERTIFICATE").split(separator: "\n").joined(separator: "\r\n") + "\r\n"
        #expect(try Pem.blocks(in: Array(text.utf8), labels: ["CERTIFICATE"]).map(\.der) == [[4, 5]])
    }

    @Test("what is damaged is refused", arguments: ["AQI", "AQ=D", "A*==", "AR==", "AQJ="])
    func damaged(body: String) {
        let text = "-----BEGIN CERTIFICATE-----\n\(body)\n-----END CERTIFICATE-----\n"
        #expect(throws: SslSocketError(.invalidUserData, "")) { try Pem.blocks(in: Array(text.utf8), labels: ["CERTIFICATE"]) }
    }

    @Test("a cut block is refused")
    func cut() {
        #expect(throws: SslSocketError(.invalidUserData, "")) {
            try Pem.blocks(in: Array("-----BEGIN CERTIFICATE-----\nAQID\n".utf8), labels: ["CERTIFICATE"])
        }
    }
}
