import SslBackend
import SslTestKit

@testable import SslSockets

/// Every signal of a socket.
enum Emission: String, CaseIterable, Sendable {
    case hostFound, connected, disconnected, stateChanged, errorOccurred, readyRead, bytesWritten, aboutToClose,
        readChannelFinished,
        encrypted, modeChanged, encryptedBytesWritten, peerVerifyError, sslErrors, handshakeInterruptedOnError, alertSent,
        alertReceived, newSessionTicketReceived

    func connect(_ socket: SslSocket, _ body: @escaping (SslSocket) -> Void) -> SignalConnection {
        switch self {
        case .hostFound: socket.hostFound.connect { body($0) }
        case .connected: socket.connected.connect { body($0) }
        case .disconnected: socket.disconnected.connect { body($0) }
        case .stateChanged: socket.stateChanged.connect { socket, _ in body(socket) }
        case .errorOccurred: socket.errorOccurred.connect { socket, _ in body(socket) }
        case .readyRead: socket.readyRead.connect { body($0) }
        case .bytesWritten: socket.bytesWritten.connect { socket, _ in body(socket) }
        case .aboutToClose: socket.aboutToClose.connect { body($0) }
        case .readChannelFinished: socket.readChannelFinished.connect { body($0) }
        case .encrypted: socket.encrypted.connect { body($0) }
        case .modeChanged: socket.modeChanged.connect { socket, _ in body(socket) }
        case .encryptedBytesWritten: socket.encryptedBytesWritten.connect { socket, _ in body(socket) }
        case .peerVerifyError: socket.peerVerifyError.connect { socket, _ in body(socket) }
        case .sslErrors: socket.sslErrors.connect { socket, _ in body(socket) }
        case .handshakeInterruptedOnError: socket.handshakeInterruptedOnError.connect { socket, _ in body(socket) }
        case .alertSent: socket.alertSent.connect { socket, _ in body(socket) }
        case .alertReceived: socket.alertReceived.connect { socket, _ in body(socket) }
        case .newSessionTicketReceived: socket.newSessionTicketReceived.connect { body($0) }
        }
    }
}

/// What holds the only reference to a socket, and what else a slot may want.
final class SlotHolder {
    var socket: SslSocket?
    var connection: SignalConnection?
    var port: UInt16 = 0
    /// How often the slot ran.
    var calls = 0
}

/// What a slot may do to its socket.
enum SlotAction: String, CaseIterable, Sendable {
    case close, abort, disconnectFromHost, write, writeAndFlush, readAll, readByte, flush, ignoreSslErrors,
        continueInterruptedHandshake, connectAgain, connectElsewhere, startEncryption, resume, changeSettings, wait, letGo,
        disconnectSlot

    @available(*, noasync)
    private static func wait(_ socket: SslSocket) {
        _ = socket.waitForReadyRead(timeout: .zero)
        _ = socket.waitForEncrypted(timeout: .zero)
        _ = socket.waitForBytesWritten(timeout: .zero)
        _ = socket.waitForDisconnected(timeout: .zero)
    }

    func run(_ socket: SslSocket, _ holder: SlotHolder) {
        switch self {
        case .close: socket.close()
        case .abort: socket.abort()
        case .disconnectFromHost: socket.disconnectFromHost()
        case .write: socket.write("more")
        case .writeAndFlush:
            socket.write("more")
            socket.flush()
        case .readAll: _ = socket.readAll()
        case .readByte: _ = socket.read(1)
        case .flush: socket.flush()
        case .ignoreSslErrors: socket.ignoreSslErrors()
        case .continueInterruptedHandshake: socket.continueInterruptedHandshake()
        // Twice at most: a slot of a failure that always tries again never ends, and rightly so.
        case .connectAgain: if holder.calls < 3 { socket.connectToHostEncrypted(.loopbackIPv4, port: holder.port) }
        case .connectElsewhere:
            guard holder.calls < 3 else { return }
            socket.abort()
            socket.connectToHostEncrypted(.loopbackIPv4, port: holder.port)
        case .startEncryption:
            socket.startClientEncryption()
            socket.startServerEncryption()
        case .resume: socket.resume()
        case .changeSettings:
            socket.sslConfiguration = SslConfiguration()
            socket.pauseMode = .never
            socket.peerVerifyName = "another.example.test"
        case .wait: Self.wait(socket)
        case .letGo: holder.socket = nil
        case .disconnectSlot: holder.connection?.disconnect()
        }
    }
}
