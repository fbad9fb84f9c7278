internal import SslBackend
internal import SslValues

extension SslSocket {
    /// Connects and encrypts as a client (`connectToHostEncrypted`). The host's name is proven by the peer's certificate and sent as
    /// server name, unless `peerVerifyName` says another.
    ///
    /// It only begins: wait with `waitForEncrypted(timeout:)`. A socket that is already connecting or connected reports ``SslSocketError/Code/operation`` and
    /// goes on undisturbed.
    public func connectToHostEncrypted(
        _ host: String, port: UInt16, peerVerifyName: String? = nil, protocol family: SslNetworkProtocol = .any
    ) {
        if let peerVerifyName { self.peerVerifyName = peerVerifyName }
        beginConnecting(host, port, family, encrypting: true)
    }

    /// Connects without encryption (`connectToHost`), which may begin later with ``startClientEncryption()``.
    public func connectToHost(_ host: String, port: UInt16, protocol family: SslNetworkProtocol = .any) {
        beginConnecting(host, port, family, encrypting: false)
    }

    /// Connects to an address and encrypts as a client. The peer's certificate has to prove the address, unless `peerVerifyName` says a name.
    public func connectToHostEncrypted(_ address: IpAddress, port: UInt16, peerVerifyName: String? = nil) {
        connectToHostEncrypted(address.description, port: port, peerVerifyName: peerVerifyName)
    }

    /// Connects to an address without encryption (`connectToHost(QHostAddress)`). Nothing is looked up, but the states and signals are those
    /// of a name.
    public func connectToHost(_ address: IpAddress, port: UInt16) { connectToHost(address.description, port: port) }

    func beginConnecting(
        _ host: String, _ port: UInt16, _ family: SslNetworkProtocol, encrypting: Bool, startTls: SslStartTls? = nil
    ) {
        guard state == .unconnected || state == .bound else {
            report(SslSocketError(.operation, "The socket is already connecting or connected: close it first"))
            return
        }
        reset()
        peerName = host
        namedPort = port
        do throws(SslSocketError) {
            if let proxy = proxy.inForce { route = try ProxyRoute(proxy, to: host, port: port, protocol: family) }
        } catch {
            report(error)
            return
        }
        if encrypting {
            // What the configuration cannot do is said before anything is sent.
            do throws(SslSocketError) {
                connection = try TlsConnection(
                    clientTo: self.peerVerifyName ?? host, port: port, configuration: sslConfiguration,
                    preSharedKeys: preSharedKeyHooks, credentials: clientCredentialsChoice)
            } catch {
                report(error)
                return
            }
        }
        startsEncryptionOnConnect = encrypting && startTls == nil
        startTlsOnConnect = startTls
        openMode = .readWrite
        stage = .lookup(
            route.map { HostLookup(host: $0.proxy.host, port: $0.proxy.port, protocol: .any) }
                ?? HostLookup(host: host, port: port, protocol: family))
        setState(.hostLookup)
    }

    /// Takes over a connected descriptor (`setSocketDescriptor`), for example an accepted one; the socket owns it from now on.
    ///
    /// - Parameter openMode: for what the device is open. Qt's state is not asked for: the descriptor has to be connected.
    /// - Returns: false, with ``error`` set and the descriptor untouched, when the socket is in use or the descriptor is no connected stream socket;
    ///   false too when the system refuses a socket option on it, which closes it.
    @discardableResult
    public func setSocketDescriptor(_ descriptor: Int32, openMode: SslOpenMode = .readWrite) -> Bool {
        guard !openMode.isEmpty, openMode.isSubset(of: .readWrite) else {
            report(SslSocketError(.invalidUserData, "A socket is open for reading, writing or both"))
            return false
        }
        guard state == .unconnected else {
            report(SslSocketError(.operation, "The socket is already connecting or connected: close it first"))
            return false
        }
        do throws(SslSocketError) {
            let adopted = try SocketDescriptor.adopt(fd: descriptor)
            for (option, value) in socketOptions { try adopted.set(option, to: value) }
            reset()
            self.openMode = openMode
            opened(adopted)
            return true
        } catch {
            report(error)
            return false
        }
    }

    /// Begins a client handshake on a connected, plain socket (`startClientEncryption`), for example after STARTTLS.
    ///
    /// Octets that were received and not read by then are refused with ``SslSocketError/Code/unexpectedPlaintext``: an attacker may have
    /// slipped them in before the encryption (RFC 3207 section 6).
    public func startClientEncryption() { startEncryption(.sslClient) }

