import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

@Suite("Queries about backends")
struct BackendQueryTests {
    @Test("A name that is no backend's comes to nothing")
    func unknown() {
        let name = "made-up"
        #expect(!SslSocket.setActiveBackend(name))
        #expect(!SslSocket.availableBackends.contains(name))
        #expect(SslSocket.supportedProtocols(backend: name).isEmpty)
        #expect(!SslSocket.isProtocolSupported(.tlsV1_3, backend: name))
        #expect(SslSocket.implementedClasses(backend: name).isEmpty)
        #expect(!SslSocket.isClassImplemented(.socket, backend: name))
        #expect(SslSocket.supportedFeatures(backend: name).isEmpty)
        #expect(!SslSocket.isFeatureSupported(.alerts, backend: name))
        #expect(
            SslSocket.sslLibraryVersionNumber(backend: name) == 0 && SslSocket.sslLibraryBuildVersionNumber(backend: name) == 0)
        #expect(SslSocket.sslLibraryVersionString(backend: name).isEmpty)
        #expect(SslSocket.sslLibraryBuildVersionString(backend: name).isEmpty)
    }

    @Test("The versions of the library that is loaded and of its headers", arguments: SslBackends.available)
    func versionAccessors(backend: String) throws {
        let text = SslSocket.sslLibraryVersionString(backend: backend)
        let built = SslSocket.sslLibraryBuildVersionString(backend: backend)
        #expect(text.lowercased().hasPrefix(backend) && built.lowercased().hasPrefix(backend))
        // The number holds the version of the text: one octet or more for each part, the first one on top.
        let major = try #require(text.split(separator: " ").dropFirst().first?.split(separator: ".").first.flatMap { Int($0) })
        let number = SslSocket.sslLibraryVersionNumber(backend: backend)
        #expect(number >> (backend == "openssl" ? 28 : 16) == major)
        #expect(SslSocket.sslLibraryBuildVersionNumber(backend: backend) >> (backend == "openssl" ? 28 : 16) == major)
        let engine = try SslBackends.named(backend)
        #expect(text == engine.libraryVersion && built == engine.libraryBuildVersion && number == engine.libraryVersionNumber)
    }

    @Test("What a backend says of itself", arguments: SslBackends.available)
    func capabilities(backend: String) throws {
        let can = try SslBackends.named(backend).capabilities
        let protocols = SslSocket.supportedProtocols(backend: backend)
        for version in [
            SslProtocol.anyProtocol, .secureProtocols, .tlsV1_2, .tlsV1_3, .tlsV1_0OrLater, .tlsV1_1OrLater, .tlsV1_2OrLater,
            .tlsV1_3OrLater, .dtlsV1_2, .dtlsV1_2OrLater,
        ] {
            #expect(protocols.contains(version))
            #expect(SslSocket.isProtocolSupported(version, backend: backend))
        }
        #expect(SslSocket.isProtocolSupported(.tlsV1_0, backend: backend) == can.versions.contains(.tls1_0))
        #expect(SslSocket.isProtocolSupported(.tlsV1_1, backend: backend) == can.versions.contains(.tls1_1))
        #expect(SslSocket.isProtocolSupported(.dtlsV1_0, backend: backend) == can.versions.contains(.dtls1_0))
        #expect(!SslSocket.isProtocolSupported(.unknownProtocol, backend: backend))
        #expect(Set(SslSocket.implementedClasses(backend: backend)) == can.classes)
        #expect(SslSocket.isClassImplemented(.diffieHellman, backend: backend))
        #expect(Set(SslSocket.supportedFeatures(backend: backend)) == can.features)
        for feature in SslFeature.allCases {
            #expect(SslSocket.isFeatureSupported(feature, backend: backend) == can.features.contains(feature))
        }
        #expect(SslSocket.isFeatureSupported(.clientSideAlpn, backend: backend))
    }
}

