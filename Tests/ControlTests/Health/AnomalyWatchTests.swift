import Core
import Model
import Routing
import Testing

@testable import Control

@Suite struct AnomalyWatchTests {
    private let loop = ControlLoop()
    private let registry = TargetRegistry(workerCount: 1, events: EventLog(), logger: quiet)
    private let watch: AnomalyWatch
    private var state: GroupState { registry.groups["blue"]! }

    init() { watch = AnomalyWatch(registry, loop: loop, logger: quiet) }

    private func reconcile(_ edit: (inout BalancingAttributes) -> Void) {
        var blue = group("blue", (1...4).map { TargetDescription(id: "10.0.0.\($0)") })
        edit(&blue.attributes.balancing)
        let document = Document(
            loadBalancers: [loadBalancer("web", port: 80, forwardingTo: [("blue", 1)])], targetGroups: [blue])
        _ = registry.reconcile(with: document, renewed: [:], now: loop.now)
    }

    /// A hundred requests on each healthy target, of which the last one fails half; then control looks.
    private func look(failing: Int? = nil) {
        let targets = state.registrations.map { registration in
            let target = BalancedTarget(registration.cell)
            target.adopt(weight: 1, .weightedRandom, in: state.cell)
            return target
        }
        for (index, target) in targets.enumerated() where state.registrations[index].health.state == .healthy {
            for number in 0..<100 {
                var outcome = AttemptOutcome(.answered, duration: 1)
                outcome.isServerError = index == failing && number % 2 == 0
                target.note(outcome, now: loop.now)
            }
        }
        watch.look(at: state)
    }

    @Test func aFailingTargetLosesWeightWhereThatIsConfigured() {
        reconcile { $0.algorithm = .weightedRandom }
        for registration in state.registrations { registry.receive(.checkPassed, registration, now: loop.now) }
        let epoch = state.cell.epoch
        for _ in 0..<3 { look(failing: 2) }
        #expect(state.registrations.map(\.anomaly.isAnomalous) == [false, false, true, false])
        #expect(state.registrations[2].cell.share == TargetCell.fullShare && state.cell.epoch == epoch)
        reconcile {
            $0.algorithm = .weightedRandom
            $0.anomalyMitigation = .on
        }
        for _ in 0..<3 { look(failing: 2) }
        #expect(state.registrations[2].cell.share < TargetCell.fullShare / 4 && state.cell.epoch > epoch)
        for _ in 0..<60 { look() }
        #expect(state.registrations.allSatisfy { $0.cell.share == TargetCell.fullShare && !$0.anomaly.isAnomalous })
    }

    /// Nothing is left of it when the target turns unhealthy, or the algorithm is another.
    @Test func whatWasFoundIsForgotten() {
        let isOn: (inout BalancingAttributes) -> Void = {
            $0.algorithm = .weightedRandom
            $0.anomalyMitigation = .on
        }
        reconcile(isOn)
        for registration in state.registrations { registry.receive(.checkPassed, registration, now: loop.now) }
        for _ in 0..<3 { look(failing: 3) }
        #expect(state.registrations[3].anomaly.isMitigated)
        for _ in 0..<2 { registry.receive(.checkFailed(.timeout), state.registrations[3], now: loop.now) }
        look()
        #expect(state.registrations[3].anomaly == AnomalyDetection.Target())
        #expect(state.registrations[3].cell.share == TargetCell.fullShare)
        for _ in 0..<3 { look(failing: 1) }
        #expect(state.registrations[1].anomaly.isMitigated)
        reconcile { _ in }
        watch.look(at: state)
        #expect(!state.seeksAnomalies && state.registrations[1].cell.share == TargetCell.fullShare)
    }
}