    /// Begins a server handshake on a connected, plain socket (`startServerEncryption`).
    public func startServerEncryption() { startEncryption(.sslServer) }

    /// Begins a server handshake whose configuration is chosen when the ClientHello is there.
    public func startServerEncryption(choosing choose: @escaping (SslSocket, SslClientHello) -> SslClientHelloChoice) {
        clientHelloHook = choose
        startEncryption(.sslServer)
    }

    private func startEncryption(_ mode: SslMode) {
        guard canStartEncryption() else { return }
        guard incoming.isEmpty else {
            fail(
                SslSocketError(
                    .unexpectedPlaintext,
                    "\(incoming.count) octets of plain text were left over at the switch to TLS; they may have been slipped in by an attacker"
                ))
            return
        }
        let epoch = epoch
        if beginEncryption(mode), epoch == self.epoch { pushOut() }
    }

    /// Encryption may begin now; otherwise it says why not.
    func canStartEncryption() -> Bool {
        guard case .open = stage, state == .connected else {
            report(SslSocketError(.operation, "Encryption can begin only on a connected socket"))
            return false
        }
        guard connection == nil else {
            report(SslSocketError(.operation, "Encryption has begun already"))
            return false
        }
        // Octets that a transaction has read would come back as if they had been encrypted.
        guard !incoming.isInTransaction else {
            report(SslSocketError(.operation, "Encryption cannot begin in a transaction: commit it or roll it back first"))
            return false
        }
        return true
    }

    /// Makes the TLS connection, if connecting did not, and sends a client's first flight. False when the configuration does not allow it.
    func beginEncryption(_ mode: SslMode) -> Bool {
        let epoch = epoch
        sslHandshakeErrors = []
        do throws(SslSocketError) {
            // What was written before in plain text leaves in plain text, first.
            output.drain()
            output.sendsAtOnce = true
            accountForPlainOutput()
            if connection == nil {
                connection =
                    mode == .sslClient
                    ? try TlsConnection(
                        clientTo: peerVerifyName ?? peerName, port: namedPort, configuration: sslConfiguration,
                        preSharedKeys: preSharedKeyHooks, credentials: clientCredentialsChoice)
                    : try TlsConnection(
                        server: sslConfiguration, asksAboutClientHello: clientHelloHook != nil, preSharedKeys: preSharedKeyHooks)
            }
            self.mode = mode
            let outer = isInTransition
            isInTransition = true
            emit(.modeChanged, mode)
            guard epoch == self.epoch else { return false }
            isInTransition = outer
            unsafe workIn(.empty)
            return epoch == self.epoch
        } catch {
            fail(error)
            return false
        }
    }

    /// Forgets the previous connection; settings and the name to verify stay.
    func reset() {
        epoch += 1
        error = nil
        mode = .unencrypted
        connection = nil
        route = nil
        isEncrypted = false
        hasBeenEncrypted = false
        sslHandshakeErrors = []
        sessionTicket = nil
        ignoreRules = IgnoreRules()
        incoming.removeAll()
        output.reset()
        mayReceive = false
        isThrottled = false
        plainOutput = 0
        endReason = nil
        hasHangup = false
        isReadFinished = false
        isReadChannelFinished = false
        decision = .none
        isDisconnecting = false
        hasToDisconnect = false
        isClosed = false
        isFailing = false
        isInTransition = false
        hasLostOutput = false
        hasUnannouncedData = false
        unannouncedWritten = 0
        totalWritten = 0
        startsEncryptionOnConnect = false
        startTlsOnConnect = nil
        opening = nil
    }

    func setState(_ new: SslSocketState) {
        guard new != state else { return }
        state = new
        emit(.stateChanged, new)
    }

    /// Keeps the error of a call that failed or made no sense, and announces it; the connection goes on.
    ///
    /// Not from within a slot of errorOccurred, which would then call itself for ever; the error it was called for stays.
    func report(_ error: SslSocketError) {
        guard isTellingError else { return tell(error) }
        if self.error == nil { self.error = error }
    }

    /// Keeps the error that ends a connection, and announces it.
    func tell(_ error: SslSocketError) {
        self.error = error
        let outer = isTellingError
        isTellingError = true
        emit(.errorOccurred, error)
        isTellingError = outer
    }
}
