import Routing
import Testing

@Suite struct AttemptOutcomeTests {
    /// A request that was not connected or was refused counts as not processed, whatever else is known; one with a
    /// response counts as processed.
    @Test func endingDecidesWhetherItWasProcessed() {
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
