import Core

@testable import Routing

/// A group of targets under load in virtual time: the balancers are the real ones, two workers share the cells, and a
/// seed decides everything else.
///
/// A target has threads that serve one request after the other; what finds none free waits in line. Clients come at
/// random and wait for as long as it takes.
struct BalancerSimulation {
    /// What one target is like.
    struct TargetModel {
        /// Requests that it serves at once.
        var threads = 4
        /// What a request takes on the average, in milliseconds.
        var serviceMilliseconds = 40.0
        /// The share of requests that it fails, each in a millisecond.
        var failureShare = 0.0
        var weight = 1
        /// When it joins the group, in seconds.
        var joinsAt = 0.0
        /// How many times longer a request takes when it joins; that falls to 1 in 30 seconds.
        var coldness = 1.0
        /// When it works as its first neighbour does, in seconds.
        var recoversAt = Double.infinity
    }

    /// What happened.
    struct Outcome {
        /// Requests of each target, in the time that is looked at.
        var counts: [Int]
        /// What answers took, ascending, in microseconds.
        var latencies: [UInt64] = []
        var failures = 0
        /// The most that was in flight on each target.
        var peaks: [Int]

        /// The share of a target, in percent.
        func share(_ target: Int) -> Double { 100 * Double(counts[target]) / Double(max(1, counts.reduce(0, +))) }
        /// The share of requests that failed, in percent.
        var failed: Double { 100 * Double(failures) / Double(max(1, counts.reduce(0, +))) }
        /// What all but one in a hundred answers took, in milliseconds.
        var p99: Int {
            latencies.isEmpty ? 0 : Int(latencies[latencies.count * 99 / 100] / 1000)
        }
    }

    private struct Completion {
        let at: UInt64
        let target: Int
        let worker: Int
        let beganAt: UInt64
        let isFailure: Bool
    }

    private struct Worker {
        var balancer: Balancer
        let targets: [BalancedTarget]
        var epoch: UInt64
    }

    private let models: [TargetModel]
    private let algorithm: BalancingAlgorithm
    private let slowStart: Nanoseconds
    private let cells: [TargetCell]
    private let group = GroupCell()
    private var workers: [Worker] = []
    private var freeAt: [[UInt64]]
    private var completions: [Completion] = []
    private var anomalies: [AnomalyDetection.Target]
    private var counts: [AttemptCounts]
    private var random: FastRandom

    private static let start: UInt64 = 1_000_000_000_000
    /// Quantiles of the exponential distribution, in thousandths of its mean.
    private static let quantiles: [UInt64] = (0..<256).map { index in
        // ln by its series, so that every machine computes the same: -ln(1 - x) is the sum of x^k / k.
        let rest = 1 - (Double(index) + 0.5) / 256
        var (value, halvings) = (rest, 0.0)
        while value < 0.5 { (value, halvings) = (value * 2, halvings + 1) }
        var (sum, power) = (0.0, 1.0)
        for exponent in 1...60 {
            power *= 1 - value
            sum += power / Double(exponent)
        }
        return UInt64((sum + halvings * 0.693_147_180_559_945_3) * 1000)
    }

    /// Targets of these models, which the algorithm picks among.
    init(_ models: [TargetModel], _ algorithm: BalancingAlgorithm, slowStart: Nanoseconds = 0, seed: UInt64 = 1) {
        self.models = models
        self.algorithm = algorithm
        self.slowStart = slowStart
        cells = models.map { _ in TargetCell() }
        freeAt = models.map { Array(repeating: 0, count: $0.threads) }
        anomalies = models.map { _ in AnomalyDetection.Target() }
        counts = models.map { _ in AttemptCounts() }
        random = FastRandom(seed: seed)
        for (cell, model) in zip(cells, models) where model.joinsAt == 0 { cell.isHealthy = true }
        for worker in 0..<2 {
            let targets = zip(cells, models).map { cell, model in
                let target = BalancedTarget(cell)
                target.adopt(weight: model.weight, algorithm, in: group)
                return target
            }
            let balancer = Balancer(algorithm, targets: targets, seed: worker)
            workers.append(Worker(balancer: balancer, targets: targets, epoch: group.epoch))
        }
    }

