internal import SslBackend
internal import SslValues

extension SslSocket {
    /// Ends the connection properly (`disconnectFromHost`): what was written is sent, then close_notify, then TCP is closed.
    ///
    /// What the system does not take at once leaves during the waits; `waitForDisconnected(timeout:)` waits for the end. What was
    /// received stays readable. Nothing can be written any more once the state is ``SslSocketState/closing``.
    ///
    /// Before the connection is up it is remembered, as in Qt: ``state`` stays as it is, and the end comes after ``connected``, or after
    /// ``encrypted`` where that was asked for, when what was written by then has been sent. While the handshake is running the state changes at
    /// once and the end follows the handshake. One that is paused with nothing to send ends at once. Use ``abort()`` to give up instead.
    public func disconnectFromHost() {
        switch stage {
        case .idle: if state == .bound { abort() }
        case .lookup, .connecting, .proxying: hasToDisconnect = true
        case .open:
            guard !isDisconnecting else { return }
            let epoch = epoch
            hasToDisconnect = false
            isDisconnecting = true
            setState(.closing)
            if epoch == self.epoch { pushOut() }
        }
    }

    /// Ends the connection as ``disconnectFromHost()`` and throws away what was not read and what still arrives (`close`).
    public func close() {
        guard state != .unconnected else {
            openMode = []
            return incoming.removeAll()
        }
        guard !isClosed else { return }
        isClosed = true
        let epoch = epoch
        emit(.aboutToClose)
        guard epoch == self.epoch else { return }
        openMode = []
        disconnectFromHost()
        if epoch == self.epoch || state == .unconnected { incoming.removeAll() }
    }

    /// Ends the connection at once (`abort`): nothing is sent any more, no close_notify either, so that the peer sees a truncation. What was not
    /// read is thrown away. Signals of the end are emitted before it returns, but not ``aboutToClose``.
    public func abort() {
        openMode = []
        guard state != .unconnected else { return }
        let epoch = epoch
        announceWritten(isLast: true)
        guard epoch == self.epoch else { return }
        self.epoch += 1
        incoming.removeAll()
        if case .open(let descriptor) = stage { descriptor.resetOnClose() }
        endConnection()
    }

    /// The last step of a proper end, once everything has been sent.
    func finishDisconnecting() {
        let epoch = epoch
        if let connection {
            switch connection.phase {
            case .handshaking, .awaitingClientHello: return
            // Only the program can end a pause. It is waited for where there is something to deliver.
            case .awaitingVerdict: guard isPaused, connection.bytesToEncrypt == 0 else { return }
            case .established, .halfClosed:
                guard connection.bytesToEncrypt == 0 else { return }
                if !connection.isClosed { sendCloseNotify(connection) }
            case .ended: break
            }
        }
        guard epoch == self.epoch, output.count == 0 else { return }
        // Octets that were never read would turn the close into a reset, which may take our last octets from the peer.
        if case .open(let descriptor) = stage { descriptor.discardReceived() }
        self.epoch += 1
        endConnection()
    }

    /// Sends close_notify and announces it.
    func sendCloseNotify(_ connection: TlsConnection) {
        let epoch = epoch
        connection.close(output)
        output.drain()
        relayEvents(connection)
        if epoch == self.epoch { announceWritten(isLast: true) }
    }

    /// The peer will send no more: what is left to write is written, then the connection ends.
    func finishReading(_ reason: SslSocketError) {
        isReadFinished = true
        isReadChannelFinished = true
        let epoch = epoch
        emit(.readChannelFinished)
        guard epoch == self.epoch else { return }
        if allowsHalfClosure && !isDisconnecting { return }
        // An answer to our own close_notify is no surprise.
        if !isDisconnecting && connection?.isClosed != true {
            tell(reason)
            guard epoch == self.epoch else { return }
        }
        disconnectFromHost()
    }

    /// Something fatal: announces it and ends the connection.
    func fail(_ reason: SslSocketError) {
        guard !isFailing else { return }
        guard state != .unconnected else { return tell(reason) }
        isFailing = true
        endReason = reason
        let epoch = epoch
        // The alert is in the queue; it has to leave before the descriptor goes.
        output.drain()
        announceWritten(isLast: true)
        guard epoch == self.epoch else { return }
        if let connection {
            isEncrypted = false
            relayEvents(connection)
            guard epoch == self.epoch else { return }
        }
        tell(reason)
        guard epoch == self.epoch else { return }
        if case .open(let descriptor) = stage { descriptor.discardReceived() }
        self.epoch += 1
        endConnection()
    }

    private func endConnection() {
        let wasConnected = state == .connected || state == .closing
        let epoch = epoch
        isEncrypted = false
        isReadFinished = true
        isThrottled = false
        mayReceive = false
        decision = .none
        isDisconnecting = false
        hasToDisconnect = false
        isClosed = false
        isFailing = false
        isInTransition = false
        hasLostOutput = output.failure != 0 || output.count > 0 || (connection?.bytesToEncrypt ?? 0) > 0
        output.discard()
        plainOutput = 0
        connection?.discardOutgoing()
        closeDescriptor()
        if wasConnected { setState(.closing) }
        guard epoch == self.epoch else { return }
        setState(.unconnected)
        guard epoch == self.epoch, wasConnected else { return }
        if !isReadChannelFinished {
            isReadChannelFinished = true
            emit(.readChannelFinished)
            guard epoch == self.epoch else { return }
        }
        emit(.disconnected)
    }

    /// Lets go of the descriptor and everything that waits for it.
    func closeDescriptor() {
        dropRegistration()
        switch stage {
        case .idle: break
        case .lookup(let lookup): lookup.cancel()
        case .connecting(let attempts): attempts.cancel()
        case .proxying(let run): run.descriptor.close()
        case .open(let descriptor): descriptor.close()
        }
        stage = .idle
        bound?.descriptor.close()
        bound = nil
        opening = nil
        output.descriptor = nil
    }

    func dropRegistration() {
        registration?.deregister()
        registration = nil
    }
}
