internal import SslBackend
internal import SslValues

// The engine room: everything that can be done without waiting. Both ways of waiting drive it and nothing else does.
extension SslSocket {
    /// One turn: what can be done now is done. Signals are emitted on the way, each after the engine has returned.
    func turn() {
        if isInTransition { return }
        switch stage {
        case .idle: return
        case .lookup(let lookup): lookedUp(lookup)
        case .connecting(let attempts): attempted(attempts)
        case .proxying(let run): talkToProxy(run)
        case .open: if opening == nil { serveOpen() } else { speakBeforeTls() }
        }
    }

    /// True when another turn may do more without waiting.
    var hasMoreToDo: Bool {
        guard case .open = stage, !isInTransition else { return false }
        return (mayReceive && wantsToRead) || (isThrottled && hasRoomToRead)
            || (output.count > 0 && !output.isBlocked && output.failure == 0)
            || ((unannouncedWritten > 0 || output.hasSent) && !isAnnouncingWritten)
    }

    // MARK: Connecting

    private func lookedUp(_ lookup: HostLookup) {
        guard let result = lookup.result else { return }
        switch result {
        case .failure(let error): fail(blamed(error))
        case .success(let addresses):
            let epoch = epoch
            isInTransition = true
            if hasFoundHost { emit(.hostFound) }
            guard epoch == self.epoch else { return }
            let attempts = ConnectAttempts(
                addresses, host: route?.proxy.host ?? peerName, options: socketOptions, bound: bound)
            // Before the lookup goes, and its descriptor with it: the number may be another's at once.
            dropRegistration()
            stage = .connecting(attempts)
            setState(.connecting)
            guard epoch == self.epoch else { return }
            isInTransition = false
            attempted(attempts)
        }
    }

    private func attempted(_ attempts: ConnectAttempts) {
        switch attempts.progress() {
        case .waiting: return
        case .failed(let error): fail(blamed(error))
        case .connected(let descriptor, _): if let route { reachedProxy(descriptor, route) } else { opened(descriptor) }
        }
    }

    /// TCP is up: announces it and, when armed, sends the first flight before the announcement.
    ///
    /// - Parameter early: octets of the peer that came with the answer of a proxy.
    func opened(_ descriptor: SocketDescriptor, early: [UInt8] = []) {
        let epoch = epoch
        dropRegistration()
        descriptor.setNoDelay(true)
        stage = .open(descriptor)
        bound = nil
        if openMode.isEmpty { openMode = .readWrite }
        do throws(SslSocketError) {
            for (option, value) in socketOptions { try descriptor.set(option, to: value) }
        } catch {
            return fail(error)
        }
        output.descriptor = descriptor
        isInTransition = true
        setState(.connected)
        guard epoch == self.epoch else { return }
        if startsEncryptionOnConnect {
            startsEncryptionOnConnect = false
            guard beginEncryption(.sslClient), epoch == self.epoch else { return }
        }
        isInTransition = false
        emit(.connected)
        guard epoch == self.epoch else { return }
        if let startTls = startTlsOnConnect {
            startTlsOnConnect = nil
            return beginDialogue(startTls, over: descriptor, early: early)
        }
        if !early.isEmpty { unsafe early.withUnsafeBytes { unsafe workIn(TlsInput($0)) } }
        guard epoch == self.epoch, hasToDisconnect, connection == nil else { return }
        disconnectFromHost()
    }

    // MARK: The open connection

    private func serveOpen() {
        let epoch = epoch
        if hasUnannouncedData, !incoming.isEmpty { announceData() }
        guard epoch == self.epoch else { return }
        resumeReading(announcing: true)
        guard epoch == self.epoch else { return }
        if mayReceive && wantsToRead { readWindow() }
        guard epoch == self.epoch else { return }
        pushOut()
    }

    /// The receive buffer is bounded: nothing is taken from the system while it is full, or while the session holds what did not fit.
    var wantsToRead: Bool { !isReadFinished && decision == .none && !isThrottled && hasRoomToRead }

