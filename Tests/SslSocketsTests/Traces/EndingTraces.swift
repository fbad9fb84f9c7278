import SslBackend
import SslTestKit

@testable import SslSockets

extension TraceScenario {
    private static let listening: [[TraceStep]] = [[.startServer, .encrypted, .disconnected]]

    /// All the ways a connection ends.
    static let ending: [TraceScenario] = [
        TraceScenario(
            name: "disconnect while looking up", serverSteps: listening,
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .write("hello"), .disconnect, .disconnect,
                    .disconnected,
                ]
            },
            clientTrace: { cell in Part.client + ["encrypted | connected client tls"] + Part.sentAndEnded(cell) },
            serverTrace: { _ in
                Part.server + ["encrypted | connected server tls", "readyRead | connected server tls"] + Part.peerEnds
            }),
        TraceScenario(
            name: "disconnect a plain connection while looking up", serverSteps: [[.disconnected]],
            clientSteps: { port in
                [.act { $0.connectToHost(.loopbackIPv4, port: port) }, .write("hello"), .disconnect, .disconnected]
            },
            clientTrace: { _ in
                Part.plainClient + ["stateChanged closing | closing plain", "bytesWritten 5 | closing plain"] + Part.gone("plain")
            },
            serverTrace: { _ in
                Part.accepted + ["readyRead | connected plain"] + Part.plainPeerEnds
            }),
        TraceScenario(
            name: "disconnect while connecting",
            clientSlots: { socket in
                socket.stateChanged.connect { socket, state in if state == .connecting { socket.disconnectFromHost() } }
            },
            serverSteps: listening,
            clientSteps: { port in
                [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .write("hello"), .disconnected]
            },
            clientTrace: { cell in Part.client + ["encrypted | connected client tls"] + Part.sentAndEnded(cell) },
            serverTrace: { _ in
                Part.server + ["encrypted | connected server tls", "readyRead | connected server tls"] + Part.peerEnds
            }),
        TraceScenario(
            name: "disconnect while shaking hands",
            clientSlots: { socket in socket.modeChanged.connect { socket, _ in socket.disconnectFromHost() } },
            serverSteps: listening,
            clientSteps: { port in
                [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .write("hello"), .disconnected]
            },
            clientTrace: { cell in
                Part.client.dropLast() + [
                    "stateChanged closing | closing client", "connected | closing client", "encrypted | closing client tls",
                ] + Part.sentAndEnded(cell).dropFirst()
            },
            serverTrace: { _ in
                Part.server + ["encrypted | connected server tls", "readyRead | connected server tls"] + Part.peerEnds
            }),
        TraceScenario(
            name: "disconnect when encrypted",
            clientSlots: { socket in
                socket.encrypted.connect { socket in
                    socket.write("hello")
                    socket.disconnectFromHost()
                }
            },
            serverSteps: listening,
            clientSteps: { port in [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .disconnected] },
            clientTrace: { cell in Part.client + ["encrypted | connected client tls"] + Part.sentAndEnded(cell) },
            serverTrace: { _ in
                Part.server + ["encrypted | connected server tls", "readyRead | connected server tls"] + Part.peerEnds
            }),
        TraceScenario(
            name: "close with data unread",
            serverSteps: [[.startServer, .encrypted, .received(5), .write("world"), .written, .disconnected]],
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .write("hello"), .received(1),
                    .close,
                    .disconnected, .close,
                ]
            },
            clientTrace: { _ in Part.client + Part.echoed + ["aboutToClose | connected client tls"] + Part.ends },
            serverTrace: { _ in Part.server + Part.echoes + Part.peerEnds }),
        TraceScenario(
            name: "abort", serverSteps: [[.startServer, .encrypted, .received(5), .write("world"), .written, .disconnected]],
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .write("hello"), .received(5),
                    .abort,
                    .abort,
                ]
            },
            clientTrace: { _ in Part.client + Part.echoed + ["stateChanged closing | closing client"] + Part.gone("client") },
            serverTrace: { _ in
                Part.server + Part.echoes + Part.fails("network", "server")
            }),
        TraceScenario(
            name: "abort on the way", serverSteps: [],
            clientSteps: { port in [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .abort] },
            clientTrace: { _ in ["stateChanged hostLookup | hostLookup plain", "stateChanged unconnected | unconnected plain"] }),
        TraceScenario(
            name: "server ends", serverSteps: [[.startServer, .encrypted, .write("hello"), .disconnect, .disconnected]],
            clientSteps: { port in
                [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .received(5), .disconnected]
            },
            clientTrace: { _ in Part.client + Part.heard + Part.peerEnds("client") },
            serverTrace: { _ in
                Part.server + [
                    "encrypted | connected server tls", "stateChanged closing | closing server tls",
                    "bytesWritten 5 | closing server tls",
                    "alertSent close_notify | closing server tls",
                ] + Part.gone("server")
            }),
        TraceScenario(
            name: "server ends and the client goes on",
            clientSlots: { $0.allowsHalfClosure = true },
            serverSteps: [
                [
                    .startServer, .encrypted, .write("hello"), .written, .act { $0.sendCloseNotifyForTest() }, .received(5),
                    .disconnected,
                ]
            ],
            clientSteps: { port in
                [
                    .act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .received(5), .received(1),
                    .write("world"), .disconnect, .disconnected,
                ]
            },
            clientTrace: { _ in
                Part.client + Part.heard + [
                    "alertReceived close_notify | connected client tls", "readChannelFinished | connected client tls",
                    "stateChanged closing | closing client tls", "bytesWritten 5 | closing client tls",
                    "alertSent close_notify | closing client tls", "stateChanged unconnected | unconnected client",
                    "disconnected | unconnected client",
                ]
            },
            serverTrace: { _ in
                Part.server + [
                    "encrypted | connected server tls", "bytesWritten 5 | connected server tls",
                    "alertSent close_notify | connected server tls", "readyRead | connected server tls",
                    "alertReceived close_notify | connected server tls", "readChannelFinished | connected server tls",
                    "stateChanged closing | closing server tls", "stateChanged unconnected | unconnected server",
                    "disconnected | unconnected server",
                ]
            }),
        TraceScenario(
            name: "cut off", serverSteps: [[.startServer, .encrypted, .write("hello"), .written, .shutdown, .disconnected]],
            clientSteps: { port in
                [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .received(5), .disconnected]
            },
            clientTrace: { _ in Part.client + Part.heard + Part.fails("truncated", "client") },
            serverTrace: { _ in
                Part.server + ["encrypted | connected server tls", "bytesWritten 5 | connected server tls"]
                    + Part.fails("truncated", "server")
            }),
        TraceScenario(
            name: "cut off while shaking hands",
            serverSteps: [[.received(1), .act { _ = $0.readAll() }, .disconnect, .disconnected]],
            clientSteps: { port in [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted] },
            clientTrace: { _ in Part.client + Part.fails("truncated", "client") },
            serverTrace: { _ in Part.accepted + ["readyRead | connected plain"] + Part.plainEnds }),
        TraceScenario(
            name: "reset by the server", serverSteps: [[.startServer, .encrypted, .received(5), .abort]],
            clientSteps: { port in
                [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted, .write("hello"), .disconnected]
            },
            clientTrace: { _ in
                Part.client + [
                    "encrypted | connected client tls", "bytesWritten 5 | connected client tls",
                    "newSessionTicketReceived | connected client tls",
                ] + Part.fails("network", "client")
            },
            serverTrace: { _ in
                Part.server + [
                    "encrypted | connected server tls", "readyRead | connected server tls",
                    "stateChanged closing | closing server",
                ] + Part.gone("server")
            }),
        TraceScenario(
            name: "reset while shaking hands", serverSteps: [[.received(1), .abort]],
            clientSteps: { port in [.act { $0.connectToHostEncrypted(.loopbackIPv4, port: port) }, .encrypted] },
            clientTrace: { _ in Part.client + Part.fails("network", "client") },
            serverTrace: { _ in
                Part.accepted + ["readyRead | connected plain"] + Part.plainEnds
            }),
        TraceScenario(
            name: "plain server ends", serverSteps: [[.write("hello"), .disconnect, .disconnected]],
            clientSteps: { port in
                [.act { $0.connectToHost(.loopbackIPv4, port: port) }, .connected, .received(5), .disconnected]
            },
            clientTrace: { _ in Part.plainClient + ["readyRead | connected plain"] + Part.plainPeerEnds },
            serverTrace: { _ in
                Part.accepted + ["stateChanged closing | closing plain", "bytesWritten 5 | closing plain"] + Part.gone("plain")
            }),
        TraceScenario(
            name: "client goes while shaking hands", serverSteps: [[.startServer, .encrypted]],
            clientSteps: { port in [.act { $0.connectToHost(.loopbackIPv4, port: port) }, .connected, .disconnect, .disconnected]
            },
            clientTrace: { _ in Part.plainClient + Part.plainEnds },
            serverTrace: { _ in Part.server + Part.fails("truncated", "server") }),
    ]
}

extension SslSocket {
    /// Ends the writing direction alone; everything must have been sent.
    func sendCloseNotifyForTest() { if let connection { sendCloseNotify(connection) } }
}
