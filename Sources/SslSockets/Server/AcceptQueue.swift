internal import SslValues

/// Encrypted connections that wait to be handed out, and tasks that wait for one.
final class AcceptQueue: Sendable {
    /// A socket on its way from the task that shook hands to the task that serves: nobody else refers to it.
    private struct Parcel: @unchecked Sendable {
        let socket: SslSocket
        let id: UInt64
    }
    private enum Outcome: Sendable {
        case socket(Parcel)
        case failed(SslSocketError)
    }
    private struct State {
        var ready: [Parcel] = []
        var waiting: [(id: Int, resume: CheckedContinuation<Outcome, Never>)] = []
        var nextId = 0
        var cancelled: Set<Int> = []
        var failure: SslSocketError?
    }
    private enum Place { case handedOut, queued, refused }

    private let state = Lock(State())
    private let ledger: ConnectionLedger

    init(_ ledger: ConnectionLedger) { self.ledger = ledger }

    // MARK: Putting in

    /// A handshake has succeeded. True when nobody waited for it.
    func put(_ socket: sending SslSocket, _ id: UInt64) -> Bool {
        let parcel = Parcel(socket: socket, id: id)
        let (place, taker) = state.withLock { state -> (Place, CheckedContinuation<Outcome, Never>?) in
            if state.failure != nil { return (.refused, nil) }
            if state.waiting.isEmpty {
                state.ready.append(parcel)
                return (.queued, nil)
            }
            return (.handedOut, state.waiting.removeFirst().resume)
        }
        if place != .queued { ledger.end(id) }
        taker?.resume(returning: .socket(parcel))
        return place == .queued
    }

    /// No connection will come any more, for this reason.
    func fail(_ error: SslSocketError) {
        let waiting = state.withLock { state in
            defer {
                state.waiting = []
                state.ready = []
            }
            if state.failure == nil { state.failure = error }
            return state.waiting
        }
        for waiter in waiting { waiter.resume.resume(returning: .failed(error)) }
    }

    /// The server was closed.
    func close() { fail(Listening.closed) }

    // MARK: Taking out

    /// Something is ready.
    var isEmpty: Bool { state.withLock { $0.ready.isEmpty } }

    /// A connection that is ready, at once.
    func takeReady() -> sending SslSocket? {
        guard let parcel = state.withLock({ $0.ready.isEmpty ? nil : $0.ready.removeFirst() }) else { return nil }
        ledger.end(parcel.id)
        return Self.open(parcel)
    }

    /// Suspends until a connection is ready.
    func next() async throws(SslSocketError) -> sending SslSocket {
        let id = state.withLock { state in
            state.nextId += 1
            return state.nextId
        }
        let isolation = #isolation
        let outcome = await withTaskCancellationHandler {
            _ = isolation
            return await withCheckedContinuation { continuation in take(id, continuation) }
        } onCancel: {
            cancel(id)
        }
        // Cancelled too late to matter.
        state.withLock { _ = $0.cancelled.remove(id) }
        switch outcome {
        case .socket(let parcel): return Self.open(parcel)
        case .failed(let error): throw error
        }
    }

    private static func open(_ parcel: Parcel) -> sending SslSocket {
        nonisolated(unsafe) let socket = parcel.socket
        return unsafe socket
    }

    private func take(_ id: Int, _ continuation: CheckedContinuation<Outcome, Never>) {
        let now = state.withLock { state -> Outcome? in
            if state.cancelled.contains(id) { return .failed(Self.cancellation) }
            if !state.ready.isEmpty { return .socket(state.ready.removeFirst()) }
            if let failure = state.failure { return .failed(failure) }
            state.waiting.append((id, continuation))
            return nil
        }
        guard let now = now else { return }
        if case .socket(let parcel) = now { ledger.end(parcel.id) }
        continuation.resume(returning: now)
    }

    private func cancel(_ id: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.waiting.remove(at: index).resume
        }
        waiter?.resume(returning: .failed(Self.cancellation))
    }

    private static var cancellation: SslSocketError {
        SslSocketError(.cancelled, "The task that waited for a connection was cancelled")
    }
}
