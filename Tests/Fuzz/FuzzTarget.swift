import Glibc
import SslBackend
import SslSockets
import SslTestKit

/// Something that is given octets of strangers.
struct FuzzTarget: Sendable {
    /// How to start from.
    struct Prepared {
        /// Good input, made at run time.
        var seeds: [[UInt8]]
        /// Takes any input without a crash, a leak, or an answer that contradicts another.
        var run: ([UInt8]) -> Void
    }

    let name: String
    let prepare: @Sendable () throws -> Prepared

    static let all =
        [certificate, chain, revocationList, ocspResponse] + [privateKey, publicKey, keyBundle]
        + [name, clientHello, dialogue, session, ticket] + sessions + datagrams

    /// Two answers contradict each other: libFuzzer keeps the input of a program that ends this way.
    static func require(_ holds: Bool, _ what: @autoclosure () -> String) {
        guard !holds else { return }
        print("CONTRADICTION: \(what())")
        fflush(nil)
        abort()
    }

    /// Every identity of the test kit.
    static func identities() -> [TestIdentity] {
        TestCertificate.allCases.compactMap { kind in try? TestCertificates.shared().identity(kind) }
    }

    /// The certificates of the test kit, once each.
    static func certificates() -> [[UInt8]] { Array(Set(identities().flatMap { $0.chain + $0.anchors })) }
}
