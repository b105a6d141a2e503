import Testing

@testable import Routing

@Suite struct AnomalyDetectionTests {
    private typealias Target = AnomalyDetection.Target

    /// Looks `times` times, each after 100 attempts on each target, of which so many failed.
    private func look(_ targets: inout [Target], failures: [UInt64], times: Int = 1, mitigates: Bool = true) {
        for _ in 0..<times {
            for index in targets.indices {
                targets[index].count(AttemptCounts(answered: 100 - failures[index], failed: failures[index]))
            }
            AnomalyDetection.look(at: &targets, mitigates: mitigates)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let why: String, failures: [UInt64], anomalous: [Bool]
        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "nobody fails", failures: [0, 0, 0], anomalous: [false, false, false]),
        Case(why: "one of three fails", failures: [0, 30, 0], anomalous: [false, true, false]),
        Case(why: "all fail alike", failures: [30, 31, 29], anomalous: [false, false, false]),
        Case(why: "a bit more than the others", failures: [1, 4, 1, 0], anomalous: [false, false, false, false]),
        Case(why: "two of five fail", failures: [60, 0, 0, 70, 0], anomalous: [true, false, false, true, false]),
        Case(why: "two are too few to compare", failures: [0, 90], anomalous: [false, false]),
    ]

    @Test(arguments: cases) func whoFailsMoreThanTheOthers(_ test: Case) {
        var targets = test.failures.map { _ in Target() }
        look(&targets, failures: test.failures, times: 3)
        #expect(targets.map(\.isAnomalous) == test.anomalous)
        #expect(targets.map(\.isMitigated) == test.anomalous)
    }

    @Test func theWeightFallsByHalvesAndGrowsSlowly() {
        var targets = [Target(), Target(), Target()]
        var shares: [Int] = []
        for _ in 0..<6 {
            look(&targets, failures: [0, 0, 50])
            shares.append(targets[2].share)
        }
        #expect(shares == [128, 64, 32, 16, 16, 16])
        for _ in 0..<40 { look(&targets, failures: [0, 0, 0]) }
        #expect(!targets[2].isAnomalous && targets[2].share == TargetCell.fullShare)
        look(&targets, failures: [0, 0, 50])
        look(&targets, failures: [0, 0, 0], times: 8)
        #expect(targets[2].isMitigated && !targets[2].isAnomalous, "it has recovered, and ramps back")
    }

    @Test func withoutMitigationItIsOnlySaid() {
        var targets = [Target(), Target(), Target()]
        look(&targets, failures: [0, 0, 50], times: 5, mitigates: false)
        #expect(targets[2].isAnomalous && !targets[2].isMitigated)
        look(&targets, failures: [0, 0, 50], times: 5)
        #expect(targets[2].isMitigated)
        look(&targets, failures: [0, 0, 50], times: 16, mitigates: false)
        #expect(!targets[2].isMitigated, "it was switched off")
    }

    /// Half of the targets have to carry the load.
    @Test func atMostHalfAreMitigated() {
        var targets = (0..<5).map { _ in Target() }
        look(&targets, failures: [90, 90, 90, 0, 0], times: 5)
        #expect(targets.count { $0.isMitigated } <= 2)
    }

    @Test func aTargetThatIsLeftAloneIsForgotten() {
        var targets = [Target(), Target(), Target()]
        look(&targets, failures: [0, 0, 50], times: 3)
        targets.removeFirst()
        AnomalyDetection.look(at: &targets, mitigates: true)
        #expect(targets.allSatisfy { !$0.isAnomalous && !$0.isMitigated }, "two cannot be compared")
    }

    /// Those that have recovered and grow again count too, and so do those that stay when others leave.
    @Test func neverMoreThanHalfHaveLess() {
        var targets = (0..<6).map { _ in Target() }
        look(&targets, failures: [0, 0, 0, 60, 60, 60], times: 4)
        #expect(targets.map(\.isMitigated) == [false, false, false, true, true, true])
        // Three others fail as the first three recover.
        for _ in 0..<30 {
            look(&targets, failures: [60, 60, 0, 0, 0, 0])
            #expect(targets.count { $0.isMitigated } <= 3)
        }
        #expect(targets[0].isMitigated && targets[1].isMitigated)
        // Of the six only four stay, three of which had less.
        targets = (0..<6).map { _ in Target() }
        look(&targets, failures: [0, 0, 0, 60, 60, 60], times: 4)
        targets.removeFirst(2)
        look(&targets, failures: [0, 60, 60, 60])
        #expect(targets.count { $0.isMitigated } <= 2)
    }

    /// With few requests a target that has less brings too few to be judged by; it is given back its weight when what
    /// it did is forgotten.
    @Test func aTargetRecoversThoughThereAreFourRequestsASecond() {
        var targets = [Target(), Target(), Target()]
        var owed = [0.0, 0.0, 0.0]
        // Of so many requests between two looks each target has its share; the last one fails, at first.
        func pass(failing: Bool) {
            let shares = targets.reduce(0.0) { $0 + Double($1.share) }
            for index in targets.indices {
                owed[index] += 20 * Double(targets[index].share) / shares
                let count = UInt64(owed[index])
                owed[index] -= Double(count)
                let failed = failing && index == 2 ? count : 0
                targets[index].count(AttemptCounts(answered: count - failed, failed: failed))
            }
            AnomalyDetection.look(at: &targets, mitigates: true)
        }
        for _ in 0..<6 { pass(failing: true) }
        #expect(targets[2].isMitigated && !targets[0].isMitigated)
        for _ in 0..<36 { pass(failing: false) }
        #expect(!targets[2].isAnomalous && !targets[2].isMitigated, "after three minutes it has all of its weight")
    }
}
