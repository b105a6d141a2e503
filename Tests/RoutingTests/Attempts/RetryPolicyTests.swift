import Routing
import Testing

@Suite struct RetryPolicyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String
        let ending: AttemptOutcome.Ending
        var isUnprocessed = false
        let request: RetryPolicy.Request
        let expected: RetryPolicy.Decision
        var testDescription: String { why }
    }

    static func get(_ count: Int = 1, isComplete: Bool = true, isCopy: Bool = false) -> RetryPolicy.Request {
        .init(isIdempotent: true, isSafe: true, isComplete: isComplete, attemptCount: count, isCopy: isCopy)
    }

    static func put(_ count: Int = 1) -> RetryPolicy.Request {
        .init(isIdempotent: true, isSafe: false, isComplete: true, attemptCount: count, isCopy: false)
    }

    static func post(_ count: Int = 1, isComplete: Bool = true) -> RetryPolicy.Request {
        .init(isIdempotent: false, isSafe: false, isComplete: isComplete, attemptCount: count, isCopy: false)
    }

    static let cases = [
        Case(why: "no connection: any method", ending: .connectFailed, request: post(), expected: .sendAgain),
        Case(why: "refused: any method", ending: .refused, request: post(2), expected: .sendAgain),
        Case(why: "three attempts at most", ending: .refused, request: post(3), expected: .fail),
        Case(why: "three attempts at most, of GET", ending: .connectFailed, request: get(3), expected: .fail),
        Case(why: "a GET that may have been processed", ending: .closed, request: get(), expected: .sendAgain),
        Case(why: "a PUT that may have been processed", ending: .closed, request: put(), expected: .sendAgain),
        Case(why: "a POST that may have been processed", ending: .closed, request: post(), expected: .fail),
        Case(
            why: "a POST that was not acknowledged", ending: .closed, isUnprocessed: true, request: post(),
            expected: .sendAgain),
        Case(why: "no copy of a copy", ending: .closed, request: get(2, isCopy: true), expected: .fail),
        Case(
            why: "a copy that was not processed", ending: .refused, request: get(2, isCopy: true),
            expected: .sendAgain),
        Case(
            why: "the body is gone and the client may have it", ending: .refused, request: post(isComplete: false),
            expected: .leaveToClient),
        Case(
            why: "the body is gone and it may have been processed", ending: .closed, request: get(isComplete: false),
            expected: .fail),
        Case(why: "unhealthy, and only reads", ending: .unhealthy, request: get(), expected: .sendAgain),
        Case(why: "unhealthy, and changes something", ending: .unhealthy, request: put(), expected: .fail),
        Case(
            why: "unhealthy, and not even seen, but not safe", ending: .unhealthy, isUnprocessed: true, request: post(),
            expected: .fail),
        Case(why: "unacknowledged, idempotent", ending: .unacknowledged, request: put(), expected: .sendAgain),
        Case(why: "unacknowledged in part, a POST", ending: .unacknowledged, request: post(), expected: .fail),
        Case(
            why: "nothing acknowledged, a POST", ending: .unacknowledged, isUnprocessed: true, request: post(),
            expected: .sendAgain),
        Case(why: "a malformed answer is an answer", ending: .malformed, request: get(), expected: .fail),
        Case(why: "a time that ran out is not tried again", ending: .timedOut, request: get(), expected: .fail),
        Case(why: "answered", ending: .answered, request: get(), expected: .fail),
        Case(why: "the client is gone", ending: .abandoned, request: get(), expected: .fail),
        Case(why: "cut", ending: .cut, request: get(), expected: .fail),
    ]

    @Test(arguments: cases) func decides(_ test: Case) {
        let outcome = AttemptOutcome(test.ending, isUnprocessed: test.isUnprocessed, duration: 0)
        #expect(RetryPolicy.decide(outcome, test.request) == test.expected)
    }
}
