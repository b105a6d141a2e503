import Core
import Foundation
import Testing

@testable import Routing

/// What users care about, of each algorithm, in a simulated group of ten targets: and the table of docs/balancing.md.
@Suite struct BalancerSimulationTests {
    typealias Model = BalancerSimulation.TargetModel

    /// One algorithm as a user configures it.
    struct Setting: Sendable, CustomTestStringConvertible {
        let name: String
        var slowStart: Nanoseconds = 0
        let make: @Sendable (_ weights: [Int]) -> BalancingAlgorithm
        var testDescription: String { name }
    }

    static let roundRobin = Setting(name: "round_robin") { _ in .roundRobin(slowStart: 0) }
    static let slowStart = Setting(name: "round_robin, slow start of 30 s", slowStart: 30_000_000_000) { _ in
        .roundRobin(slowStart: 30_000_000_000)
    }
    static let leastOutstanding = Setting(name: "least_outstanding_requests") { _ in .leastOutstanding }
    static let weightedRandom = Setting(name: "weighted_random, anomaly mitigation") { _ in .weightedRandom }
    static let leastLatency = Setting(name: "apus.least_latency") { _ in .leastLatency }
    static let consistentHash = Setting(name: "apus.consistent_hash") { weights in
        let keys = weights.indices.map { index in
            var hash = FlowHash()
            hash.add(UInt64(index))
            return hash.value
        }
        return .consistentHash(MaglevTable(keys: keys, weights: weights), boundPercent: 125)
    }
    static let all = [roundRobin, slowStart, leastOutstanding, weightedRandom, leastLatency, consistentHash]

    /// Ten targets that have twice the room that is needed, and the last of them as a test says.
    private func run(
        _ setting: Setting, last: Model = Model(), seconds: Double = 30, from: Double = 0, seed: UInt64 = 1
    ) -> BalancerSimulation.Outcome {
        let models = Array(repeating: Model(), count: 9) + [last]
        let algorithm = setting.make(models.map(\.weight))
        var simulation = BalancerSimulation(models, algorithm, slowStart: setting.slowStart, seed: seed)
        return simulation.run(seconds: seconds, rate: 500, from: from)
    }

    private static let slow = Model(serviceMilliseconds: 400)
    private static let failing = Model(failureShare: 0.5)
    private static let cold = Model(joinsAt: 1, coldness: 8)

