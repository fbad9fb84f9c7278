/// The deadlines of registrations, the earliest first: a binary heap in which each registration stands at most once.
struct DeadlineQueue {
    private var heap: [(deadline: Deadline, id: UInt64)] = []
    /// Where in the heap a registration stands.
    private var places: [UInt64: Int] = [:]

    /// How many registrations have a deadline here.
    var count: Int { heap.count }
    /// The earliest deadline.
    var next: Deadline? { heap.first?.deadline }

    /// Sees to it that the registration is due at `deadline` at the latest. True when that is now the earliest of all.
    mutating func insert(_ deadline: Deadline, _ id: UInt64) -> Bool {
        if let place = places[id] {
            guard deadline < heap[place].deadline else { return false }
            heap[place].deadline = deadline
            return rise(place) == 0
        }
        heap.append((deadline, id))
        places[id] = heap.count - 1
        return rise(heap.count - 1) == 0
    }

    /// Forgets a registration.
    mutating func remove(_ id: UInt64) {
        guard let place = places.removeValue(forKey: id) else { return }
        let last = heap.removeLast()
        guard place < heap.count else { return }
        heap[place] = last
        places[last.id] = place
        sink(rise(place))
    }

    /// Takes out all that are due at `now`.
    mutating func takeDue(_ now: MonotonicTime) -> [UInt64] {
        var due: [UInt64] = []
        while let first = heap.first, first.deadline.isDue(at: now) {
            due.append(first.id)
            remove(first.id)
        }
        return due
    }

    /// Moves an entry towards the top until it is in order, and returns where it is then.
    private mutating func rise(_ start: Int) -> Int {
        var place = start
        while place > 0, heap[place].deadline < heap[(place - 1) / 2].deadline {
            exchange(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
        return place
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            let left = 2 * place + 1
            guard left < heap.count else { return }
            let smaller = left + 1 < heap.count && heap[left + 1].deadline < heap[left].deadline ? left + 1 : left
            guard heap[smaller].deadline < heap[place].deadline else { return }
            exchange(place, smaller)
            place = smaller
        }
    }

    private mutating func exchange(_ a: Int, _ b: Int) {
        heap.swapAt(a, b)
        places[heap[a].id] = a
        places[heap[b].id] = b
    }
}
