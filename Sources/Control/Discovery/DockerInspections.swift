/// Which containers are asked about: each once at a time, a few at a time, in their order.
struct DockerInspections {
    private var numbersCount = 0
    /// The number of the last question about each container.
    private var latest: [String: Int] = [:]
    private var waiting: [(id: String, number: Int)] = []
    private var running: [Int: ControlRequest] = [:]

    /// A container is to be asked about, or again if it is being. Returns false if there are too many.
    mutating func add(_ id: String) -> Bool {
        if let number = latest[id], running[number] == nil { return true }
        guard latest.count < Limits.containersMax || latest[id] != nil else { return false }
        // Those that were forgotten meanwhile must not gather.
        if waiting.count >= 2 * Limits.containersMax { waiting.removeAll { [latest] in latest[$0.id] != $0.number } }
        numbersCount += 1
        latest[id] = numbersCount
        waiting.append((id, numbersCount))
        return true
    }

    /// The next question that may be asked now.
    mutating func next() -> (id: String, number: Int)? {
        while running.count < Limits.containerQuestionsMax, !waiting.isEmpty {
            let next = waiting.removeFirst()
            if latest[next.id] == next.number { return next }
        }
        return nil
    }

    /// The question of this number is being asked.
    mutating func began(_ number: Int, _ request: ControlRequest) { running[number] = request }

    /// The question of this number has its answer. Returns whether that is the last word on the container.
    mutating func ended(_ id: String, _ number: Int) -> Bool {
        running[number] = nil
        guard latest[id] == number else { return false }
        latest[id] = nil
        return true
    }

    /// What is said of the container from now on is out of date.
    mutating func forget(_ id: String) { latest[id] = nil }

    /// Whether it is asked about, or will be.
    func has(_ id: String) -> Bool { latest[id] != nil }

    /// Nothing is asked any more.
    mutating func cancel() {
        for request in running.values { request.cancel() }
        (latest, waiting, running) = ([:], [], [:])
    }
}