    @Test(arguments: all) func equalTargetsShareEqually(_ setting: Setting) {
        let outcome = run(setting)
        let tolerance = setting.name == Self.consistentHash.name ? 4.0 : 1.5
        for target in 0..<10 { #expect(abs(outcome.share(target) - 10) < tolerance, "\(outcome.counts)") }
    }

    @Test(arguments: all) func sharesFollowWeights(_ setting: Setting) {
        let models = [1, 2, 4, 0].map { weight in
            var model = Model(threads: 60)
            model.weight = weight
            return model
        }
        var simulation = BalancerSimulation(models, setting.make(models.map(\.weight)), slowStart: setting.slowStart)
        let outcome = simulation.run(seconds: 20, rate: 500)
        #expect(outcome.counts[3] == 0)
        // What is in flight comes in whole requests, of which a light target has few.
        let isExact = [Self.roundRobin.name, Self.slowStart.name, Self.weightedRandom.name].contains(setting.name)
        let tolerance = isExact ? 0.1 : 0.25
        for (target, part) in [(0, 100.0 / 7), (1, 200.0 / 7), (2, 400.0 / 7)] {
            #expect(abs(outcome.share(target) / part - 1) < tolerance, "\(outcome.counts)")
        }
    }

    /// Who looks at what is in flight leaves a slow target alone, and yet does not forget it.
    @Test(arguments: 1...2 as ClosedRange<UInt64>) func aSlowTargetDoesNotDecide(seed: UInt64) {
        let turns = run(Self.roundRobin, last: Self.slow, seed: seed)
        for setting in [Self.leastOutstanding, Self.leastLatency, Self.consistentHash] {
            let outcome = run(setting, last: Self.slow, seed: seed)
            #expect(outcome.p99 * 3 < turns.p99, "\(setting.name): \(outcome.p99) ms, and \(turns.p99) ms in turns")
            #expect(outcome.share(9) < 5 && outcome.counts[9] > 0)
        }
        let latency = run(Self.leastLatency, last: Self.slow, seed: seed)
        let outstanding = run(Self.leastOutstanding, last: Self.slow, seed: seed)
        #expect(latency.p99 < outstanding.p99, "\(latency.p99) ms and \(outstanding.p99) ms")
    }

    /// A target that fails at once has nothing in flight, which makes it look idle.
    @Test(arguments: 1...2 as ClosedRange<UInt64>) func aFailingTargetIsFound(seed: UInt64) {
        let turns = run(Self.roundRobin, last: Self.failing, seconds: 60, from: 30, seed: seed)
        for setting in [Self.weightedRandom, Self.leastLatency] {
            let outcome = run(setting, last: Self.failing, seconds: 60, from: 30, seed: seed)
            #expect(outcome.failed * 3 < turns.failed, "\(setting.name): \(outcome.failed) % failed")
            #expect(outcome.counts[9] > 0, "it is asked now and then whether it has recovered")
        }
    }

    /// A cold target that joins is not overrun, and gets its share in the end.
    @Test(arguments: 1...2 as ClosedRange<UInt64>) func aNewTargetWarmsUp(seed: UInt64) {
        let turns = run(Self.roundRobin, last: Self.cold, seed: seed)
        for setting in [Self.slowStart, Self.leastOutstanding, Self.leastLatency] {
            let outcome = run(setting, last: Self.cold, seed: seed)
            #expect(outcome.p99 * 2 < turns.p99, "\(setting.name): \(outcome.p99) ms, and \(turns.p99) ms in turns")
            let later = run(setting, last: Self.cold, seconds: 60, from: 40, seed: seed)
            #expect(later.share(9) > 8 && later.share(9) < 12, "\(setting.name): \(later.share(9)) %")
        }
    }

    /// A slow start is linear: half of it is a quarter of what it would be at once.
    @Test func aSlowStartIsLinear() {
        var model = Model()
        model.joinsAt = 1
        let (half, whole) = (
            run(Self.slowStart, last: model, seconds: 16, from: 1),
            run(Self.slowStart, last: model, seconds: 31, from: 1)
        )
        #expect(abs(half.share(9) - 2.6) < 0.6, "\(half.share(9)) %")
        #expect(abs(whole.share(9) - 5.2) < 0.8, "\(whole.share(9)) %")
    }

    /// No target starves for what it was once.
    @Test(arguments: 1...2 as ClosedRange<UInt64>) func whoRecoversIsUsedAgain(seed: UInt64) {
        var slow = Self.slow, failing = Self.failing
        slow.recoversAt = 20
        failing.recoversAt = 20
        for (setting, last) in [
            (Self.leastLatency, slow), (Self.leastLatency, failing), (Self.weightedRandom, failing),
            (Self.leastOutstanding, slow),
        ] {
            let outcome = run(setting, last: last, seconds: 150, from: 120, seed: seed)
            #expect(outcome.share(9) > 7, "\(setting.name): \(outcome.share(9)) %")
        }
    }

    /// What is asked for most does not make one target busier than its bound.
    @Test func aHotKeyIsSpread() {
        let models = Array(repeating: Model(), count: 10)
        let algorithm = Self.consistentHash.make(models.map(\.weight))
        var one = BalancerSimulation(models, algorithm)
        let hot = one.run(seconds: 20, rate: 500, keys: 3)
        #expect(hot.counts.allSatisfy { $0 > 0 })
        #expect(hot.share(hot.counts.firstIndex(of: hot.counts.max() ?? 0) ?? 0) < 25, "\(hot.counts)")
    }

    @Test func theSameSeedGivesTheSame() {
        let (one, other) = (run(Self.leastLatency, last: Self.slow), run(Self.leastLatency, last: Self.slow))
        #expect(one.counts == other.counts && one.latencies == other.latencies)
        #expect(run(Self.leastLatency, last: Self.slow, seed: 2).latencies != one.latencies)
    }

    // MARK: The page

    private func row(_ setting: Setting) -> String {
        let equal = run(setting)
        let slow = run(setting, last: Self.slow)
        let failing = run(setting, last: Self.failing, seconds: 60, from: 30)
        let cold = run(setting, last: Self.cold)
        let numbers = [
            "\(equal.p99) ms", "\(Self.text(slow.share(9))) %", "\(slow.p99) ms", "\(Self.text(failing.share(9))) %",
            "\(Self.text(failing.failed)) %", "\(Self.text(cold.share(9))) %", "\(cold.p99) ms",
        ]
        let (word, rest) = (setting.name.prefix { $0 != "," }, setting.name.drop { $0 != "," })
        return "| `\(word)`\(rest) | \(numbers.joined(separator: " | ")) |"
    }

    private static func text(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// docs/balancing.md shows what the balancers do now. If this fails after a change of theirs, look whether the new
    /// rows are what users want, and write them there.
    @Test func thePageShowsWhatIsSimulated() throws {
        let page = URL(filePath: #filePath).appending(path: "../../../../docs/balancing.md").standardized
        let text = try String(contentsOf: page, encoding: .utf8)
        for setting in Self.all {
            let row = row(setting)
            #expect(text.contains(row), "\(row)")
        }
    }
}
