internal import SslBackend
internal import SslSockets
internal import Testing

/// Secrets that do not show.
@Suite("SecretBytes")
struct SecretBytesTests {
    @Test("It holds a copy of what it was given")
    func copy() {
        var octets: [UInt8] = [1, 2, 3]
        let secret = SecretBytes(octets)
        octets[0] = 9
        #expect(unsafe secret.withBytes { unsafe [UInt8]($0) } == [1, 2, 3])
        #expect(secret.count == 3)
        #expect(SecretBytes([UInt8]()).count == 0)
    }

    @Test("Equal means the same octets")
    func equality() {
        #expect(SecretBytes([1, 2, 3]) == SecretBytes([1, 2, 3]))
        #expect(SecretBytes([1, 2, 3]) != SecretBytes([1, 2, 4]))
        #expect(SecretBytes([1, 2, 3]) != SecretBytes([1, 2]))
        #expect(Set([SecretBytes([1]), SecretBytes([1]), SecretBytes([2])]).count == 2)
    }

    @Test("Printing, interpolating and reflecting it shows nothing but the length")
    func silence() {
        let secret = SecretBytes(Array("correct horse".utf8))
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(describing: secret), String(reflecting: secret), dumped] {
            #expect(!text.contains("correct") && !text.contains("99"), "\(text)")
        }
        #expect("\(secret)" == "<13 secret octets>")
    }
}