    /// Takes one window of octets from the system and works it in.
    ///
    /// - Parameter announcing: as of ``workIn(_:announcing:)``.
    func readWindow(announcing: Bool = true) {
        guard case .open(let descriptor) = stage else { return }
        isWarm = true
        let scratch = unsafe BufferPool.take(.large)
        defer { unsafe BufferPool.give(scratch) }
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.prefix(windowSize))
        switch unsafe descriptor.receive(into: room) {
        case .bytes(let count):
            if count < room.count && !hasHangup { mayReceive = false }
            unsafe workIn(TlsInput(UnsafeRawBufferPointer(rebasing: room.prefix(count))), announcing: announcing)
        case .wouldBlock: mayReceive = false
        case .endOfStream:
            mayReceive = false
            isReadFinished = true
            unsafe workIn(TlsInput(UnsafeRawBufferPointer(start: nil, count: 0), isEndOfStream: true), announcing: announcing)
        case .failed(let code):
            mayReceive = false
            fail(IOErrors.receiving(code, from: peerName))
        }
    }

    /// Works received octets into the plain buffer or the TLS connection.
    ///
    /// - Parameter announcing: false inside a read, whose caller sees for itself what is there; the next wait announces it then.
    func workIn(_ input: TlsInput, announcing: Bool = true) {
        guard let connection else {
            let epoch = epoch
            unsafe incoming.append(input.bytes)
            if unsafe input.bytes.count > 0 { noteArrival(announcing) }
            if unsafe input.isEndOfStream, epoch == self.epoch {
                finishReading(SslSocketError(.remoteHostClosed, "The remote host closed the connection"))
            }
            return
        }
        let epoch = epoch
        unsafe advance(connection, input, announcing: announcing)
        if epoch == self.epoch { conclude(connection) }
    }

    /// Drives the connection as far as the input carries it, and tells of what came.
    func advance(_ connection: TlsConnection, _ input: TlsInput, announcing: Bool = true) {
        let epoch = epoch
        var hasNews = false
        unsafe advance(connection, input, announcing, &hasNews)
        if epoch == self.epoch, hasNews { noteArrival(announcing) }
    }

    /// - Parameter hasNews: octets have come that nobody has been told of.
    private func advance(_ connection: TlsConnection, _ input: TlsInput, _ announcing: Bool, _ hasNews: inout Bool) {
        var input = unsafe input
        let epoch = epoch
        while epoch == self.epoch {
            switch connection.phase {
            case .handshaking:
                let turn = unsafe connection.handshake(input, output)
                unsafe input = unsafe .empty
                // The question for a pre-shared key is asked inside the handshake.
                guard epoch == self.epoch else { return }
                // A ticket of TLS 1.2 comes within the handshake; it is told of afterwards, as one of TLS 1.3 is.
                if case .progressed = turn { becameEncrypted(connection) }
                guard epoch == self.epoch else { return }
                relayEvents(connection)
                if case .wantsInput = turn { return }
            case .established:
                if isDisconnecting && isReadFinished { return }
                isThrottled = false
                let (count, turn) = unsafe connection.receive(input, into: &incoming.queue, limit: roomToRead, output)
                unsafe input = unsafe .empty
                if count > 0 { hasNews = true }
                if case .phaseChanged = turn, hasNews {
                    // What came before the end is told of before it.
                    hasNews = false
                    noteArrival(announcing)
                    guard epoch == self.epoch else { return }
                }
                if connection.hasEvents { relayEvents(connection) }
                switch turn {
                case .wantsInput: return
                case .progressed:
                    if !hasRoomToRead {
                        isThrottled = true
                        return
                    }
                case .phaseChanged: break
                }
            case .awaitingVerdict(let errors): if !decide(connection, errors) { return }
            case .awaitingClientHello: if !choose(connection) { return }
            case .halfClosed, .ended: return
            }
        }
    }

    /// Carries out what the end of a connection means for the socket.
    func conclude(_ connection: TlsConnection) {
        switch connection.phase {
        case .halfClosed where !isReadChannelFinished:
            finishReading(SslSocketError(.remoteHostClosed, "The remote host closed the connection"))
        case .ended(let error): fail(error)
        default: break
        }
    }

    private func becameEncrypted(_ connection: TlsConnection) {
        isEncrypted = true
        hasBeenEncrypted = true
        output.sendsAtOnce = false
        let epoch = epoch
        emit(.encrypted)
        guard epoch == self.epoch else { return }
        noteWritten(connection.flush(output))
        if hasToDisconnect { disconnectFromHost() }
    }

    // MARK: Events

    /// Tells what happened inside the engine.
    func relayEvents(_ connection: TlsConnection) {
        guard connection.hasEvents else { return }
        let epoch = epoch
        for event in connection.takeEvents() {
            guard epoch == self.epoch else { return }
            switch event {
            case .alertSent(let alert): emit(.alertSent, alert)
            case .alertReceived(let alert): emit(.alertReceived, alert)
            case .sessionTicket(let secret, let lifetime):
                guard connection.keepsSessions, let ticket = connection.ticket(secret, lifetime: lifetime) else { continue }
                sessionTicket = ticket
                emit(.newSessionTicketReceived)
            case .keysUpdated: emit(.keysUpdated)
            case .clientCertificateRequested: emit(.clientCertificateRequested)
            case .clientAuthenticated: emit(.clientAuthenticated)
            case .keyLog: break
            }
        }
    }

    // MARK: Sending

    /// Encrypts and sends what the system takes, and announces it.
    func pushOut() {
        let epoch = epoch
        handOn()
        if output.failure != 0 {
            let code = output.failure
            hearLastWords()
            if epoch == self.epoch { fail(IOErrors.sending(code, to: peerName)) }
            return
        }
        announceWritten()
        guard epoch == self.epoch else { return }
        if isDisconnecting { finishDisconnecting() }
    }

    /// A peer that refuses us sends its alert and hangs up while we may still be sending: what it said counts more than that our
    /// octets did not arrive.
    private func hearLastWords() {
        let epoch = epoch
        mayReceive = true
        while epoch == self.epoch, mayReceive, wantsToRead { readWindow() }
    }

    /// Gives back what only a busy connection needs: after a wait in which nothing happened.
    func releaseIdleBuffers() {
        isWarm = false
        incoming.releaseStorage()
        output.releaseBuffers()
        connection?.releaseBuffers()
    }
}