    /// Lets clients come for so many seconds, `rate` of them in each on the average, and tells what happened from
    /// `from` on.
    mutating func run(seconds: Double, rate: Double, from: Double = 0, keys: Int = 1000) -> Outcome {
        var outcome = Outcome(counts: models.map { _ in 0 }, peaks: models.map { _ in 0 })
        var (now, end) = (Self.start, Self.start + UInt64(seconds * 1e9))
        var nextLook = Self.start + Limits.anomalyInterval
        let gap = UInt64(1e9 / rate)
        while true {
            now += exponential(gap)
            if now >= end { break }
            complete(until: now)
            join(at: now)
            while nextLook <= now {
                look()
                nextLook += Limits.anomalyInterval
            }
            // A few keys are asked for often, and many seldom.
            let key = min(random.next(below: keys), random.next(below: keys))
            request(key, at: now, isCounted: now >= Self.start + UInt64(from * 1e9), &outcome)
        }
        end = now
        complete(until: .max)
        outcome.latencies.sort()
        return outcome
    }

    private mutating func request(_ key: Int, at now: UInt64, isCounted: Bool, _ outcome: inout Outcome) {
        let index = random.next(below: workers.count)
        if workers[index].epoch != group.epoch {
            workers[index].epoch = group.epoch
            workers[index].balancer.rebuild(workers[index].targets)
        }
        var hash = FlowHash()
        hash.add(UInt64(key))
        let request = PickRequest(
            hash: hash.value, tried: [], mayTrySuspect: false, now: Instant(nanoseconds: now))
        guard let target = workers[index].balancer.pick(request, from: workers[index].targets) else { return }
        workers[index].targets[target].began()
        outcome.peaks[target] = max(outcome.peaks[target], workers.reduce(0) { $0 + $1.targets[target].inFlight })
        let (end, isFailure) = serve(target, at: now)
        push(Completion(at: end, target: target, worker: index, beganAt: now, isFailure: isFailure))
        guard isCounted else { return }
        outcome.counts[target] += 1
        outcome.latencies.append((end - now) / 1000)
        if isFailure { outcome.failures += 1 }
    }

    /// When the target will have answered, and whether with an error.
    private mutating func serve(_ target: Int, at now: UInt64) -> (UInt64, isFailure: Bool) {
        let isRecovered = Double(now - Self.start) >= models[target].recoversAt * 1e9
        let model = isRecovered ? models[0] : models[target]
        if random.next(below: 1000) < Int(model.failureShare * 1000) { return (now + 1_000_000, true) }
        if isRecovered {
            for thread in freeAt[target].indices { freeAt[target][thread] = min(freeAt[target][thread], now) }
        }
        let warmth = min(1, max(0, (Double(now - Self.start) / 1e9 - model.joinsAt) / 30))
        let mean = model.serviceMilliseconds * (model.coldness + (1 - model.coldness) * warmth)
        let thread = freeAt[target].indices.min { freeAt[target][$0] < freeAt[target][$1] } ?? 0
        let end = max(now, freeAt[target][thread]) + max(1000, exponential(UInt64(mean * 1e6)))
        freeAt[target][thread] = end
        return (end, false)
    }

    private mutating func exponential(_ mean: UInt64) -> UInt64 {
        mean / 1000 * Self.quantiles[random.next(below: Self.quantiles.count)]
    }

    /// What control does when a target becomes healthy.
    private func join(at now: UInt64) {
        for (cell, model) in zip(cells, models) where !cell.isHealthy {
            guard Double(now - Self.start) >= model.joinsAt * 1e9 else { continue }
            if slowStart > 0 { cell.beginSlowStart(now: Instant(nanoseconds: now)) }
            cell.isHealthy = true
            group.flip()
        }
    }

    /// What control does every five seconds.
    private mutating func look() {
        for (index, cell) in cells.enumerated() {
            anomalies[index].count(cell.load.counts.since(counts[index]))
            counts[index] = cell.load.counts
        }
        AnomalyDetection.look(at: &anomalies, mitigates: true)
        for (index, cell) in cells.enumerated() { cell.share = anomalies[index].share }
        group.flip()
    }

    // MARK: Requests in flight

    private mutating func complete(until now: UInt64) {
        while let first = completions.first, first.at <= now {
            pop()
            let target = workers[first.worker].targets[first.target]
            var outcome = AttemptOutcome(.answered, duration: first.at - first.beganAt)
            outcome.isServerError = first.isFailure
            target.note(outcome, now: Instant(nanoseconds: first.at))
            target.ended()
        }
    }

    private mutating func push(_ completion: Completion) {
        completions.append(completion)
        var place = completions.count - 1
        while place > 0, completions[place].at < completions[(place - 1) / 2].at {
            completions.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func pop() {
        completions.swapAt(0, completions.count - 1)
        completions.removeLast()
        var place = 0
        while 2 * place + 1 < completions.count {
            var least = 2 * place + 1
            if least + 1 < completions.count, completions[least + 1].at < completions[least].at { least += 1 }
            guard completions[least].at < completions[place].at else { return }
            completions.swapAt(place, least)
            place = least
        }
    }
}
