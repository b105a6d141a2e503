import Testing

@testable import Proxy

@Suite struct ExchangeStateTests {
    typealias Phase = ExchangeState.Phase
    typealias Event = ExchangeState.Event
    typealias Effect = ExchangeState.Effect

    struct Step: Sendable, CustomTestStringConvertible {
        let phase: Phase
        let event: Event
        let next: Phase
        let effect: Effect
        var testDescription: String { "\(event) in \(phase)" }
    }

    /// Everything that may happen, and what has to be done about it.
    static let allowed: [Step] =
        beforeAConnection(.deciding) + beforeAConnection(.connecting) + [
            Step(phase: .deciding, event: .forwarded, next: .connecting, effect: .proceed),
            Step(phase: .connecting, event: .connected, next: .waiting, effect: .sendRequest),
            Step(phase: .connecting, event: .connectFailed, next: .connecting, effect: .tryNextTarget),

            Step(phase: .waiting, event: .responseHead, next: .answering, effect: .proceed),
            Step(phase: .waiting, event: .tunnelOpened, next: .tunnelling, effect: .proceed),
            Step(phase: .waiting, event: .targetGone, next: .waiting, effect: .retryOrFail),
            Step(phase: .waiting, event: .targetMalformed, next: .ended, effect: .answer(status: 502)),
            Step(phase: .waiting, event: .answeredHere, next: .ended, effect: .finish),
            Step(phase: .waiting, event: .clientGone, next: .ended, effect: .abandon),
            Step(phase: .waiting, event: .clientMalformed, next: .ended, effect: .answer(status: 400)),
            Step(phase: .waiting, event: .clientTimeout, next: .ended, effect: .answer(status: 408)),
            Step(phase: .waiting, event: .targetTimeout, next: .ended, effect: .answer(status: 504)),
            Step(phase: .waiting, event: .targetUnresponsive, next: .ended, effect: .answer(status: 504)),
            Step(phase: .waiting, event: .sentAgain, next: .connecting, effect: .connectAgain),
            Step(phase: .waiting, event: .cut, next: .ended, effect: .answer(status: 502)),
            Step(phase: .waiting, event: .leftToClient, next: .ended, effect: .refuse),

            Step(phase: .answering, event: .clientGone, next: .ended, effect: .abandon),
            Step(phase: .tunnelling, event: .clientGone, next: .ended, effect: .truncate),
        ] + whileAnswering(.answering) + whileAnswering(.tunnelling)
        + Phase.allCases.map { Step(phase: $0, event: .stopped, next: .ended, effect: .truncate) }

    private static func beforeAConnection(_ phase: Phase) -> [Step] {
        [
            Step(phase: phase, event: .answeredHere, next: .ended, effect: .finish),
            Step(phase: phase, event: .clientGone, next: .ended, effect: .abandon),
            Step(phase: phase, event: .clientMalformed, next: .ended, effect: .answer(status: 400)),
            Step(phase: phase, event: .clientTimeout, next: .ended, effect: .answer(status: 408)),
            Step(phase: phase, event: .targetTimeout, next: .ended, effect: .answer(status: 504)),
            Step(phase: phase, event: .cut, next: .ended, effect: .answer(status: 502)),
        ]
    }

    private static func whileAnswering(_ phase: Phase) -> [Step] {
        [
            Step(phase: phase, event: .responseEnd, next: .ended, effect: .finish),
            Step(phase: phase, event: .targetGone, next: .ended, effect: .truncate),
            Step(phase: phase, event: .targetMalformed, next: .ended, effect: .truncate),
            Step(phase: phase, event: .targetTimeout, next: .ended, effect: .truncate),
            Step(phase: phase, event: .clientMalformed, next: .ended, effect: .truncate),
            Step(phase: phase, event: .clientTimeout, next: .ended, effect: .truncate),
            Step(phase: phase, event: .cut, next: .ended, effect: .truncate),
        ]
    }

    /// What only our own code could cause.
    static let forbidden: [(phase: Phase, event: Event)] =
        forbiddenByEvent.flatMap { event, phases in
            phases.map { ($0, event) }
        } + Event.allCases.filter { $0 != .stopped }.map { (.ended, $0) }

