import Glibc
import SslBackend
import SslTestKit
import Testing

@testable import SslSockets

/// What is asked of the system for a connection, looked up behind the library's back.
@Suite("Socket options")
struct SocketOptionTests {
    private static let places: [(SslSocketOption, Int32, Int32)] = [
        (.lowDelay, Int32(IPPROTO_TCP), TCP_NODELAY), (.keepAlive, SOL_SOCKET, SO_KEEPALIVE),
        (.keepAliveIdle, Int32(IPPROTO_TCP), TCP_KEEPIDLE), (.keepAliveInterval, Int32(IPPROTO_TCP), TCP_KEEPINTVL),
        (.keepAliveCount, Int32(IPPROTO_TCP), TCP_KEEPCNT), (.typeOfService, Int32(IPPROTO_IP), IP_TOS),
    ]
    private static let wishes: [(SslSocketOption, Int)] = [
        (.lowDelay, 0), (.keepAlive, 1), (.keepAliveIdle, 77), (.keepAliveInterval, 11), (.keepAliveCount, 5),
        (.typeOfService, 0x10),
    ]

    private func systemValue(_ descriptor: Int32, _ option: SslSocketOption) -> Int? {
        guard let place = Self.places.first(where: { $0.0 == option }) else { return nil }
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, place.1, place.2, &value, &length) == 0 else { return nil }
        return Int(value)
    }

    @Test("They can be set while connected, and are the system's at once", arguments: DeviceCell.all)
    func whileConnected(cell: DeviceCell) async throws {
        let client = try await SocketPair(cell).client
        #expect(client.socketOption(.lowDelay) == 1)
        #expect(client.socketOption(.keepAlive) == 0)
        #expect(client.socketOption(.pathMtu) ?? 0 >= 1280)
        for (option, value) in Self.wishes {
            #expect(client.setSocketOption(option, to: value))
            #expect(systemValue(client.socketDescriptor, option) == value)
            #expect(client.socketOption(option) == value)
        }
        #expect(client.error == nil)
        // The system may round, and counts its own needs in.
        for option in [SslSocketOption.sendBufferSize, .receiveBufferSize] {
            #expect(client.setSocketOption(option, to: 20_000))
            #expect((20_000...60_000).contains(client.socketOption(option) ?? 0))
        }
    }

    @Test(
        "Set before connecting, they are kept and set on every connection, IPv4 or IPv6",
        arguments: [IpAddress.loopbackIPv4, .loopbackIPv6])
    func beforeConnecting(address: IpAddress) async throws {
        let (listener, place) = try listeningDescriptor(address)
        let client = SslSocket()
        for (option, value) in Self.wishes {
            #expect(client.socketOption(option) == nil)
            #expect(client.setSocketOption(option, to: value) && client.socketOption(option) == value)
        }
        #expect(client.setSocketOption(.receiveBufferSize, to: 30_000))
        for _ in 0..<2 {
            client.connectToHost(place.ip, port: place.port)
            #expect(await client.waitForConnected())
            for (option, value) in Self.wishes {
                #expect(systemValue(client.socketDescriptor, option) == value)
                #expect(client.socketOption(option) == value)
            }
            #expect((30_000...90_000).contains(client.socketOption(.receiveBufferSize) ?? 0))
            client.abort()
            #expect(client.socketOption(.keepAliveIdle) == 77)
        }
        listener.close()
    }

    @Test("They are set on a descriptor that is handed over")
    func onDescriptor() async throws {
        let pair = try await SocketPair(DeviceCell.all[0])
        let socket = SslSocket()
        #expect(socket.setSocketOption(.keepAlive, to: 1))
        #expect(socket.setSocketDescriptor(dup(pair.client.socketDescriptor)))
        #expect(systemValue(socket.socketDescriptor, .keepAlive) == 1)
        #expect(socket.socketType == .tcp && SslSocket().socketType == .tcp)
    }

    @Test("What has no sense is refused by name, and nothing is kept of it")
    func refusals() async throws {
        let pair = try await SocketPair(DeviceCell.all[0])
        for socket in [SslSocket(), pair.client] {
            for (option, value, code) in [
                (SslSocketOption.multicastTtl, 1, SslSocketError.Code.unsupportedOperation),
                (.multicastLoopback, 1, .unsupportedOperation), (.pathMtu, 1400, .unsupportedOperation),
                (.lowDelay, 2, .invalidUserData), (.keepAlive, -1, .invalidUserData), (.keepAliveIdle, 0, .invalidUserData),
                (.keepAliveIdle, 32_768, .invalidUserData), (.keepAliveCount, 128, .invalidUserData),
                (.keepAliveInterval, .min, .invalidUserData), (.typeOfService, 256, .invalidUserData),
                (.sendBufferSize, 0, .invalidUserData), (.receiveBufferSize, .max, .invalidUserData),
            ] {
                let before = socket.socketOption(option)
                socket.error = nil
                #expect(!socket.setSocketOption(option, to: value))
                #expect(socket.error?.code == code)
                #expect(socket.errorString.contains(option.rawValue))
                #expect(socket.socketOption(option) == before)
            }
        }
        for option in SslSocketOption.allCases { #expect(SslSocket().socketOption(option) == nil) }
        #expect(pair.client.socketOption(.multicastTtl) == nil && pair.client.socketOption(.multicastLoopback) == nil)
        #expect(pair.client.state == .connected)
    }

    @Test("What the system refuses fails the connection that cannot have it")
    func refusedBySystem() throws {
        let (left, right) = try connectedDescriptors()
        let socket = SslSocket()
        #expect(socket.setSocketOption(.keepAliveIdle, to: 10))
        // A stream that is no TCP connection has no such option.
        #expect(socket.setSocketDescriptor(dup(left.fd)) == false)
        #expect(socket.state == .unconnected && socket.error?.code == .unsupportedOperation)
        #expect(socket.errorString.contains("keepAliveIdle"))
        let local = SslSocket()
        #expect(local.setSocketDescriptor(dup(left.fd)) && local.socketType == .local)
        #expect(!local.setSocketOption(.lowDelay, to: 1) && local.socketOption(.lowDelay) == nil)
        right.close()
    }
}

