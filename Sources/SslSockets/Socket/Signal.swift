/// What a socket says to whoever connected a slot, synchronously, in the isolation that drives the socket.
///
/// A slot gets the socket as its first argument, so that nobody needs to capture it in a cycle. Calling close, abort, connect or
/// anything else of the socket inside a slot is safe.
public struct Signal<Sender: AnyObject, Payload> {
    let slots: SlotList<Payload, Sender>

    /// Connects a slot and returns the handle to disconnect it with.
    @discardableResult
    public func connect(_ slot: @escaping (Sender, Payload) -> Void) -> SignalConnection {
        let id = slots.add(slot)
        return SignalConnection { [weak slots] in slots?.remove(id) }
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
    /// Disconnects; a slot that is running ends first. Doing it twice is harmless.
    public func disconnect() { body() }
}

/// The slots of one signal.
final class SlotList<Payload, Sender: AnyObject> {
    private var slots: [(id: Int, call: (Sender, Payload) -> Void)] = []
    private var next = 0

    func add(_ slot: @escaping (Sender, Payload) -> Void) -> Int {
        next += 1
        slots.append((next, slot))
        return next
    }

    func remove(_ id: Int) { slots.removeAll { $0.id == id } }

    /// Calls the slots that are connected now, in order of connection.
    func emit(_ sender: Sender, _ payload: Payload) {
        for slot in slots { slot.call(sender, payload) }
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

    func emit<Payload>(_ key: StaticKey, _ sender: SslSocket, _ payload: Payload) {
        (lists[key] as? SlotList<Payload, SslSocket>)?.emit(sender, payload)
    }
}

/// The signals of a socket.
enum SslSocketSignal {
    case hostFound, connected, disconnected, stateChanged, errorOccurred, readyRead, bytesWritten, aboutToClose,
        readChannelFinished, proxyAuthenticationRequired
    case encrypted, modeChanged, encryptedBytesWritten, peerVerifyError, sslErrors, alertSent, alertReceived,
        newSessionTicketReceived
}
