internal import SslBackend
internal import SslValues

extension SslSocket {
    /// Ends the connection properly (`disconnectFromHost`): what was written is sent, then close_notify, then TCP is closed.
    ///
    /// What the system does not take at once leaves during the waits; ``waitForDisconnected(timeout:)-(Duration?)`` waits for the end. While the handshake is running, the end
    /// follows its completion. What was received stays readable.
    public func disconnectFromHost() {
        switch stage {
        case .idle: return
        case .lookup, .connecting, .proxying: abort()
        case .open:
            guard !isDisconnecting else { return }
            let epoch = epoch
            isDisconnecting = true
            setState(.closing)
            if epoch == self.epoch { pushOut() }
        }
    }

    /// Ends the connection as ``disconnectFromHost()`` and throws away what was not read (`close`).
    public func close() {
        let epoch = epoch
        emit(.aboutToClose)
        guard epoch == self.epoch else { return }
        disconnectFromHost()
        incoming.removeAll()
    }

    /// Ends the connection at once (`abort`): nothing is sent any more, no close_notify either, so that the peer sees a truncation.
    public func abort() {
        guard state != .unconnected else { return }
        epoch += 1
        incoming.removeAll()
        if case .open(let descriptor) = stage { descriptor.resetOnClose() }
        endConnection()
    }

    /// The last step of a proper end, once everything has been sent.
    func finishDisconnecting() {
        if let connection {
            if case .handshaking = connection.phase { return }
            guard connection.bytesToEncrypt == 0 || output.failure != 0 else { return }
            connection.close(output)
            for event in connection.takeEvents() { if case .alertSent(let alert) = event { emit(.alertSent, alert) } }
            output.drain()
            let sent = output.takeSent()
            if sent > 0 { emit(.encryptedBytesWritten, sent) }
        }
        guard output.count == 0, state != .unconnected else { return }
        // Octets that were never read would turn the close into a reset, which may take our last octets from the peer.
        if case .open(let descriptor) = stage { descriptor.discardReceived() }
        epoch += 1
        endConnection()
    }

    /// The peer will send no more: what is left to write is written, then the connection ends.
    func finishReading(_ reason: SslSocketError) {
        isReadFinished = true
        let epoch = epoch
        emit(.readChannelFinished)
        guard epoch == self.epoch else { return }
        if allowsHalfClosure && !isDisconnecting { return }
        if !isDisconnecting {
            report(reason)
            guard epoch == self.epoch else { return }
        }
        disconnectFromHost()
    }

    /// Something fatal: announces it and ends the connection.
    func fail(_ reason: SslSocketError) {
        guard state != .unconnected else {
            report(reason)
            return
        }
        let epoch = epoch
        // The alert is in the queue; it has to leave before the descriptor goes.
        output.drain()
        if let connection {
            isEncrypted = false
            for event in connection.takeEvents() {
                switch event {
                case .alertSent(let alert): emit(.alertSent, alert)
                case .alertReceived(let alert): emit(.alertReceived, alert)
                default: break
                }
                guard epoch == self.epoch else { return }
            }
        }
        report(reason)
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
        isReadable = false
        isPaused = false
        isDisconnecting = false
        output.discard()
        closeDescriptor()
        if wasConnected { setState(.closing) }
        guard epoch == self.epoch else { return }
        setState(.unconnected)
        guard epoch == self.epoch else { return }
        if wasConnected { emit(.disconnected) }
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
        opening = nil
        output.descriptor = nil
    }

    func dropRegistration() {
        registration?.deregister()
        registration = nil
    }
}
