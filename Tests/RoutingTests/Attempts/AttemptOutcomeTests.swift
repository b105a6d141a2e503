import Routing
import Testing

@Suite struct AttemptOutcomeTests {
    /// What was not connected, or was refused, was not processed, whoever says otherwise; an answer was.
    @Test func theEndingKnowsBestWhetherItWasProcessed() {
        let never: [AttemptOutcome.Ending] = [
            .connectFailed, .handshakeFailed, .connectTimedOut, .notAttempted, .overtaken, .outrun, .withdrawn,
            .refused,
        ]
        for ending in never { #expect(AttemptOutcome(ending, isUnprocessed: false, duration: 1).isUnprocessed) }
        #expect(!AttemptOutcome(.answered, isUnprocessed: true, duration: 1).isUnprocessed)
        for isUnprocessed in [true, false] {
            let outcome = AttemptOutcome(.closed, isUnprocessed: isUnprocessed, duration: 7)
            #expect(outcome.isUnprocessed == isUnprocessed && outcome.duration == 7)
        }
    }
}
