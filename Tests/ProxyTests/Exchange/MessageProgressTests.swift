import Testing

@testable import Proxy

private let requestSteps: [(RequestProgress, RequestProgress.Event, RequestProgress)] = [
    (.received, .prepared, .prepared), (.received, .refused, .unreadable),
    (.prepared, .passedOn, .passedOn), (.prepared, .sentAgain, .prepared), (.prepared, .tunnelOpened, .prepared),
    (.passedOn, .sentAgain, .prepared), (.passedOn, .tunnelOpened, .prepared),
]

private let requestTraps: [(RequestProgress, RequestProgress.Event)] = RequestProgress.allCases.flatMap { progress in
    RequestProgress.Event.allCases.map { (progress, $0) }
}.filter { pair in !requestSteps.contains { $0.0 == pair.0 && $0.1 == pair.1 } }

private let shareSteps: [(ShareState, ShareState.Event, ShareState)] = [
    (.none, .refused, .waiting), (.none, .granted, .held), (.none, .released, .none),
    (.waiting, .invited, .none), (.waiting, .released, .none), (.held, .released, .none),
]

private let shareTraps: [(ShareState, ShareState.Event)] = ShareState.allCases.flatMap { state in
    ShareState.Event.allCases.map { (state, $0) }
}.filter { pair in !shareSteps.contains { $0.0 == pair.0 && $0.1 == pair.1 } }

@Suite struct MessageProgressTests {
    // MARK: Request

    @Test(arguments: requestSteps.indices) func requestMovesOn(index: Int) {
        let (start, event, end) = requestSteps[index]
        var progress = start
        progress.receive(event)
        #expect(progress == end, "\(event) when \(start)")
    }

    @Test(arguments: requestTraps.indices) func requestTrapsOnTheRest(index: Int) async {
        await #expect(processExitsWith: .failure, "\(requestTraps[index])") { [index = index as Int] in
            let (start, event) = requestTraps[index]
            var progress = start
            progress.receive(event)
        }
    }

    // MARK: Response

    @Test func responseBeginsAgainWithItsRequest() {
        var progress = ResponseProgress.awaited
        progress.receive(.bytes)
        progress.receive(.bytes)
        #expect(progress == .begun)
        progress.receive(.sentAgain)
        #expect(progress == .awaited)
        progress.receive(.sentAgain)
        progress.receive(.passedOn)
        #expect(progress == .passedOn)
    }

    @Test(arguments: ResponseProgress.Event.allCases.indices) func nothingFollowsAResponse(index: Int) async {
        await #expect(processExitsWith: .failure) { [index = index as Int] in
            var progress = ResponseProgress.passedOn
            progress.receive(ResponseProgress.Event.allCases[index])
        }
    }

    // MARK: Persistence

    @Test func persistenceIsDecidedOnceAndCanBeRevoked() {
        var persistence = Persistence.undecided
        persistence.decide(true)
        #expect(persistence == .persistent)
        persistence.revoke()
        #expect(persistence == .closing)
        var closing = Persistence.undecided
        closing.decide(false)
        #expect(closing == .closing)
    }

    @Test func decidingTwiceTraps() async {
        await #expect(processExitsWith: .failure) {
            var persistence = Persistence.undecided
            persistence.decide(false)
            persistence.decide(true)
        }
    }

    // MARK: Share

    @Test(arguments: shareSteps.indices) func shareMovesOn(index: Int) {
        let (start, event, end) = shareSteps[index]
        var state = start
        state.receive(event)
        #expect(state == end, "\(event) when \(start)")
    }

    @Test(arguments: shareTraps.indices) func shareTrapsOnTheRest(index: Int) async {
        await #expect(processExitsWith: .failure, "\(shareTraps[index])") { [index = index as Int] in
            let (start, event) = shareTraps[index]
            var state = start
            state.receive(event)
        }
    }
}