/// A backend of an application's own: it answers queries and makes nothing.
private final class MockBackend: TlsBackend {
    let name: String
    let capabilities: TlsCapabilities
    var libraryVersion: String { "Mock 1.2" }
    var libraryVersionNumber: Int { 12 }
    var libraryBuildVersion: String { "Mock 1.1" }
    var libraryBuildVersionNumber: Int { 11 }

    init(_ name: String, classes: Set<SslImplementedClass> = [], features: Set<SslFeature> = [], versions: Set<SslVersion> = []) {
        self.name = name
        let lacks = SslFeature.allCases.filter { !features.contains($0) }.map { ($0, "a mock cannot do it") }
        capabilities = TlsCapabilities(
            versions: versions, cipherSuites: [], groups: [], signatureSchemes: [], keyAlgorithms: [], classes: classes,
            features: features, lacks: Dictionary(uniqueKeysWithValues: lacks))
    }

    private var refusal: SslSocketError { SslSocketError(.unsupportedFeature, "A mock makes nothing", backend: name) }
    func makeContext(_ settings: TlsSettings) throws(SslSocketError) -> any TlsContext { throw refusal }
    func systemAnchors() throws(SslSocketError) -> [[UInt8]] { throw refusal }
    func isValid(_ signature: X509Signature) -> Bool { false }
    func problems(ofPath path: [any X509Certificate]) -> [TlsPathProblem] { [] }
    func makeCertificate(der: [UInt8]) throws(SslSocketError) -> any X509Certificate { throw refusal }
    func makePrivateKey(der: SecretBytes, passphrase: SecretBytes?) throws(SslSocketError) -> any TlsKey { throw refusal }
    func makePublicKey(der: [UInt8]) throws(SslSocketError) -> TlsPublicKey { throw refusal }
    func readBundle(pkcs12: SecretBytes, passphrase: SecretBytes) throws(SslSocketError) -> TlsKeyBundle { throw refusal }
    func writeBundle(_ bundle: TlsKeyBundle, name: String, passphrase: SecretBytes) throws(SslSocketError) -> SecretBytes {
        throw refusal
    }
    func runCipher(
        _ cipher: TlsBlockCipher, _ direction: TlsCipherDirection, _ bytes: SecretBytes, key: SecretBytes, vector: [UInt8]
    ) throws(SslSocketError) -> SecretBytes { throw refusal }
    func deriveKey(
        _ hash: SslHash, passphrase: SecretBytes, salt: [UInt8], iterations: Int, length: Int
    ) throws(SslSocketError) -> SecretBytes { throw refusal }
    func makeExternalKey(_ key: TlsPublicKey, signer: TlsSigner) throws(SslSocketError) -> any TlsKey { throw refusal }
    func generateKey(_ kind: SslKeyKind) throws(SslSocketError) -> any TlsKey { throw refusal }
    func isSafePrime(_ number: [UInt8]) -> Bool { false }
    func digest(_ bytes: [UInt8], _ hash: SslHash) -> [UInt8]? { nil }
}

