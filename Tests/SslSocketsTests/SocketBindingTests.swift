import Glibc
import SslTestKit
import Testing

@testable import SslSockets

/// Choosing the local end.
@Suite("Binding")
struct SocketBindingTests {
    @Test("A bound socket connects from where it is bound", arguments: DeviceCell.encrypted)
    func connects(cell: DeviceCell) async throws {
        let (listener, address) = try listeningDescriptor()
        let client = SslSocket(configuration: try cell.fixture.clientConfiguration())
        client.peerVerifyName = TestIdentity.defaultHost
        let trace = Trace(client)
        #expect(client.bind(to: .loopbackIPv4))
        #expect(client.state == .bound && client.socketDescriptor >= 0 && client.write("x") == -1)
        let local = try #require(client.localAddress)
        #expect(local.ip == .loopbackIPv4 && local.port != 0)
        let number = client.socketDescriptor
        client.connectToHostEncrypted("127.0.0.1", port: address.port)
        #expect(client.state == .hostLookup)
        let server = SslSocket(configuration: try cell.fixture.serverConfiguration())
        let pair = SocketPair(client, server)
        try await pair.pump { client.state == .connected }
        guard case .accepted(let accepted) = listener.accept() else { throw SslSocketError(.network, "nothing to accept") }
        #expect(accepted.peerAddress == local)
        #expect(client.localAddress == local && client.socketDescriptor == number)
        server.opened(accepted)
        server.startServerEncryption()
        try await pair.pump { client.isEncrypted && server.isEncrypted }
        #expect(
            trace.entries.prefix(5) == ["state bound", "state hostLookup", "hostFound", "state connecting", "state connected"])
        // The next connection is from anywhere again.
        client.abort()
        #expect(client.state == .unconnected && client.localAddress == nil)
    }

    @Test("Any address reaches hosts of both families", arguments: [IpAddress.loopbackIPv4, .loopbackIPv6])
    func anyAddress(target: IpAddress) async throws {
        let (listener, address) = try listeningDescriptor(target)
        let client = SslSocket()
        #expect(client.bind())
        let port = try #require(client.localAddress?.port)
        client.connectToHost(target, port: address.port)
        #expect(await client.waitForConnected())
        guard case .accepted(let accepted) = listener.accept() else { throw SslSocketError(.network, "nothing to accept") }
        #expect(accepted.peerAddress == SocketAddress(target, port: port))
        #expect(client.localAddress == SocketAddress(target, port: port) && client.peerAddress == address)
    }

    @Test("An address of one family does not reach the other")
    func otherFamily() async throws {
        let (listener, address) = try listeningDescriptor(.loopbackIPv6)
        for local in [IpAddress.loopbackIPv4, .anyIPv4] {
            let client = SslSocket()
            #expect(client.bind(to: local))
            client.connectToHost(.loopbackIPv6, port: address.port)
            #expect(!(await client.waitForConnected()))
            #expect(client.error?.code == .addressNotAvailable && client.state == .unconnected)
        }
        listener.close()
    }

    @Test("The addresses of a host are tried one after the other, from the same port")
    func fallsBack() async throws {
        let (listener, address) = try listeningDescriptor()
        let (gone, refusing) = try listeningDescriptor()
        gone.close()
        let bound = try BoundSocket(to: .loopbackIPv4, port: 0, isReusable: false)
        let local = bound.descriptor.localAddress
        let attempts = ConnectAttempts([refusing, refusing, address], host: "test", options: [:], bound: bound)
        loop: while true {
            switch attempts.progress() {
            case .waiting:
                #expect(attempts.nextDeadline == nil)
                guard
                    case .ready = Poller.wait(fd: attempts.waitDescriptor, events: .read, deadline: Deadline(after: .seconds(10)))
                else { throw SslSocketError(.socketTimeout, "no attempt ended") }
            case .connected(let descriptor, let peer):
                #expect(descriptor === bound.descriptor && peer == address && descriptor.localAddress == local)
                break loop
            case .failed(let error): throw error
            }
        }
        guard case .accepted(let accepted) = listener.accept() else { throw SslSocketError(.network, "nothing to accept") }
        #expect(accepted.peerAddress == local)
    }

    @Test("A taken address, one of another host and one without the right to it have errors of their own")
    func errors() throws {
        let first = SslSocket()
        #expect(first.bind(to: .loopbackIPv4))
        let taken = try #require(first.localAddress?.port)
        let second = SslSocket()
        #expect(!second.bind(to: .loopbackIPv4, port: taken))
        #expect(second.error?.code == .addressInUse && second.state == .unconnected && second.localAddress == nil)
        #expect(!second.bind(to: .loopbackIPv4, port: taken, mode: .dontShareAddress))
        // Documentation addresses are nobody's (RFC 5737).
        #expect(!second.bind(to: IpAddress("192.0.2.1")))
        #expect(second.error?.code == .addressNotAvailable)
        #expect(!second.bind(mode: [.shareAddress, .dontShareAddress]))
        #expect(second.error?.code == .invalidUserData)
    }

    @Test("An address is shared by those who all say so", arguments: [SslBindMode.shareAddress, .reuseAddressHint])
    func sharing(mode: SslBindMode) throws {
        let first = SslSocket()
        #expect(first.bind(to: .loopbackIPv4, mode: mode))
        let port = try #require(first.localAddress?.port)
        let second = SslSocket()
        #expect(second.bind(to: .loopbackIPv4, port: port, mode: mode))
        #expect(second.localAddress == first.localAddress)
        let third = SslSocket()
        #expect(!third.bind(to: .loopbackIPv4, port: port) && third.error?.code == .addressInUse)
    }

    @Test("Binding again moves it; closing, aborting and disconnecting give it up", arguments: [0, 1, 2])
    func givesUp(way: Int) async throws {
        let socket = SslSocket()
        #expect(socket.setSocketOption(.keepAlive, to: 1))
        #expect(socket.bind(to: .loopbackIPv4))
        let first = try #require(socket.localAddress?.port)
        #expect(socket.socketOption(.keepAlive) == 1)
        #expect(socket.bind(to: .loopbackIPv4, port: 0))
        let port = try #require(socket.localAddress?.port)
        #expect(port != first)
        let freed = SslSocket()
        #expect(freed.bind(to: .loopbackIPv4, port: first))
        switch way {
        case 0: socket.close()
        case 1: socket.abort()
        default: socket.disconnectFromHost()
        }
        #expect(socket.state == .unconnected && socket.localAddress == nil && socket.socketDescriptor == -1)
        #expect(freed.bind(to: .loopbackIPv4, port: port))
        #expect(!(await socket.waitForConnected()))
    }

    @Test("A connected socket cannot be bound")
    func connected() async throws {
        let pair = try await SocketPair(DeviceCell.all[0])
        #expect(!pair.client.bind() && pair.client.error?.code == .operation && pair.client.state == .connected)
    }

    @Test("Qt's numbers")
    func numbers() {
        #expect(SslBindMode([]).rawValue == 0 && SslBindMode.shareAddress.rawValue == 1)
        #expect(SslBindMode.dontShareAddress.rawValue == 2 && SslBindMode.reuseAddressHint.rawValue == 4)
        #expect(SslOpenMode.readOnly.rawValue == 1 && SslOpenMode.writeOnly.rawValue == 2 && SslOpenMode.readWrite.rawValue == 3)
    }
}
