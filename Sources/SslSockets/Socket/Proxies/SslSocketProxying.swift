internal import SslBackend
internal import SslValues

// The way through a proxy, between TCP and the connection proper.
extension SslSocket {
    /// What an error on the way to the next stop means: through a proxy, that stop is the proxy.
    func blamed(_ error: SslSocketError) -> SslSocketError { route?.unreachable(error) ?? error }

    /// The name that was looked up is the host's own. With a proxy only an address needs no other lookup.
    var hasFoundHost: Bool { route.map { $0.target.address != nil && !$0.hasAsked } ?? true }

    /// The tunnel does not stand yet: whoever is slow is the proxy.
    var isOnWayToProxy: Bool {
        switch stage {
        case .idle, .open: false
        case .lookup, .connecting, .proxying: route != nil
        }
    }

    /// TCP to the proxy is up: asks it for the tunnel.
    func reachedProxy(_ descriptor: SocketDescriptor, _ route: ProxyRoute) {
        dropRegistration()
        descriptor.setNoDelay(true)
        let run = DialogueRun(route.dialogue, over: descriptor)
        stage = .proxying(run)
        talkToProxy(run)
    }

    /// Goes on with the proxy as far as it is possible now.
    func talkToProxy(_ run: DialogueRun) {
        switch run.progress() {
        case .waiting: return
        // What came after the proxy's answer is from the host: plain text or TLS, as its connection goes on.
        case .done: opened(run.descriptor, early: run.takeLeftover())
        case .needsCredentials(let realm, let keepsConnection): askForCredentials(realm, keepsConnection, run)
        case .ended: fail(SslSocketError(.proxyConnectionClosed, "The proxy closed the connection before the tunnel stood"))
        case .broken(let code):
            let error = IOErrors.receiving(code, from: route?.proxy.host ?? "")
            fail(SslSocketError(.proxyConnectionClosed, error.message, systemError: code))
        case .failed(let error): fail(error)
        }
    }

    /// Lets the slots of ``proxyAuthenticationRequired`` fill in what the proxy wants, once for each connection, and tries again.
    private func askForCredentials(_ realm: String, _ keepsConnection: Bool, _ run: DialogueRun) {
        guard var route else { return }
        let authenticator = SslAuthenticator(proxy: route.proxy, realm: realm)
        if !route.hasAsked {
            route.noteAsked()
            self.route = route
            let epoch = epoch
            emit(.proxyAuthenticationRequired, authenticator)
            guard epoch == self.epoch else { return }
        }
        guard authenticator.isFilledIn else {
            let wrong = route.proxy.user.isEmpty ? "wants user and password" : "does not accept user and password"
            return fail(SslSocketError(.proxyAuthenticationRequired, "The proxy \(route.proxy) \(wrong)"))
        }
        do throws(SslSocketError) {
            try route.take(authenticator)
        } catch {
            return fail(error)
        }
        self.route = route
        if keepsConnection {
            run.restart(with: route.dialogue)
            talkToProxy(run)
        } else {
            dropRegistration()
            run.descriptor.close()
            stage = .lookup(HostLookup(host: route.proxy.host, port: route.proxy.port, protocol: .any))
        }
    }
}
