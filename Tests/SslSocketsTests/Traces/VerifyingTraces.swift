import SslBackend
import SslTestKit

@testable import SslSockets

extension TraceScenario {
    private static func echo(_ port: UInt16) -> [TraceStep] {
        [
            .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .write("hello"), .received(5), .disconnect,
            .disconnected,
        ]
    }
    private static func listen(_ port: UInt16) -> [TraceStep] {
        [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .received(1)]
    }
    private static func paused(_ port: UInt16, _ answer: @escaping @Sendable (SslSocket) -> Void) -> [TraceStep] {
        [
            .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .act { $0.pauseMode = .onSslErrors }, .encrypted,
            .act(answer), .resume, .encrypted, .write("hello"), .received(5), .disconnect, .disconnected,
        ]
    }
    private static let echoing: [[TraceStep]] = [
        [.startServer, .encrypted, .received(5), .write("world"), .written, .disconnected]
    ]

    /// Certificates that are not in order.
    static let verifying: [TraceScenario] = [
        TraceScenario(
            name: "wrong name", host: "another.example.test", serverSteps: echoing, clientSteps: { echo($0) },
            clientTrace: { _ in Part.client + Part.refuses(["hostNameMismatch"]) },
            serverTrace: { cell in Part.server + Part.refused(cell) }),
        TraceScenario(
            name: "several errors", identity: .expiredWrongNameUntrusted, serverSteps: echoing, clientSteps: { echo($0) },
            clientTrace: { _ in
                Part.client + Part.refuses(["hostNameMismatch", "certificateExpired", "unableToGetLocalIssuerCertificate"])
            }, serverTrace: { cell in Part.server + Part.refused(cell) }),
        TraceScenario(
            name: "errors ignored in the slot", identity: .expiredWrongNameUntrusted,
            clientSlots: { socket in socket.sslErrors.connect { socket, _ in socket.ignoreSslErrors() } }, serverSteps: echoing,
            clientSteps: { echo($0) },
            clientTrace: { _ in
                Part.client + Part.told(["hostNameMismatch", "certificateExpired", "unableToGetLocalIssuerCertificate"])
                    + Part.echoed + Part.ends
            }, serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "exactly these errors ignored", identity: .expiredWrongNameUntrusted,
            clientSlots: { socket in socket.sslErrors.connect { socket, errors in socket.ignoreSslErrors(errors) } },
            serverSteps: echoing, clientSteps: { echo($0) },
            clientTrace: { _ in
                Part.client + Part.told(["hostNameMismatch", "certificateExpired", "unableToGetLocalIssuerCertificate"])
                    + Part.echoed + Part.ends
            }, serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "one error too few ignored", identity: .expiredWrongNameUntrusted,
            clientSlots: { socket in
                socket.sslErrors.connect { socket, errors in socket.ignoreSslErrors(Array(errors.dropLast())) }
            },
            serverSteps: echoing, clientSteps: { echo($0) },
            clientTrace: { _ in
                Part.client + Part.refuses(["hostNameMismatch", "certificateExpired", "unableToGetLocalIssuerCertificate"])
            }, serverTrace: { cell in Part.server + Part.refused(cell) }),
        TraceScenario(
            name: "errors only asked for", client: { $0.peerVerifyMode = .queryPeer }, identity: .expiredWrongNameUntrusted,
            serverSteps: echoing, clientSteps: { echo($0) },
            clientTrace: { _ in
                Part.client + Part.told(["hostNameMismatch", "certificateExpired", "unableToGetLocalIssuerCertificate"])
                    + Part.echoed + Part.ends
            }, serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "nothing verified", client: { $0.peerVerifyMode = .verifyNone }, identity: .expiredWrongNameUntrusted,
            serverSteps: echoing, clientSteps: { echo($0) }, clientTrace: { _ in Part.client + Part.echoed + Part.ends },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "pause and ignore", host: "another.example.test", serverSteps: echoing,
            clientSteps: { paused($0) { $0.ignoreSslErrors() } },
            clientTrace: { _ in Part.client + Part.told(["hostNameMismatch"]) + Part.echoed + Part.ends },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "pause and refuse", host: "another.example.test", serverSteps: echoing, clientSteps: { paused($0) { _ in } },
            clientTrace: { _ in Part.client + Part.refuses(["hostNameMismatch"]) },
            serverTrace: { cell in Part.server + Part.refused(cell) }),
        TraceScenario(
            name: "pause and the server goes", host: "another.example.test",
            serverSteps: echoing,
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .act { $0.pauseMode = .onSslErrors },
                    .encrypted,
                    .lose, .act { $0.ignoreSslErrors() }, .resume, .encrypted,
                ]
            },
            clientTrace: { cell in Part.client + Part.told(["hostNameMismatch"]) + Part.lost(cell) },
            serverTrace: { _ in Part.server + Part.fails("truncated", "server") }),
        TraceScenario(
            name: "pause and disconnect", host: "another.example.test", serverSteps: echoing,
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .act { $0.pauseMode = .onSslErrors },
                    .encrypted,
                    .disconnect,
                ]
            },
            clientTrace: { _ in
                Part.client + Part.told(["hostNameMismatch"]) + ["stateChanged closing | closing client"] + Part.gone("client")
            }, serverTrace: { _ in Part.server + Part.fails("truncated", "server") }),
        TraceScenario(
            name: "interrupted", client: { $0.handshakeMustInterruptOnError = true }, identity: .expiredWrongNameUntrusted,
            serverSteps: echoing, clientSteps: { echo($0) },
            clientTrace: { _ in
                Part.client + [
                    "handshakeInterruptedOnError certificateExpired | connected client",
                    "alertSent certificate_expired | connected client",
                ] + Part.fails("peerVerificationFailed", "client")
            }, serverTrace: { cell in Part.server + Part.refused(cell, "certificate_expired") }),
        TraceScenario(
            name: "interrupted and continued", client: { $0.handshakeMustInterruptOnError = true },
            identity: .expiredWrongNameUntrusted,
            clientSlots: { socket in
                socket.handshakeInterruptedOnError.connect { socket, _ in socket.continueInterruptedHandshake() }
            },
            serverSteps: echoing, clientSteps: { echo($0) },
            clientTrace: { _ in
                Part.client + Part.interruptions + [
                    "alertSent bad_certificate | connected client"
                ] + Part.fails("peerVerificationFailed", "client")
            }, serverTrace: { cell in Part.server + Part.refused(cell) }),
        TraceScenario(
            name: "interrupted, continued and ignored", client: { $0.handshakeMustInterruptOnError = true },
            identity: .expiredWrongNameUntrusted,
            clientSlots: { socket in
                socket.handshakeInterruptedOnError.connect { socket, _ in socket.continueInterruptedHandshake() }
                socket.sslErrors.connect { socket, _ in socket.ignoreSslErrors() }
            },
            serverSteps: echoing, clientSteps: { echo($0) },
            clientTrace: { _ in Part.client + Part.interruptions + Part.echoed + Part.ends },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "client certificate refused", client: { $0.credentials = [try credentials(.untrustedClient, $0)] },
            server: { $0.peerVerifyMode = .verifyPeer }, serverSteps: echoing, clientSteps: { listen($0) },
            clientTrace: { cell in Part.client + Part.clientRefused(cell, "unknown_ca") },
            serverTrace: { _ in
                Part.server + [
                    "peerVerifyError unableToGetLocalIssuerCertificate | connected server",
                    "sslErrors unableToGetLocalIssuerCertificate | connected server", "alertSent unknown_ca | connected server",
                ] + Part.fails("peerVerificationFailed", "server")
            }),
        TraceScenario(
            name: "client certificate interrupted", client: { $0.credentials = [try credentials(.untrustedClient, $0)] },
            server: {
                $0.peerVerifyMode = .verifyPeer
                $0.handshakeMustInterruptOnError = true
            },
            serverSteps: echoing, clientSteps: { listen($0) },
            clientTrace: { cell in Part.client + Part.clientRefused(cell, "unknown_ca") },
            serverTrace: { _ in
                Part.server + [
                    "handshakeInterruptedOnError unableToGetLocalIssuerCertificate | connected server",
                    "alertSent unknown_ca | connected server",
                ] + Part.fails("peerVerificationFailed", "server")
            }),
        TraceScenario(
            name: "client certificate only asked for", client: { $0.credentials = [try credentials(.untrustedClient, $0)] },
            server: { $0.peerVerifyMode = .autoVerifyPeer }, serverSteps: echoing, clientSteps: { echo($0) },
            clientTrace: { _ in Part.client + Part.echoed + Part.ends },
            serverTrace: { _ in
                Part.server + [
                    "peerVerifyError unableToGetLocalIssuerCertificate | connected server",
                    "sslErrors unableToGetLocalIssuerCertificate | connected server",
                ] + Part.echoes + Part.peerEnds
            }),
        TraceScenario(
            name: "client certificate missing", server: { $0.peerVerifyMode = .verifyPeer }, serverSteps: echoing,
            clientSteps: { listen($0) }, clientTrace: { cell in Part.client + Part.clientRefused(cell, Part.missing(cell)) },
            serverTrace: { cell in
                Part.server + [
                    "peerVerifyError noPeerCertificate | connected server", "sslErrors noPeerCertificate | connected server",
                    "alertSent \(Part.missing(cell)) | connected server",
                ] + Part.fails("peerVerificationFailed", "server")
            }),
        TraceScenario(
            name: "client certificate missing and ignored", server: { $0.peerVerifyMode = .verifyPeer },
            serverSlots: { socket in
                socket.sslErrors.connect { socket, _ in socket.ignoreSslErrors([SslError(.noPeerCertificate)]) }
            },
            serverSteps: echoing, clientSteps: { echo($0) }, clientTrace: { _ in Part.client + Part.echoed + Part.ends },
            serverTrace: { _ in
                Part.server + [
                    "peerVerifyError noPeerCertificate | connected server", "sslErrors noPeerCertificate | connected server",
                ] + Part.echoes + Part.peerEnds
            }),
        TraceScenario(
            name: "client certificate missing for good",
            server: {
                $0.peerVerifyMode = .verifyPeer
                $0.missingCertificateIsFatal = true
            },
            serverSlots: { socket in socket.sslErrors.connect { socket, _ in socket.ignoreSslErrors() } }, serverSteps: echoing,
            clientSteps: { listen($0) }, clientTrace: { cell in Part.client + Part.clientRefused(cell, Part.missing(cell)) },
            serverTrace: { cell in
                Part.server + ["alertSent \(Part.missing(cell)) | connected server"]
                    + Part.fails("peerVerificationFailed", "server")
            }),
    ]

    private static func credentials(_ certificate: TestCertificate, _ configuration: SslConfiguration) throws -> SslCredentials {
        try TestCertificates.shared().identity(certificate).credentials(backend: configuration.backend)
    }
}
