/// What a socket says to whoever connected a slot, synchronously, in the isolation that drives the socket.
///
/// A slot gets the socket as its first argument, so that nobody needs to capture it in a cycle. Calling close, abort, connect or
/// anything else of the socket inside a slot is safe.
public struct Signal<Sender: AnyObject, Payload> {
    let slots: SlotList<Payload, Sender>

    /// Connects a slot and returns the handle to disconnect it with.
    @discardableResult
    public func connect(_ slot: @escaping (Sender, Payload) -> Void) -> SignalConnection {
        SignalConnection(slots.add(slot))
    }
}

extension Signal where Payload == Void {
    /// Connects a slot without a payload.
    @discardableResult
    public func connect(_ slot: @escaping (Sender) -> Void) -> SignalConnection { connect { sender, _ in slot(sender) } }
}

/// Disconnects one slot.
public struct SignalConnection {
    private let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
    /// Disconnects: the slot is not called any more, not even by an emission that is under way. Within the slot itself it is allowed, and
    /// twice is harmless.
    public func disconnect() { body() }
}

/// The slots of one signal.
final class SlotList<Payload, Sender: AnyObject> {
    private final class Slot {
        let call: (Sender, Payload) -> Void
        var isConnected = true
        init(_ call: @escaping (Sender, Payload) -> Void) { self.call = call }
    }
    private var slots: [Slot] = []

    /// Adds a slot and returns what takes it out again.
    func add(_ call: @escaping (Sender, Payload) -> Void) -> () -> Void {
        let slot = Slot(call)
        slots.append(slot)
        return { [weak self, weak slot] in
            guard let slot else { return }
            slot.isConnected = false
            self?.slots.removeAll { $0 === slot }
        }
    }

    var isEmpty: Bool { slots.isEmpty }

    /// Calls the slots that are connected now, in order of connection, but for those that are disconnected meanwhile.
    func emit(_ sender: Sender, _ payload: Payload) {
        for slot in slots where slot.isConnected { slot.call(sender, payload) }
    }
}

/// The slots of all signals of one object, by name; made when the first slot is connected, so that unused signals cost nothing.
final class SignalTable {
    private var lists: [StaticKey: AnyObject] = [:]
    typealias StaticKey = SslSocketSignal

    func list<Payload>(_ key: StaticKey) -> SlotList<Payload, SslSocket> {
        if let known = lists[key] as? SlotList<Payload, SslSocket> { return known }
        let fresh = SlotList<Payload, SslSocket>()
        lists[key] = fresh
        return fresh
    }

    /// True when somebody listens.
    func hasSlots<Payload>(_ key: StaticKey, of type: Payload.Type) -> Bool {
        (lists[key] as? SlotList<Payload, SslSocket>)?.isEmpty == false
    }

    func emit<Payload>(_ key: StaticKey, _ sender: SslSocket, _ payload: Payload) {
        (lists[key] as? SlotList<Payload, SslSocket>)?.emit(sender, payload)
    }
}

/// The signals of a socket.
enum SslSocketSignal {
    case hostFound, connected, disconnected, stateChanged, errorOccurred, readyRead, bytesWritten, aboutToClose,
        readChannelFinished, proxyAuthenticationRequired
    case encrypted, modeChanged, encryptedBytesWritten, peerVerifyError, sslErrors, handshakeInterruptedOnError, alertSent,
        alertReceived,
        newSessionTicketReceived, preSharedKeyAuthenticationRequired, keysUpdated,
        clientCertificateRequested, clientAuthenticated
}
