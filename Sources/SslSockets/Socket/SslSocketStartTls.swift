internal import SslBackend
internal import SslValues

// The plain dialogue before TLS, on the way of every connection that has one.
extension SslSocket {
    /// Connects, speaks the plain dialogue of `startTls` and encrypts as a client (`connectToHostEncrypted` with what Qt leaves to the application).
    ///
    /// It only begins: wait with `waitForEncrypted(timeout:)`, which counts the dialogue in. What is written meanwhile is queued and
    /// leaves encrypted. ``connected`` is emitted before the dialogue.
    public func connectToHostEncrypted(
        _ host: String, port: UInt16, startTls: SslStartTls, peerVerifyName: String? = nil,
        protocol family: SslNetworkProtocol = .any
    ) {
        if let peerVerifyName { self.peerVerifyName = peerVerifyName }
        beginConnecting(host, port, family, encrypting: true, startTls: startTls)
    }

    /// Speaks the plain dialogue of `startTls` on a connected, plain socket, then begins a client handshake.
    ///
    /// What was received and not read yet is taken as the beginning of the dialogue. What was written before leaves before it, in plain text; what is
    /// written afterwards is encrypted.
    public func startClientEncryption(after startTls: SslStartTls) {
        guard canStartEncryption(), case .open(let descriptor) = stage else { return }
        do throws(SslSocketError) {
            connection = try TlsConnection(
                clientTo: peerVerifyName ?? peerName, port: namedPort, configuration: sslConfiguration,
                preSharedKeys: preSharedKeyHooks, credentials: clientCredentialsChoice)
        } catch {
            return fail(error)
        }
        accountForPlainOutput()
        beginDialogue(startTls, over: descriptor, early: incoming.take(.max))
    }

    /// Begins the dialogue; the connection it leads to is made already, so that nothing written from now on leaves in plain text.
    func beginDialogue(_ startTls: SslStartTls, over descriptor: SocketDescriptor, early: [UInt8]) {
        let dialogue = startTls.dialogue(with: peerVerifyName ?? peerName, from: descriptor.localAddress?.ip)
        opening = DialogueRun(dialogue, over: descriptor, received: early)
        speakBeforeTls()
    }

    /// Goes on with the dialogue before TLS as far as it is possible now.
    func speakBeforeTls() {
        guard let opening else { return }
        output.drain()
        accountForPlainOutput()
        if output.failure != 0 { return fail(IOErrors.sending(output.failure, to: peerName)) }
        // What was written before in plain text leaves first.
        guard output.count == 0 else { return mayReceive = false }
        switch opening.progress() {
        case .waiting, .needsCredentials: mayReceive = false
        case .done: finishDialogue(leftover: opening.takeLeftover())
        case .ended: fail(SslSocketError(.remoteHostClosed, "The server ended the connection before it answered STARTTLS"))
        case .broken(let code): fail(IOErrors.receiving(code, from: peerName))
        case .failed(let error): fail(error)
        }
    }

    private func finishDialogue(leftover: [UInt8]) {
        opening = nil
        guard leftover.isEmpty else {
            return fail(
                SslSocketError(
                    .unexpectedPlaintext,
                    "The server sent \(leftover.count) octets beyond its answer to STARTTLS; they may have been slipped in by an attacker"
                ))
        }
        let epoch = epoch
        if beginEncryption(.sslClient), epoch == self.epoch { pushOut() }
    }
}