/// Taking over descriptors.
@Suite("Socket descriptors")
struct SocketDescriptorTests {
    @Test("A connected descriptor becomes the socket's own, and octets flow", arguments: DeviceCell.encrypted)
    func takesOver(cell: DeviceCell) async throws {
        let (listener, address) = try listeningDescriptor()
        let plain = try SocketDescriptor.stream(family: AF_INET)
        #expect([0, EINPROGRESS].contains(plain.startConnect(to: address)))
        #expect(Poller.wait(fd: plain.fd, events: .write, deadline: Deadline(after: .seconds(10))) == .ready(.write))
        guard case .accepted(let accepted) = listener.accept() else { throw SslSocketError(.network, "nothing to accept") }
        let client = SslSocket(configuration: try cell.fixture.clientConfiguration())
        client.peerVerifyName = TestIdentity.defaultHost
        let trace = Trace(client)
        let number = dup(plain.fd)
        #expect(client.socketDescriptor == -1 && !client.isValid)
        #expect(client.setSocketDescriptor(number))
        #expect(
            client.socketDescriptor == number && client.state == .connected && client.openMode == .readWrite && client.isValid)
        #expect(client.peerAddress == address && client.localAddress?.ip == .loopbackIPv4)
        #expect(trace.entries == ["state connected", "connected"])
        let server = SslSocket(configuration: try cell.fixture.serverConfiguration())
        server.opened(accepted)
        let pair = SocketPair(client, server)
        try await pair.encrypt()
        try await pair.deliver(octets(100), from: server, to: client)
        #expect(client.readAll() == octets(100))
        client.abort()
        #expect(fcntl(number, F_GETFD) == -1)
    }

    @Test("What is no connected stream is refused and stays the caller's")
    func refusals() throws {
        let (listener, _) = try listeningDescriptor()
        let datagram = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let unconnected = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        for (descriptor, code) in [
            (-1, SslSocketError.Code.operation), (datagram, .unsupportedOperation), (listener.fd, .operation),
            (unconnected, .operation),
        ] {
            let socket = SslSocket()
            #expect(!socket.setSocketDescriptor(descriptor))
            #expect(socket.error?.code == code && socket.state == .unconnected && socket.socketDescriptor == -1)
            if descriptor >= 0 { #expect(fcntl(descriptor, F_GETFD) >= 0) }
        }
        close(datagram)
        close(unconnected)
    }

    @Test("A connection that the peer has reset meanwhile is taken over, and the end is told as usual")
    func alreadyReset() async throws {
        let pair = try await SocketPair(DeviceCell.all[0])
        let number = dup(pair.server.socketDescriptor)
        pair.client.abort()
        #expect(Poller.wait(fd: number, events: .read, deadline: Deadline(after: .seconds(10))) == .ready([.read, .hangup]))
        let socket = SslSocket()
        #expect(socket.setSocketDescriptor(number) && socket.state == .connected)
        #expect(await socket.waitForDisconnected())
        #expect(socket.error?.code == .network)
    }

    @Test("A socket that is in use takes none over")
    func inUse() async throws {
        let pair = try await SocketPair(DeviceCell.all[0])
        let number = pair.client.socketDescriptor
        #expect(!pair.client.setSocketDescriptor(pair.server.socketDescriptor))
        #expect(
            pair.client.error?.code == .operation && pair.client.socketDescriptor == number && pair.client.state == .connected)
    }
}
