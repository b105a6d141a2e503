import Core
import Model
import Proxy
import Routing
import Testing

@testable import Control

@Suite struct GroupStateTests {
    private func state(_ change: (inout TargetGroup) -> Void = { _ in }) -> GroupState {
        var configuration = group("blue")
        change(&configuration)
        return GroupState(id: 0, configuration: configuration, workerCount: 2)
    }

    private func source(_ tls: TargetTLS?, version: TargetGroup.ProtocolVersion = .http1) -> GroupState.PlanSource {
        GroupState.PlanSource(
            settings: GroupSettings(
                version: version, tls: tls, connectTimeout: 1, poolIdleTimeout: 1, poolConnectionsMax: 1), targets: [])
    }

    /// Plans are compared where something changed, which 10,000 groups do not at each of 10,000 changes.
    @Test func onlyAChangeNeedsAnotherPlan() {
        let blue = state()
        blue.mayNeedPlan = false
        let same = blue.configuration
        blue.configuration = same
        #expect(!blue.mayNeedPlan)
        blue.configuration.attributes.deregistrationDelaySeconds = 7
        #expect(blue.mayNeedPlan)
        blue.mayNeedPlan = false
        blue.registrations = []
        #expect(blue.mayNeedPlan)
    }

    @Test func checksGoToTheirOwnPortWhereThereIsOne() {
        #expect(state().healthCheckPort(ofTargetAt: 81) == 81)
        #expect(state { $0.healthCheck.port = .number(9000) }.healthCheckPort(ofTargetAt: 81) == 9000)
    }

    @Test func thresholdsAreTheConfigurations() {
        let thresholds = state {
            $0.healthCheck.healthyThresholdCount = 3
            $0.healthCheck.unhealthyThresholdCount = 4
            $0.healthCheck.gracePeriodSeconds = 1.5
        }.thresholds
        #expect(thresholds.healthyCount == 3 && thresholds.unhealthyCount == 4 && thresholds.grace == 1_500_000_000)
    }

    /// Making a context costs as much as many checks: it is made again only where TLS differs.
    @Test func theContextOfChecksIsKept() {
        let blue = state()
        let named = TargetTLS(verification: .off, serverName: "a.example")
        blue.planSource = source(named)
        let first = blue.checkSecurity.context
        blue.planSource = source(named)
        #expect(blue.checkSecurity.context === first)
        blue.planSource = source(TargetTLS(verification: .off, serverName: "b.example"))
        let second = blue.checkSecurity
        #expect(second.context !== first && String(decoding: second.serverName, as: UTF8.self) == "b.example")
        blue.planSource = source(TargetTLS(verification: .off, serverName: "b.example"), version: .http2)
        #expect(blue.checkSecurity.context !== second.context, "it offers another protocol")
    }

    // MARK: Ids

    @Test func idsAreSmallAndUsedAgain() {
        var pool = IDPool()
        #expect((0..<4).map { _ in pool.take() } == [0, 1, 2, 3])
        pool.release(1)
        pool.release(3)
        #expect(Set([pool.take(), pool.take()]) == [1, 3] && pool.take() == 4)
    }

    @Test func anIDIsGivenBackOnce() async {
        await #expect(processExitsWith: .failure) {
            var pool = IDPool()
            let id = pool.take()
            pool.release(id)
            pool.release(id)
        }
    }
}
