/// Which containers are asked about: each once at a time, a few at a time, in their order. Those that are asked about
/// again, as the daemon has said nothing of them, come last and never take all places, for the others' sake.
struct DockerInspections {
    private var numbersCount = 0
    /// The number of the last question about each container.
    private var latest: [String: Int] = [:]
    private var waiting: [(id: String, number: Int)] = []
    private var running: [Int: ControlRequest] = [:]
    /// Those to be asked about again.
    private var retries: [(id: String, number: Int)] = []
    /// The numbers of these, from when they wait until they have their answers.
    private var retryNumbers: Set<Int> = []
    private var retriesRunningCount = 0

    /// A container is to be asked about, or again if it is being. Returns false if there are too many. With `isRetry`
    /// it comes after all others, and is not asked about if it is, or will be.
    mutating func add(_ id: String, isRetry: Bool = false) -> Bool {
        if let number = latest[id], isRetry || running[number] == nil && !retryNumbers.contains(number) { return true }
        guard latest.count < Limits.containersMax || latest[id] != nil else { return false }
        // Those that were forgotten meanwhile must not gather.
        if waiting.count >= 2 * Limits.containersMax { waiting.removeAll { [latest] in latest[$0.id] != $0.number } }
        if retries.count >= 2 * Limits.containersMax {
            for retry in retries where latest[retry.id] != retry.number { retryNumbers.remove(retry.number) }
            retries.removeAll { [latest] in latest[$0.id] != $0.number }
        }
        numbersCount += 1
        latest[id] = numbersCount
        if isRetry {
            retries.append((id, numbersCount))
            retryNumbers.insert(numbersCount)
        } else {
            waiting.append((id, numbersCount))
        }
        return true
    }

    /// The next question that may be asked now.
    mutating func next() -> (id: String, number: Int)? {
        while running.count < Limits.containerQuestionsMax, !waiting.isEmpty {
            let next = waiting.removeFirst()
            if latest[next.id] == next.number { return next }
        }
        while running.count < Limits.containerQuestionsMax, retriesRunningCount < Limits.containerRetriesMax,
            !retries.isEmpty
        {
            let next = retries.removeFirst()
            if latest[next.id] == next.number { return next }
            retryNumbers.remove(next.number)
        }
        return nil
    }

    /// The question of this number is being asked.
    mutating func began(_ number: Int, _ request: ControlRequest) {
        running[number] = request
        if retryNumbers.contains(number) { retriesRunningCount += 1 }
    }

    /// The question of this number has its answer. Returns whether that is the last word on the container.
    mutating func ended(_ id: String, _ number: Int) -> Bool {
        if running.removeValue(forKey: number) != nil, retryNumbers.remove(number) != nil { retriesRunningCount -= 1 }
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
        (retries, retryNumbers, retriesRunningCount) = ([], [], 0)
    }
}
