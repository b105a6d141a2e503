/// How far an exchange has come on its target's side, and what has to be done about each event.
///
/// Shape:  a trivial value inside `Exchange`; no socket, no clock.
/// Errors: a pair that only our own code can cause traps with its name.
/// Source: RFC 9110 §9.2.2 (what may be sent twice).
struct ExchangeState {
    /// Where the exchange stands. Whether the request has been passed on completely is a question of its own
    /// (`Exchange.isRequestDone`): bodies flow in both directions at once.
    enum Phase: Equatable, CaseIterable {
        /// Routed; a connection is being looked for or opened. Leaves by `connected`, or ends.
        case connecting
        /// The request is on its way; no byte of a final response has been passed on. Leaves by `responseHead`.
        case waiting
        /// The response head was passed on: no other answer can be given any more. Leaves by its end.
        case answering
        /// Over.
        case ended
    }

    /// What happened.
    enum Event: Equatable, CaseIterable {
        /// A connection to a target is ready.
        case connected
        /// A connection could not be opened, or not in time.
        case connectFailed
        /// The request is to go out again, to another target if there is one.
        case sentAgain
        /// A final response head was read.
        case responseHead
        /// The response was passed on to its end.
        case responseEnd
        /// The target's connection ended or broke before the response did.
        case targetGone
        /// What the target sent is not HTTP.
        case targetMalformed
        /// The client's connection broke, or ended before the request did.
        case clientGone
        /// The rest of the request is not HTTP.
        case clientMalformed
        /// The client was silent, or slower than the least rate.
        case clientTimeout
        /// The target was silent for too long.
        case targetTimeout
        /// The target's kernel did not acknowledge the request for too long.
        case targetUnheard
        /// The deregistration delay of the target is over, or the process ends.
        case cut
        /// Apus answers by itself before a target was asked: a fixed response, a redirect, or no target.
        case answeredHere
    }

    /// What the worker must do.
    enum Effect: Equatable {
        /// Write the request to the target.
        case sendRequest
        /// Try another target, or answer that none could be reached.
        case tryNextTarget
        /// Pass the response head and what follows to the client.
        case relayResponse
        /// Release both connections and write the log record.
        case finish
        /// Send the request again if that can do no harm, else answer 502.
        case retryOrFail
        /// Connect to another target, or answer that there is none.
        case connectAgain
        /// Give up the target's connection and answer with this status.
        case answer(status: UInt16)
        /// Give up both connections: the response cannot be completed and the client must notice.
        case truncate
        /// Give up both connections: nobody waits for the response.
        case abandon
    }

    private(set) var phase = Phase.connecting

    /// Moves to the next phase and says what to do.
    mutating func receive(_ event: Event) -> Effect {
        let (next, effect) = Self.step(phase, event)
        phase = next
        return effect
    }

    private static func step(_ phase: Phase, _ event: Event) -> (Phase, Effect) {
        switch (phase, event) {
        case (.connecting, .connected): (.waiting, .sendRequest)
        case (.connecting, .connectFailed): (.connecting, .tryNextTarget)
        case (.connecting, .answeredHere): (.ended, .finish)
        case (.connecting, .clientGone), (.waiting, .clientGone), (.answering, .clientGone): (.ended, .abandon)
        case (.connecting, .clientMalformed), (.waiting, .clientMalformed): (.ended, .answer(status: 400))
        case (.connecting, .clientTimeout), (.waiting, .clientTimeout): (.ended, .answer(status: 408))
        case (.connecting, .targetTimeout), (.waiting, .targetTimeout): (.ended, .answer(status: 504))
        case (.waiting, .targetUnheard): (.ended, .answer(status: 504))
        case (.waiting, .sentAgain): (.connecting, .connectAgain)
        case (.connecting, .cut), (.waiting, .cut): (.ended, .answer(status: 502))
        case (.waiting, .responseHead): (.answering, .relayResponse)
        case (.waiting, .targetGone): (.waiting, .retryOrFail)
        case (.waiting, .targetMalformed): (.ended, .answer(status: 502))
        case (.waiting, .answeredHere): (.ended, .finish)
        case (.answering, .responseEnd): (.ended, .finish)
        case (.answering, .targetGone), (.answering, .targetMalformed), (.answering, .targetTimeout),
            (.answering, .clientMalformed), (.answering, .clientTimeout), (.answering, .cut):
            (.ended, .truncate)
        case (.connecting, .responseHead), (.connecting, .responseEnd),  // nothing was sent yet
            (.connecting, .targetGone), (.connecting, .targetMalformed), (.connecting, .targetUnheard),
            (.connecting, .sentAgain),
            (.waiting, .connected), (.waiting, .connectFailed),  // there is a connection already
            (.waiting, .responseEnd),  // no head was passed on
            (.answering, .connected), (.answering, .connectFailed), (.answering, .responseHead),
            (.answering, .answeredHere), (.answering, .sentAgain), (.answering, .targetUnheard),
            (.ended, _):  // both connections were released
            preconditionFailure("exchange: \(event) in \(phase)")
        }
    }
}
