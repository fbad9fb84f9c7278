internal import SslValues

/// Connections that are shaking hands or waiting to be handed out, at most so many.
final class AcceptQueue: Sendable {
    /// A socket on its way from the task that shook hands to the task that serves: nobody else refers to it.
    private struct Parcel: @unchecked Sendable { let socket: SslSocket }
    private enum Outcome: Sendable {
        case socket(Parcel)
        case failed(SslSocketError)
    }
    private struct State {
        var ready: [Parcel] = []
        var running = 0
        var waiting: [(id: Int, resume: CheckedContinuation<Outcome, Never>)] = []
        var nextId = 0
        var cancelled: Set<Int> = []
        var roomWaiter: CheckedContinuation<Bool, Never>?
        var failure: SslSocketError?
    }
    private let state = Lock(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Suspends until one more connection may begin. False when the queue is closed.
    func hasRoom() async -> Bool {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state -> Bool? in
                if state.failure != nil { return false }
                if state.running + state.ready.count < limit { return true }
                state.roomWaiter = continuation
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    /// A handshake has begun.
    func begin() { state.withLock { $0.running += 1 } }

    /// A handshake has ended, with a socket or without.
    func finish(_ socket: sending SslSocket?) {
        let parcel = socket.map { Parcel(socket: $0) }
        let (taker, room) = state.withLock { state -> (CheckedContinuation<Outcome, Never>?, CheckedContinuation<Bool, Never>?) in
            state.running -= 1
            guard let parcel else { return (nil, Self.takeRoom(&state)) }
            if state.waiting.isEmpty {
                state.ready.append(parcel)
                return (nil, nil)
            }
            return (state.waiting.removeFirst().resume, Self.takeRoom(&state))
        }
        if let taker = taker, let parcel { taker.resume(returning: .socket(parcel)) }
        room?.resume(returning: true)
    }

    private static func takeRoom(_ state: inout State) -> CheckedContinuation<Bool, Never>? {
        defer { state.roomWaiter = nil }
        return state.roomWaiter
    }

    /// No connection will come any more, for this reason.
    func fail(_ error: SslSocketError) {
        let (waiting, room) = state.withLock { state in
            defer {
                state.waiting = []
                state.ready = []
            }
            if state.failure == nil { state.failure = error }
            return (state.waiting, Self.takeRoom(&state))
        }
        for waiter in waiting { waiter.resume.resume(returning: .failed(error)) }
        room?.resume(returning: false)
    }

    /// The server was closed.
    func close() { fail(SslSocketError(.operation, "The server was closed")) }

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
        let (now, room) = state.withLock { state -> (Outcome?, CheckedContinuation<Bool, Never>?) in
            if state.cancelled.remove(id) != nil { return (.failed(Self.cancellation), nil) }
            if !state.ready.isEmpty { return (.socket(state.ready.removeFirst()), Self.takeRoom(&state)) }
            if let failure = state.failure { return (.failed(failure), nil) }
            state.waiting.append((id, continuation))
            return (nil, nil)
        }
        room?.resume(returning: true)
        if let now = now { continuation.resume(returning: now) }
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