    private static let forbiddenByEvent: [(Event, [Phase])] = [
        (.forwarded, [.connecting, .waiting, .answering, .tunnelling]),
        (.connected, [.deciding, .waiting, .answering, .tunnelling]),
        (.connectFailed, [.deciding, .waiting, .answering, .tunnelling]),
        (.sentAgain, [.deciding, .connecting, .answering, .tunnelling]),
        (.responseHead, [.deciding, .connecting, .answering, .tunnelling]),
        (.tunnelOpened, [.deciding, .connecting, .answering, .tunnelling]),
        (.responseEnd, [.deciding, .connecting, .waiting]),
        (.targetGone, [.deciding, .connecting]),
        (.targetMalformed, [.deciding, .connecting]),
        (.targetUnresponsive, [.deciding, .connecting, .answering, .tunnelling]),
        (.answeredHere, [.answering, .tunnelling]),
        (.leftToClient, [.deciding, .connecting, .answering, .tunnelling]),
    ]

    /// An exchange that has come as far as `phase`, by the shortest way.
    static func state(in phase: Phase) -> ExchangeState {
        var state = ExchangeState()
        let way: [Event] =
            switch phase {
            case .deciding: []
            case .connecting: [.forwarded]
            case .waiting: [.forwarded, .connected]
            case .answering: [.forwarded, .connected, .responseHead]
            case .tunnelling: [.forwarded, .connected, .tunnelOpened]
            case .ended: [.answeredHere]
            }
        for event in way { _ = state.receive(event) }
        return state
    }

    /// No pair is forgotten, and none is in both tables.
    @Test func theTablesAreWhole() {
        var seen: Set<String> = []
        for (phase, event) in Self.allowed.map({ ($0.phase, $0.event) }) + Self.forbidden {
            let isNew = seen.insert("\(event) in \(phase)").inserted
            #expect(isNew, "\(event) in \(phase)")
        }
        #expect(seen.count == Phase.allCases.count * Event.allCases.count)
    }

    @Test(arguments: Phase.allCases) func everyPhaseIsReached(phase: Phase) {
        #expect(Self.state(in: phase).phase == phase)
    }

    @Test(arguments: allowed) func doesWhatTheTableSays(step: Step) {
        var state = Self.state(in: step.phase)
        let effect = state.receive(step.event)
        #expect(effect == step.effect)
        #expect(state.phase == step.next)
    }

    @Test(arguments: forbidden.indices) func trapsOnImpossibleEvents(index: Int) async {
        await #expect(processExitsWith: .failure, "\(Self.forbidden[index])") { [index = index as Int] in
            let (phase, event) = Self.forbidden[index]
            var state = Self.state(in: phase)
            _ = state.receive(event)
        }
    }

    /// An answer may be decided only while none was passed on, and an exchange ends once.
    @Test func answersOnlyWhileNoneWasGiven() {
        for step in Self.allowed {
            let isAnswering = Self.state(in: step.phase).isAnswering
            if case .answer = step.effect { #expect(!isAnswering, "\(step.testDescription)") }
            if step.effect == .truncate { #expect(isAnswering || step.event == .stopped, "\(step.testDescription)") }
        }
    }

    // MARK: Retry

    @Test func aRetryConnectsOnceMore() {
        var state = Self.state(in: .waiting)
        let lost = state.receive(.targetGone)
        #expect(lost == .retryOrFail && state.phase == .waiting)
        let again = state.receive(.sentAgain)
        #expect(again == .connectAgain && state.phase == .connecting)
        let connected = state.receive(.connected)
        #expect(connected == .sendRequest)
    }

    @Test func aLostTargetCanBeAnsweredInstead() {
        var state = Self.state(in: .waiting)
        _ = state.receive(.targetGone)
        let answered = state.receive(.answeredHere)
        #expect(answered == .finish && state.phase == .ended)
    }

    // MARK: Memory

    /// What the log and the counters ask once an exchange is over.
    @Test func remembersHowItEnded() {
        var state = ExchangeState()
        _ = state.receive(.answeredHere)
        #expect(state.endedBy == .answeredHere && !state.isCut && !state.isForwarded)
        for event in [Event.cut, .stopped] {
            var state = Self.state(in: .answering)
            _ = state.receive(event)
            #expect(state.endedBy == event && state.isCut && state.isForwarded)
        }
    }

    /// An answer that waits for its client when the process stops has not been cut by that.
    @Test func anEndedExchangeKeepsItsEnd() {
        var state = Self.state(in: .ended)
        let effect = state.receive(.stopped)
        #expect(effect == .truncate && state.endedBy == .answeredHere)
    }
}
