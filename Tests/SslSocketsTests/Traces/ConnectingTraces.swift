import SslBackend
import SslTestKit

@testable import SslSockets

extension TraceScenario {
    /// Connecting, encrypting, moving data.
    static let connecting: [TraceScenario] = [
        TraceScenario(
            name: "plain connection",
            serverSteps: [[.received(5), .write("world"), .written, .disconnected]],
            clientSteps: { port in
                [
                    .act { $0.connectToHost(.loopbackIPv4, port: port) }, .connected, .write("hello"), .received(5), .disconnect,
                    .disconnected,
                ]
            },
            clientTrace: { _ in Part.plainClient + Part.plainEchoed + Part.plainEnds },
            serverTrace: { _ in Part.accepted + Part.plainEchoed + Part.plainPeerEnds }),
        TraceScenario(
            name: "encrypted connection",
            serverSteps: [[.startServer, .encrypted, .received(5), .write("world"), .written, .disconnected]],
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .write("hello"), .received(5),
                    .disconnect, .disconnected,
                ]
            },
            clientTrace: { _ in Part.client + Part.echoed + Part.ends },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "waiting for TCP first",
            serverSteps: [[.startServer, .encrypted, .received(5), .write("world"), .written, .disconnected]],
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted("127.0.0.1", port: port) }, .connected, .encrypted, .write("hello"),
                    .received(5),
                    .disconnect, .disconnected,
                ]
            },
            clientTrace: { _ in Part.client + Part.echoed + Part.ends },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "STARTTLS",
            serverSteps: [
                [
                    .received(8), .write("go ahead"), .written, .startServer, .encrypted, .received(5), .write("world"), .written,
                    .disconnected,
                ]
            ],
            clientSteps: { port in
                [
                    .act { $0.connectToHost(.loopbackIPv4, port: port) }, .connected, .write("STARTTLS"), .received(8),
                    .startClient,
                    .encrypted, .write("hello"), .received(5), .disconnect, .disconnected,
                ]
            },
            clientTrace: { _ in
                Part.plainClient + [
                    "bytesWritten 8 | connected plain", "readyRead | connected plain", "modeChanged sslClient | connected client",
                ]
                    + Part.echoed + Part.ends
            },
            serverTrace: { _ in
                Part.accepted + [
                    "bytesWritten 8 | connected plain", "readyRead | connected plain", "modeChanged sslServer | connected server",
                ]
                    + Part.echoes + Part.peerEnds
            }),
        TraceScenario(
            name: "write before encrypted",
            serverSteps: [[.startServer, .encrypted, .received(5), .write("world"), .written, .disconnected]],
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .write("he"), .connected, .write("llo"),
                    .received(5),
                    .disconnect, .disconnected,
                ]
            },
            clientTrace: { _ in Part.client + Part.echoed + Part.ends },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "big write",
            serverSteps: [[.startServer, .encrypted, .received(1_000_000), .write("world"), .written, .disconnected]],
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .write(1_000_000), .received(5),
                    .disconnect, .disconnected,
                ]
            },
            clientTrace: { _ in Part.client + Part.echoed(1_000_000) + Part.ends },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "application protocol", client: { $0.allowedNextProtocols = ["h2", "http/1.1"] },
            server: { $0.allowedNextProtocols = ["http/1.1"] },
            clientSlots: { socket in socket.encrypted.connect { $0.write($0.nextNegotiatedProtocol ?? "none") } },
            serverSteps: [[.startServer, .encrypted, .received(8), .write("world"), .written, .disconnected]],
            clientSteps: { port in
                [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .received(5), .disconnect, .disconnected]
            },
            clientTrace: { _ in Part.client + Part.echoed(8) + Part.ends },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "same object twice",
            serverSteps: [
                [.startServer, .encrypted, .disconnected], [.received(5), .write("world"), .written, .disconnected],
                [.startServer, .encrypted, .received(5), .write("world"), .written, .disconnected],
            ],
            clientSteps: { port in
                [
                    .act { $0.peerVerifyName = "another.example.test" },
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted,
                    .act { $0.connectToHost(.loopbackIPv4, port: port) }, .connected, .write("hello"), .received(5), .disconnect,
                    .disconnected, .act { $0.peerVerifyName = TestIdentity.defaultHost },
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .write("hello"), .received(5),
                    .disconnect, .disconnected,
                ]
            },
            clientTrace: { _ in
                Part.client + Part.refuses(["hostNameMismatch"]) + Part.plainClient + Part.plainEchoed + Part.plainEnds
                    + Part.client
                    + Part.echoed + Part.ends
            },
            serverTrace: { cell in
                Part.server + Part.refused(cell) + Part.accepted + Part.plainEchoed + Part.plainPeerEnds + Part.server
                    + Part.echoes
                    + Part.peerEnds
            }),
        TraceScenario(
            name: "nobody listens", serverSteps: [],
            clientSteps: { port in [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted] },
            clientTrace: { _ in
                Part.resolved + [
                    "errorOccurred connectionRefused | connecting plain", "stateChanged unconnected | unconnected plain",
                ]
            }),
        TraceScenario(
            name: "no such host", serverSteps: [],
            clientSteps: { _ in [.act { $0.connectToHostEncrypted("no such host", port: 443) }, .encrypted] },
            clientTrace: { _ in
                [
                    "stateChanged hostLookup | hostLookup plain", "errorOccurred hostNotFound | hostLookup plain",
                    "stateChanged unconnected | unconnected plain",
                ]
            }),
        TraceScenario(
            name: "server says nothing", serverSteps: [[.disconnected]],
            clientSteps: { port in
                [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .connected, .encryptedWithin(1), .abort]
            },
            clientTrace: { _ in Part.client + Part.fails("socketTimeout", "client") },
            serverTrace: { _ in Part.accepted + ["readyRead | connected plain"] + Part.fails("network", "plain") }),
        TraceScenario(
            name: "no TLS there",
            serverSteps: [[.received(1), .write("HTTP/1.1 400 Bad Request\r\n\r\n"), .written, .disconnected]],
            clientSteps: { port in [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted] },
            clientTrace: { cell in
                // OpenSSL sends no alert to whom it does not take for a TLS peer.
                Part.client + (cell.pair.client == "gnutls" ? ["alertSent unexpected_message | connected client"] : [])
                    + Part.fails("notTls", "client")
            },
            serverTrace: { _ in
                Part.accepted + ["bytesWritten 28 | connected plain", "readyRead | connected plain"] + Part.plainPeerEnds
            }),
        TraceScenario(
            name: "unusable settings", client: { $0.protocol = .dtlsV1_2 }, serverSteps: [],
            clientSteps: { port in [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted] },
            clientTrace: { _ in ["errorOccurred invalidUserData | unconnected plain"] }),
        TraceScenario(
            name: "calls out of place",
            serverSteps: [[.startServer, .encrypted, .received(5), .write("world"), .written, .disconnected]],
            clientSteps: { port in
                [
                    .startClient, .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) },
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .startClient,
                    .act { $0.connectToHost(.loopbackIPv4, port: port) }, .write("hello"), .received(5), .disconnect,
                    .disconnected,
                    .startClient,
                ]
            },
            clientTrace: { cell in Part.misused(cell) },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
    ]
}
