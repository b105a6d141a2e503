import Core
import Foundation
import Testing

@testable import Routing

/// What a rollout decides, of groups that are alike and of groups that are not: and the table of docs/rollouts.md.
@Suite struct RolloutSimulationTests {
    typealias Model = RolloutSimulation.GroupModel

    /// Steps of 20 seconds, each ended by time, so that nothing but a false alarm keeps groups that are alike.
    private static func policy(_ steps: [Double] = [1, 5, 10, 25, 50, 100], seconds: Double = 20) -> RolloutPolicy {
        var policy = RolloutPolicy(
            steps: steps, stepTime: Nanoseconds(seconds: seconds),
            guards: [
                RolloutGuard(.errorShare, smallestEffect: 0.005),
                RolloutGuard(.latency(quantile: 0.99), smallestEffect: 0.2),
            ])
        policy.advance = .time
        policy.requestsMin = 0
        return policy
    }

    /// `ROLLOUTS=10000` for what docs/rollouts.md says.
    private static let runs = ProcessInfo.processInfo.environment["ROLLOUTS"].flatMap { Int($0) } ?? 40

    @Test(arguments: [10.0, 100, 1000], [0.001, 0.02])
    func groupsThatAreAlikeAreHardlyEverAborted(rate: Double, errors: Double) {
        let model = Model(errors: errors)
        var aborted = 0
        for seed in 0..<Self.runs {
            var simulation = RolloutSimulation(old: model, new: model, rate: rate, seed: UInt64(seed))
            let outcome = simulation.run(Self.policy(), seconds: 120)
            if outcome.isAborted { aborted += 1 } else { #expect(outcome.progress == .promoted) }
        }
        print("alike, \(Int(rate)) requests/s, \(errors * 100) % errors: \(aborted) of \(Self.runs) aborted")
        #expect(Double(aborted) <= max(2, 0.01 * Double(Self.runs)))
    }

    /// Without the condition that the effect matters, what is left is the promise of the statistics alone.
    @Test(arguments: [10.0, 100, 1000]) func chanceIsExcludedAsOftenAsWasPromised(rate: Double) {
        var policy = Self.policy()
        policy.falseAlarm = 0.2
        policy.guards = policy.guards.map { RolloutGuard($0.measure, smallestEffect: 1e-9) }
        var aborted = 0
        for seed in 0..<Self.runs {
            let model = Model(errors: 0.02)
            var simulation = RolloutSimulation(old: model, new: model, rate: rate, seed: UInt64(seed) &+ 1_000_000)
            if simulation.run(policy, seconds: 120).isAborted { aborted += 1 }
        }
        print("alike, \(Int(rate)) requests/s, any effect, 20 % promised: \(aborted) of \(Self.runs) aborted")
        #expect(Double(aborted) <= 0.2 * Double(Self.runs) + 1)
    }

    /// A way in which the new group is worse.
    struct Fault: Sendable {
        let name: String
        let model: Model
    }

    static let faults =
        [0.01, 0.02, 0.05, 0.2, 1].map {
            Fault(name: "errors of \(Int($0 * 100)) %", model: Model(errors: $0))
        }
        + [1.1, 1.5, 3].map {
            Fault(
                name: "latency \(Int(($0 - 1) * 100 + 0.5)) % longer", model: Model(medianMilliseconds: 10 * $0))
        }

    /// A row of the table: for each rate, when half of the rollouts are aborted.
    private func row(_ fault: Fault) -> String {
        let cells = [10.0, 100, 1000].flatMap { rate -> [String] in
            var times: [Double] = []
            var failed: [UInt64] = []
            var fixed: [Double] = []
            let runs = 15
            for seed in 0..<runs {
                var simulation = RolloutSimulation(new: fault.model, rate: rate, seed: UInt64(seed))
                let outcome = simulation.run(Self.policy([10, 100], seconds: 300), seconds: 300)
                times.append(outcome.isAborted ? outcome.seconds : .infinity)
                if outcome.isAborted { failed.append(outcome.new.hits) }
                // One percent of errors; a fifth above the 99 % of the old group.
                fixed.append(
                    simulation.fixedThreshold(
                        share: 0.1, errorsMax: 0.01, p99MaxMilliseconds: 38.4, seconds: 300) ?? .infinity)
            }
            let (median, fixedMedian) = (times.sorted()[runs / 2], fixed.sorted()[runs / 2])
            return [Self.text(median), Self.text(fixedMedian)]
        }
        return "| \(fault.name) | \(cells.joined(separator: " | ")) |"
    }

    /// The row of groups that are alike: for each rate, the share of rollouts that are aborted all the same.
    private func rowOfAlike() -> String {
        let cells = [10.0, 100, 1000].flatMap { rate -> [String] in
            let runs = 50
            let (aborted, fixed) = (0..<runs).reduce((0, 0)) { counts, seed in
                var simulation = RolloutSimulation(new: Model(), rate: rate, seed: UInt64(seed))
                let isAborted = simulation.run(Self.policy([10, 100], seconds: 300), seconds: 300).isAborted
                let isStopped =
                    simulation.fixedThreshold(share: 0.1, errorsMax: 0.01, p99MaxMilliseconds: 38.4, seconds: 300)
                    != nil
                return (counts.0 + (isAborted ? 1 : 0), counts.1 + (isStopped ? 1 : 0))
            }
            return ["\(aborted * 100 / runs) %", "\(fixed * 100 / runs) %"]
        }
        return "| nothing: aborted all the same | \(cells.joined(separator: " | ")) |"
    }

    private static func text(_ seconds: Double) -> String {
        seconds.isInfinite ? "not in 300 s" : "\(seconds < 10 ? seconds : seconds.rounded()) s"
    }

    @Test func theDocumentationSaysWhatComesOut() throws {
        let page = URL(filePath: #filePath).appending(path: "../../../../docs/rollouts.md").standardized
        let text = try String(contentsOf: page, encoding: .utf8)
        for row in Self.faults.map(row) + [rowOfAlike()] {
            #expect(text.contains(row), "docs/rollouts.md has another row than\n\(row)")
        }
    }
}
