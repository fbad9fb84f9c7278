import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// The names that Qt keeps in the namespace QSsl.
@Suite("The QSsl namespace")
struct NamespaceTests {
    @Test("Each protocol stands for a range of versions")
    func protocols() {
        let ranges: [(SslProtocol, ClosedRange<SslVersion>?, Bool)] = [
            (.tlsV1_0, .tls1_0 ... .tls1_0, true), (.tlsV1_1, .tls1_1 ... .tls1_1, true), (.tlsV1_2, .tls1_2 ... .tls1_2, true),
            (.tlsV1_3, .tls1_3 ... .tls1_3, true), (.anyProtocol, .tls1_0 ... .tls1_3, false),
            (.secureProtocols, .tls1_2 ... .tls1_3, false), (.tlsV1_0OrLater, .tls1_0 ... .tls1_3, false),
            (.tlsV1_1OrLater, .tls1_1 ... .tls1_3, false), (.tlsV1_2OrLater, .tls1_2 ... .tls1_3, false),
            (.tlsV1_3OrLater, .tls1_3 ... .tls1_3, false), (.dtlsV1_0, .dtls1_0 ... .dtls1_0, true),
            (.dtlsV1_2, .dtls1_2 ... .dtls1_2, true), (.dtlsV1_0OrLater, .dtls1_0 ... .dtls1_2, false),
            (.dtlsV1_2OrLater, .dtls1_2 ... .dtls1_2, false), (.unknownProtocol, nil, false),
        ]
        #expect(ranges.count == SslProtocol.allCases.count)
        for (value, range, isExact) in ranges {
            #expect(value.versions == range)
            #expect(value.isExact == isExact)
        }
        for version in SslVersion.allCases { #expect(SslProtocol(exactly: version).versions == version...version) }
    }

    @Test("The switches have Qt's numbers, and Qt's defaults but for the keeping of sessions")
    func options() {
        let numbers: [(SslOptions, Int)] = [
            (.disableEmptyFragments, 0x01), (.disableSessionTickets, 0x02), (.disableCompression, 0x04),
            (.disableServerNameIndication, 0x08), (.disableLegacyRenegotiation, 0x10), (.disableSessionSharing, 0x20),
            (.disableSessionPersistence, 0x40), (.disableServerCipherPreference, 0x80),
        ]
        for (option, number) in numbers { #expect(option.rawValue == number) }
        #expect(SslOptions.default.rawValue == 0x15)
    }

    @Test("The alerts have the numbers of the RFCs")
    func alerts() {
        let numbers: [(SslAlertType, UInt8)] = [
            (.closeNotify, 0), (.unexpectedMessage, 10), (.badRecordMac, 20), (.recordOverflow, 22), (.decompressionFailure, 30),
            (.handshakeFailure, 40), (.noCertificate, 41), (.badCertificate, 42), (.unsupportedCertificate, 43),
            (.certificateRevoked, 44), (.certificateExpired, 45), (.certificateUnknown, 46), (.illegalParameter, 47),
            (.unknownCa, 48), (.accessDenied, 49), (.decodeError, 50), (.decryptError, 51), (.exportRestriction, 60),
            (.protocolVersion, 70), (.insufficientSecurity, 71), (.internalError, 80), (.inappropriateFallback, 86),
            (.userCancelled, 90), (.noRenegotiation, 100), (.missingExtension, 109), (.unsupportedExtension, 110),
            (.certificateUnobtainable, 111), (.unrecognizedName, 112), (.badCertificateStatusResponse, 113),
            (.badCertificateHashValue, 114), (.unknownPskIdentity, 115), (.certificateRequired, 116),
            (.noApplicationProtocol, 120), (.unknownAlertMessage, 255),
        ]
        #expect(numbers.count == SslAlertType.allCases.count)
        for (type, number) in numbers {
            #expect(type.rawValue == number)
            #expect(SslAlertType(code: number) == type)
        }
        #expect(SslAlertType(code: 1) == .unknownAlertMessage)
        #expect(SslAlertType.badCertificateHashValue.description == "bad_certificate_hash_value")
        #expect(SslAlertLevel.warning.rawValue == 1 && SslAlertLevel.fatal.rawValue == 2 && SslAlertLevel.unknown.rawValue == 0)
    }

    @Test("Kinds and halves of keys, and how they are written", arguments: SslBackends.available)
    func keys(backend: String) throws {
        let kinds: [(SslKeyKind, SslKeyAlgorithm, Int)] = [
            (.rsa(bits: 2048), .rsa, 2048), (.ec(.secp256r1), .ec, 256), (.ed25519, .ed25519, 256),
        ]
        for (kind, algorithm, bits) in kinds {
            let key = try SslKey.generate(kind, backend: backend)
            #expect(key.algorithm == algorithm)
            #expect(key.length == bits)
            #expect(key.type == .privateKey)
            let pem = try SslKey(Array(key.pem.utf8), format: .pem, backend: backend)
            let der = try unsafe key.der.withBytes { octets in try unsafe SslKey([UInt8](octets), format: .der, backend: backend)
            }
            #expect(pem == key && der == key)
            #expect(throws: SslSocketError.self) { try SslKey(Array(key.pem.utf8), format: .der, backend: backend) }
        }
        #expect(SslKeyType.privateKey != .publicKey)
    }

    @Test("Alternative names are told apart by their kinds", arguments: SslBackends.available)
    func alternativeNames(backend: String) throws {
        let authority = try TestCertificates.shared().root
        let names: [SslAlternativeName] = [
            .email(Array("a@example.test".utf8)), .dns(Array("example.test".utf8)), .ipAddress([192, 0, 2, 1]),
        ]
        let identity = try authority.issue(TestAuthority.Leaf(names: names))
        let certificate = try SslCertificate(der: identity.chain[0], backend: backend)
        #expect(certificate.alternativeNames == names)
    }

    @Test(
        "Every class and feature of Qt has its counterpart, and each backend says which it has", arguments: SslBackends.available)
    func capabilities(backend: String) throws {
        #expect(
            SslImplementedClass.allCases == [.key, .certificate, .socket, .diffieHellman, .ellipticCurve, .dtls, .dtlsCookie])
        let can = try SslBackends.named(backend).capabilities
        #expect(can.classes == Set(SslImplementedClass.allCases))
        #expect(
            can.features.isSuperset(of: [.certificateVerification, .clientSideAlpn, .serverSideAlpn, .sessionTicket, .alerts]))
        for feature in [SslFeature.ocsp, .psk] { #expect(can.features.contains(feature) != (can.lacks[feature] != nil)) }
    }
}