/// What belongs to the whole process. One test at a time; each leaves everything as it was, and nothing here harms other tests meanwhile.
@Suite("Defaults of the process", .serialized)
struct ProcessDefaultTests {
    @Test("What a fresh socket says")
    func constructing() {
        let socket = SslSocket()
        #expect(socket.state == .unconnected && socket.mode == .unencrypted)
        #expect(!socket.isEncrypted && socket.error == nil && socket.errorString.isEmpty)
        #expect(socket.bytesAvailable == 0 && socket.bytesToWrite == 0)
        #expect(socket.encryptedBytesAvailable == 0 && socket.encryptedBytesToWrite == 0)
        #expect(!socket.canReadLine && socket.atEnd && socket.readAll().isEmpty && socket.readBufferSize == 0)
        #expect(socket.write("x") == -1)
        #expect(!socket.flush())
        #expect(socket.protocol == .secureProtocols && socket.sessionProtocol == .unknownProtocol)
        #expect(socket.sessionCipher == nil && socket.sessionGroup == nil && socket.ephemeralServerKey == nil)
        #expect(socket.sessionTicket == nil && !socket.isSessionResumed && socket.requestedServerName == nil)
        #expect(socket.nextNegotiatedProtocol == nil && socket.nextProtocolNegotiationStatus == .none)
        #expect(socket.peerVerifyMode == .autoVerifyPeer && socket.peerVerifyDepth == 0 && socket.peerVerifyName == nil)
        #expect(socket.sslHandshakeErrors.isEmpty && socket.pauseMode == .never)
        #expect(socket.localCertificate == nil && socket.localCertificateChain.isEmpty && socket.privateKey == nil)
        #expect(socket.peerCertificate == nil && socket.peerCertificateChain.isEmpty && socket.backend == nil)
        #expect(socket.caCertificates.isEmpty && socket.ciphers.isEmpty)
        #expect(
            socket.peerName.isEmpty && socket.localAddress == nil && socket.peerAddress == nil && socket.socketDescriptor == -1)
        #expect(socket.sslConfiguration == .default && socket.sslConfiguration.isUnchanged)
        #expect(throws: SslSocketError(.operation, "")) { try socket.exportKeyingMaterial(label: "x", length: 1) }
    }

    @Test("A new socket copies the default whole, and keeps its copy")
    func defaultConfiguration() throws {
        let before = SslConfiguration.default
        defer { SslConfiguration.default = before }
        let root = try SslCertificate(der: TestCertificates.shared().root.certificate)
        let old = SslSocket()
        var changed = SslConfiguration()
        changed.peerVerifyDepth = 5
        changed.allowedNextProtocols = ["h2"]
        changed.diffieHellmanParameters = .default
        changed.addCaCertificate(root)
        changed.setSslOption(.disableServerNameIndication, true)
        SslConfiguration.default = changed
        let new = SslSocket()
        #expect(new.sslConfiguration == changed && SslConfiguration.default == changed)
        #expect(old.sslConfiguration == before)
        SslConfiguration.default = before
        #expect(new.sslConfiguration == changed)
        // The default of the process is not the default of the type.
        #expect(SslConfiguration().isUnchanged)
    }

    @Test("An empty default is a default like any other")
    func setEmptyDefaultConfiguration() {
        let before = SslConfiguration.default
        defer { SslConfiguration.default = before }
        SslConfiguration.default = SslConfiguration()
        let socket = SslSocket()
        #expect(socket.sslConfiguration.isUnchanged)
        socket.connectToHostEncrypted("no-such-host.invalid", port: 1)
        #expect(socket.error == nil && socket.state == .hostLookup)
        socket.abort()
    }

    @Test("CA certificates of the default")
    func defaultCaCertificates() throws {
        let before = SslConfiguration.default
        defer { SslConfiguration.default = before }
        let certificates = try TestCertificates.shared()
        let root = try SslCertificate(der: certificates.root.certificate)
        let other = try SslCertificate(der: certificates.intermediate.certificate)
        let count = SslSocket.defaultCaCertificates.count
        SslSocket.addDefaultCaCertificate(root)
        #expect(SslSocket.defaultCaCertificates.count == count + 1 && SslSocket.defaultCaCertificates.last == root)
        SslSocket.addDefaultCaCertificates([other])
        #expect(SslSocket.defaultCaCertificates.suffix(2) == [root, other])
        #expect(SslConfiguration.default.usesSystemCaCertificates)
        #expect(SslSocket().caCertificates == SslSocket.defaultCaCertificates)
        let files = try ScratchFiles()
        try files.write("root.pem", root.pem)
        #expect(try SslSocket.addDefaultCaCertificates(fromPath: files.path + "/r*.pem", syntax: .wildcard))
        #expect(try SslSocket.addDefaultCaCertificates(fromPath: files.path + "/root.pem"))
        #expect(try !SslSocket.addDefaultCaCertificates(fromPath: files.path + "/x*", syntax: .wildcard))
        #expect(throws: SslSocketError(.unreadableFile, "")) {
            try SslSocket.addDefaultCaCertificates(fromPath: files.path + "/none")
        }
        #expect(SslSocket.defaultCaCertificates.count == count + 4)
        SslSocket.setDefaultCaCertificates([other])
        #expect(SslSocket.defaultCaCertificates == [other])
        #expect(!SslConfiguration.default.usesSystemCaCertificates)
        #expect(SslSocket().caCertificates == [other])
    }

    @Test("Verifying a chain leaves the default as it is")
    func verificationLeavesDefault() throws {
        let before = SslConfiguration.default
        let identity = try TestCertificates.shared().identity(.valid)
        for pair in SocketFixture.all {
            let pipe = try MemoryPipe(
                client: identity.trustingConfiguration(backend: pair.client), server: identity.configuration(backend: pair.server)
            )
            #expect(pipe.converse(Array("hello".utf8)))
        }
        #expect(SslConfiguration.default == before)
    }

    @Test("Ciphers of the default")
    func defaultCiphers() {
        let before = SslConfiguration.default
        defer { SslConfiguration.default = before }
        #expect(SslSocket.defaultCiphers == SslCipher.defaults && SslSocket.defaultCiphers.count > 1)
        let reversed = Array(SslCipher.defaults.reversed())
        SslSocket.setDefaultCiphers(reversed)
        #expect(SslSocket.defaultCiphers == reversed)
        #expect(SslSocket().ciphers == reversed)
        SslSocket.setDefaultCiphers([])
        #expect(SslSocket.defaultCiphers == SslCipher.defaults)
        #expect(SslSocket().ciphers.isEmpty)
    }

    @Test("What the default's backend can do, and what the system trusts")
    func supported() throws {
        let before = SslConfiguration.default
        defer { SslConfiguration.default = before }
        for backend in SslBackends.available {
            SslConfiguration.default.backend = backend
            #expect(try SslSocket.supportedCiphers == SslConfiguration.supportedCiphers(backend: backend))
            #expect(SslSocket.supportedCiphers.count > 1)
            #expect(try SslSocket.supportedEllipticCurves == SslConfiguration.supportedEllipticCurves(backend: backend))
            #expect(SslSocket.supportedEllipticCurves.contains(.secp256r1))
            #expect(try Set(SslSocket.systemCaCertificates) == Set(SslConfiguration.systemCaCertificates(backend: backend)))
            #expect(SslSocket.systemCaCertificates.count > 1)
        }
        SslConfiguration.default.backend = "made-up"
        #expect(SslSocket.supportedCiphers.isEmpty && SslSocket.systemCaCertificates.isEmpty)
        #expect(SslSocket.supportedEllipticCurves.isEmpty)
    }

    @Test("The active backend can be chosen, and chosen again")
    func activeBackend() throws {
        let before = SslSocket.activeBackend
        defer { SslBackends.resetActive() }
        #expect(SslSocket.supportsSsl)
        #expect(SslSocket.availableBackends.contains(before))
        #expect(SslSocket.setActiveBackend(before) && SslSocket.activeBackend == before)
        #expect(!SslSocket.setActiveBackend("made-up") && SslSocket.activeBackend == before)
        for backend in SslSocket.availableBackends {
            #expect(SslSocket.setActiveBackend(backend))
            #expect(SslSocket.activeBackend == backend)
            #expect(try SslBackends.active().name == backend)
            #expect(SslSocket.sslLibraryVersionString() == SslSocket.sslLibraryVersionString(backend: backend))
            #expect(SslSocket.sslLibraryVersionNumber() == SslSocket.sslLibraryVersionNumber(backend: backend))
            #expect(SslSocket.sslLibraryBuildVersionString() == SslSocket.sslLibraryBuildVersionString(backend: backend))
            #expect(SslSocket.sslLibraryBuildVersionNumber() == SslSocket.sslLibraryBuildVersionNumber(backend: backend))
            #expect(SslSocket.supportedProtocols() == SslSocket.supportedProtocols(backend: backend))
            #expect(SslSocket.isProtocolSupported(.anyProtocol) && SslSocket.isProtocolSupported(.secureProtocols))
            #expect(SslSocket.implementedClasses() == SslSocket.implementedClasses(backend: backend))
            #expect(SslSocket.isClassImplemented(.socket))
            #expect(SslSocket.supportedFeatures() == SslSocket.supportedFeatures(backend: backend))
            #expect(SslSocket.isFeatureSupported(.clientSideAlpn))
            // A configuration that names its backend does not care.
            for other in SslSocket.availableBackends {
                #expect(
                    try SslConfiguration.supportedCiphers(backend: other) == SslBackends.named(other).capabilities.cipherSuites)
            }
        }
    }

    @Test("GnuTLS comes before OpenSSL, and what the environment names before both")
    func preference() throws {
        SslBackends.resetActive()
        let linked = SslBackends.available.filter { ["gnutls", "openssl"].contains($0) }
        #expect(linked == ["gnutls", "openssl"].filter { linked.contains($0) })
        #expect(SslBackends.available.first == linked.first)
        let named = unsafe getenv(SslBackends.environmentVariable).map { unsafe String(cString: $0) } ?? ""
        #expect(try SslBackends.active().name == (named.isEmpty ? linked.first : named))
    }

    @Test("Backends of an application's own appear and vanish")
    func backends() throws {
        let before = SslSocket.availableBackends
        let one = MockBackend("mock-one")
        let other = MockBackend("mock-two", classes: [.key, .socket], features: [.alerts], versions: [.tls1_3])
        try SslBackends.register(one)
        try SslBackends.register(other)
        defer {
            SslBackends.unregister("mock-one")
            SslBackends.unregister("mock-two")
        }
        #expect(SslSocket.availableBackends == before + ["mock-one", "mock-two"])
        #expect(throws: SslSocketError(.invalidUserData, "")) { try SslBackends.register(MockBackend("mock-one")) }
        for bad in ["", "Mock", "a b", before.first ?? "gnutls"] {
            #expect(throws: SslSocketError(.invalidUserData, "")) { try SslBackends.register(MockBackend(bad)) }
        }
        #expect(SslSocket.supportedProtocols(backend: "mock-one").isEmpty)
        #expect(SslSocket.implementedClasses(backend: "mock-one").isEmpty)
        #expect(SslSocket.supportedFeatures(backend: "mock-one").isEmpty)
        #expect(
            SslSocket.supportedProtocols(backend: "mock-two") == [
                .tlsV1_3, .anyProtocol, .secureProtocols, .tlsV1_0OrLater, .tlsV1_1OrLater, .tlsV1_2OrLater, .tlsV1_3OrLater,
            ])
        #expect(SslSocket.implementedClasses(backend: "mock-two") == [.key, .socket])
        #expect(SslSocket.supportedFeatures(backend: "mock-two") == [.alerts])
        #expect(SslSocket.sslLibraryVersionNumber(backend: "mock-two") == 12)
        #expect(SslSocket.sslLibraryVersionString(backend: "mock-two") == "Mock 1.2")
        #expect(SslSocket.sslLibraryBuildVersionNumber(backend: "mock-two") == 11)
        #expect(SslSocket.sslLibraryBuildVersionString(backend: "mock-two") == "Mock 1.1")
        SslBackends.unregister("mock-two")
        #expect(SslSocket.availableBackends == before + ["mock-one"])
        #expect(SslSocket.implementedClasses(backend: "mock-two").isEmpty)
    }
}
