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
    static let allowed: [Step] = [
        Step(phase: .connecting, event: .connected, next: .waiting, effect: .sendRequest),
        Step(phase: .connecting, event: .connectFailed, next: .connecting, effect: .tryNextTarget),
        Step(phase: .connecting, event: .answeredHere, next: .ended, effect: .finish),
        Step(phase: .connecting, event: .clientGone, next: .ended, effect: .abandon),
        Step(phase: .connecting, event: .clientMalformed, next: .ended, effect: .answer(status: 400)),
        Step(phase: .connecting, event: .clientTimeout, next: .ended, effect: .answer(status: 408)),
        Step(phase: .connecting, event: .targetTimeout, next: .ended, effect: .answer(status: 504)),
        Step(phase: .connecting, event: .cut, next: .ended, effect: .answer(status: 502)),

        Step(phase: .waiting, event: .responseHead, next: .answering, effect: .relayResponse),
        Step(phase: .waiting, event: .targetGone, next: .waiting, effect: .retryOrFail),
        Step(phase: .waiting, event: .targetMalformed, next: .ended, effect: .answer(status: 502)),
        Step(phase: .waiting, event: .answeredHere, next: .ended, effect: .finish),
        Step(phase: .waiting, event: .clientGone, next: .ended, effect: .abandon),
        Step(phase: .waiting, event: .clientMalformed, next: .ended, effect: .answer(status: 400)),
        Step(phase: .waiting, event: .clientTimeout, next: .ended, effect: .answer(status: 408)),
        Step(phase: .waiting, event: .targetTimeout, next: .ended, effect: .answer(status: 504)),
        Step(phase: .waiting, event: .targetUnheard, next: .ended, effect: .answer(status: 504)),
        Step(phase: .waiting, event: .sentAgain, next: .connecting, effect: .connectAgain),
        Step(phase: .waiting, event: .cut, next: .ended, effect: .answer(status: 502)),

        Step(phase: .answering, event: .responseEnd, next: .ended, effect: .finish),
        Step(phase: .answering, event: .clientGone, next: .ended, effect: .abandon),
        Step(phase: .answering, event: .targetGone, next: .ended, effect: .truncate),
        Step(phase: .answering, event: .targetMalformed, next: .ended, effect: .truncate),
        Step(phase: .answering, event: .targetTimeout, next: .ended, effect: .truncate),
        Step(phase: .answering, event: .clientMalformed, next: .ended, effect: .truncate),
        Step(phase: .answering, event: .clientTimeout, next: .ended, effect: .truncate),
        Step(phase: .answering, event: .cut, next: .ended, effect: .truncate),
    ]

    /// What only our own code could cause.
    static let forbidden: [(phase: Phase, event: Event)] =
        [
            (.connecting, .responseHead), (.connecting, .responseEnd), (.connecting, .targetGone),
            (.connecting, .targetMalformed), (.connecting, .targetUnheard), (.connecting, .sentAgain),
            (.waiting, .connected), (.waiting, .connectFailed), (.waiting, .responseEnd),
            (.answering, .connected), (.answering, .connectFailed), (.answering, .responseHead),
            (.answering, .answeredHere), (.answering, .targetUnheard), (.answering, .sentAgain),
        ] + Event.allCases.map { (.ended, $0) }

    /// An exchange that has come as far as `phase`, by the shortest way.
    static func state(in phase: Phase) -> ExchangeState {
        var state = ExchangeState()
        let way: [Event] =
            switch phase {
            case .connecting: []
            case .waiting: [.connected]
            case .answering: [.connected, .responseHead]
            case .ended: [.connected, .responseHead, .responseEnd]
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

    @Test(arguments: forbidden.indices) func trapsOnWhatCannotBe(index: Int) async {
        await #expect(processExitsWith: .failure, "\(Self.forbidden[index])") { [index = index as Int] in
            let (phase, event) = Self.forbidden[index]
            var state = Self.state(in: phase)
            _ = state.receive(event)
        }
    }

    /// An answer may be decided only while none was passed on, and an exchange ends once.
    @Test func answersOnlyWhileNoneWasGiven() {
        for step in Self.allowed {
            if case .answer = step.effect { #expect(step.phase != .answering, "\(step.testDescription)") }
            if step.effect == .truncate { #expect(step.phase == .answering, "\(step.testDescription)") }
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
}
