internal import SslBackend
internal import SslValues

/// What happens to a connection between accept(2) and the end of its handshake.
struct Reception: Sendable {
    let settings: Lock<ServerSettings>

    /// The content type of a handshake record, the first octet of every TLS connection (RFC 8446 section 5.1).
    private static let handshakeRecord: UInt8 = 22

    // MARK: Before TLS

    /// Asks the hook; a refused connection is reset.
    func admits(_ descriptor: SocketDescriptor) -> Bool {
        guard let hook = settings.withLock({ $0.incoming }), !hook(descriptor.peerAddress) else { return true }
        descriptor.resetOnClose()
        descriptor.close()
        return false
    }

    /// Accepting itself has failed.
    func acceptFailed(_ error: SslSocketError) {
        let hook = settings.withLock { settings in
            settings.lastError = error
            return settings.acceptError
        }
        hook?(error)
    }

    /// What a client begins with.
    private enum Greeting {
        /// A TLS record. The registration is the one it was waited for with, if it was.
        case tls(Registration?, IOEvents)
        case failed(SslSocketError)
        /// The server stops; nobody needs to know.
        case dropped
    }

    /// Waits for the first octet. Until it is there, a connection costs little more than its descriptor.
    private func greeting(
        _ descriptor: SocketDescriptor, _ timeout: Duration?, _ ledger: ConnectionLedger, _ id: UInt64
    ) async -> Greeting {
        let deadline = Deadline(after: timeout)
        var registration: Registration?
        var found: IOEvents = .read
        while true {
            switch descriptor.peek() {
            case .octet(let octet):
                guard ledger.spoke(id) else {
                    registration?.deregister()
                    return .dropped
                }
                if octet == Self.handshakeRecord { return .tls(registration, found) }
                registration?.deregister()
                return .failed(SslSocketError(.notTls, "The client does not speak TLS: its first octet is \(octet)"))
            case .endOfStream:
                registration?.deregister()
                guard ledger.spoke(id) else { return .dropped }
                return .failed(SslSocketError(.remoteHostClosed, "The client went away before it said anything"))
            case .failed(let code):
                registration?.deregister()
                return .failed(IOErrors.receiving(code, from: ""))
            case .wouldBlock: break
            }
            let known: Registration
            do throws(SslSocketError) {
                if let registration { known = registration } else { known = try SslReactor.shared.register(descriptor.fd) }
                registration = known
            } catch {
                return .failed(error)
            }
            switch await known.wait(.read, deadline: deadline, isolation: nil) {
            case .ready(let events): found = events
            case .timedOut:
                known.deregister()
                return .failed(
                    SslSocketError(.socketTimeout, "The client said nothing for \(timeout.map { "\($0)" } ?? "too long")"))
            case .cancelled, .closed, .busy:
                known.deregister()
                return .dropped
            }
        }
    }

    // MARK: TLS

    /// How long a connection that is accepted now may take to begin, and then to shake hands.
    var handshakeTimeout: Duration? { settings.withLock { $0.handshakeTimeout } }

    /// Shakes hands as a task.
    ///
    /// - Parameter timeout: the ``handshakeTimeout`` of the moment when it was accepted.
    /// - Returns: nil when it failed, which the hook has been told.
    func shakeHands(
        _ descriptor: SocketDescriptor, _ timeout: Duration?, _ ledger: ConnectionLedger, _ id: UInt64
    ) async -> sending SslSocket? {
        // A connection that was reset no longer knows its peer.
        let peer = settings.withLock({ $0.handshakeFailure != nil }) ? descriptor.peerAddress : nil
        switch await greeting(descriptor, timeout, ledger, id) {
        case .dropped: descriptor.close()
        case .failed(let error):
            // Octets that were never read would turn the close into a reset.
            descriptor.discardReceived()
            descriptor.close()
            failed(peer, error)
        case .tls(let registration, let events):
            let socket = makeSocket(descriptor, registration, events)
            if await socket.suspend(until: .encrypted, timeout: timeout) { return socket }
            // Without an error it was the program that ended it.
            let error = socket.error
            socket.abort()
            if let error { failed(peer, error) }
        }
        return nil
    }

    private func failed(_ peer: SocketAddress?, _ error: SslSocketError) {
        settings.withLock { $0.handshakeFailure }?(peer, error)
    }

    /// Wraps an accepted descriptor, shows it to the hook and begins the handshake.
    func makeSocket(
        _ descriptor: SocketDescriptor, _ registration: Registration? = nil, _ events: IOEvents = []
    ) -> sending SslSocket {
        let (configuration, hook, selection, names, lookup) = settings.withLock {
            ($0.configuration, $0.connection, $0.selection, $0.names, $0.preSharedKeyLookup)
        }
        let socket = SslSocket(configuration: configuration)
        socket.selectPreSharedKey(lookup)
        socket.opened(descriptor)
        socket.registration = registration
        socket.note(events)
        hook?(socket)
        guard socket.state == .connected else { return socket }
        if selection == nil && !names.decides {
            socket.startServerEncryption()
        } else {
            socket.startServerEncryption { socket, hello in
                if let selection, case let choice = selection(socket, hello), !choice.isProceed { return choice }
                return names.choice(for: hello.serverName)
            }
        }
        return socket
    }
}

extension SslClientHelloChoice {
    fileprivate var isProceed: Bool {
        if case .proceed = self { return true }
        return false
    }
}
