import Testing

@testable import Routing

@Suite struct BalancedTargetTests {
    @Test func countsWhatIsInFlight() {
        let target = BalancedTarget(TargetCell())
        target.began()
        target.began()
        target.ended()
        #expect(target.inFlight == 1)
    }

    @Test func endingMoreThanBeganTraps() async {
        await #expect(processExitsWith: .failure) { BalancedTarget(TargetCell()).ended() }
    }
}
