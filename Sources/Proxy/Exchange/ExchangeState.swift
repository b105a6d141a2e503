/// How far an exchange has come, and what has to be done about each event.
///
/// Shape:  a trivial value inside `Exchange`; no socket, no clock.
/// Errors: a pair that only our own code can cause traps with its name.
/// Source: RFC 9110 §9.2.2 (what may be sent twice).
struct ExchangeState {
    /// Where the exchange stands. How far each of its messages has come is tracked separately
    /// (`RequestProgress`, `ResponseProgress`): bodies flow in both directions at once.
    enum Phase: Equatable, CaseIterable {
        /// The rules are asked, or it waits until it may use a target. Leaves by `forwarded`, or ends.
        case deciding
        /// Forwarded to a target group; a connection is being looked for or opened. Leaves by `connected`, or ends.
        case connecting
        /// The request is on its way; no byte of a final response has been passed on. Leaves by `responseHead` or
        /// `tunnelOpened`.
        case waiting
        /// The response head was passed on: no other answer can be given any more. Leaves by its end.
        case answering
        /// The target has agreed to a WebSocket: bytes flow both ways until either side ends.
        case tunnelling
        /// Over.
        case ended
    }

    /// What happened.
    enum Event: Equatable, CaseIterable {
        /// A target of the group is about to be connected to.
        case forwarded
        /// A connection to a target is ready.
        case connected
        /// A connection could not be opened, or not in time.
        case connectFailed
        /// The request is to go out again, to another target if there is one.
        case sentAgain
        /// A final response head was passed on.
        case responseHead
        /// The head that agrees to a WebSocket was passed on.
        case tunnelOpened
        /// The response, or both directions of a WebSocket, was passed on to its end.
        case responseEnd
        /// The target's connection ended or broke before the response did.
        case targetGone
        /// The target's response is malformed.
        case targetMalformed
        /// The client's connection broke, or ended before the request did.
        case clientGone
        /// The rest of the request is malformed.
        case clientMalformed
        /// The client was silent, or slower than the minimum rate.
        case clientTimeout
        /// The target was silent for too long.
        case targetTimeout
        /// The target's kernel did not acknowledge the request for too long.
        case targetUnresponsive
        /// The deregistration delay of the target is over.
        case cut
        /// The process ends, and the time it had for that is over.
        case stopped
        /// Apus sent its own response: a fixed response, a redirect, or an error.
        case answeredHere
        /// The request was not processed, and its client is told that it may retry.
        case leftToClient
    }

    /// What the worker must do.
    enum Effect: Equatable {
        /// Write the request to the target.
        case sendRequest
        /// Try another target, or answer that none could be reached.
        case tryNextTarget
        /// Nothing beyond what the caller is doing.
        case proceed
        /// Release both connections and write the log record.
        case finish
        /// Send the request again if that can do no harm, else answer 502.
        case retryOrFail
        /// Connect to another target, or answer that there is none.
        case connectAgain
        /// Give up the target's connection and answer with this status.
        case answer(status: UInt16)
        /// Close both connections: the response is truncated, and the client must be able to detect it.
        case truncate
        /// Close both connections: the client no longer waits for the response.
        case abandon
        /// Give up the target's connection, and the client's stream in a way that lets it send the request again.
        case refuse
    }

    private(set) var phase = Phase.deciding
    /// The event that ended it; nil before.
    private(set) var endedBy: Event?
    /// Whether it was forwarded to a target group, and so counts as a request of that.
    private(set) var isForwarded = false

    /// Moves to the next phase and says what to do.
    mutating func receive(_ event: Event) -> Effect {
        let (next, effect) = Self.step(phase, event)
        if event == .forwarded { isForwarded = true }
        if next == .ended && phase != .ended { endedBy = event }
        phase = next
        return effect
    }

    /// Whether a response head was passed on, so that no other answer can be given.
    var isAnswering: Bool { phase == .answering || phase == .tunnelling }
    /// Whether it was cut: by the end of a deregistration delay, or of the process.
    var isCut: Bool { endedBy == .cut || endedBy == .stopped }

    private static func step(_ phase: Phase, _ event: Event) -> (Phase, Effect) {
        switch (phase, event) {
        case (.deciding, .forwarded): (.connecting, .proceed)
        case (.connecting, .connected): (.waiting, .sendRequest)
        case (.connecting, .connectFailed): (.connecting, .tryNextTarget)
        case (.waiting, .sentAgain): (.connecting, .connectAgain)
        case (.waiting, .responseHead): (.answering, .proceed)
        case (.waiting, .tunnelOpened): (.tunnelling, .proceed)
        case (.waiting, .targetGone): (.waiting, .retryOrFail)
        case (.waiting, .targetMalformed): (.ended, .answer(status: 502))
        case (.waiting, .targetUnresponsive): (.ended, .answer(status: 504))
        case (.waiting, .leftToClient): (.ended, .refuse)
        case (.answering, .responseEnd), (.tunnelling, .responseEnd): (.ended, .finish)
        case (.deciding, .answeredHere), (.connecting, .answeredHere), (.waiting, .answeredHere): (.ended, .finish)

        case (.deciding, .clientGone), (.connecting, .clientGone), (.waiting, .clientGone), (.answering, .clientGone):
            (.ended, .abandon)
        case (.deciding, .clientMalformed), (.connecting, .clientMalformed), (.waiting, .clientMalformed):
            (.ended, .answer(status: 400))
        case (.deciding, .clientTimeout), (.connecting, .clientTimeout), (.waiting, .clientTimeout):
            (.ended, .answer(status: 408))
        case (.deciding, .targetTimeout), (.connecting, .targetTimeout), (.waiting, .targetTimeout):
            (.ended, .answer(status: 504))
        case (.deciding, .cut), (.connecting, .cut), (.waiting, .cut): (.ended, .answer(status: 502))
        case (_, .stopped): (.ended, .truncate)
        case (.answering, .targetGone), (.answering, .targetMalformed), (.answering, .targetTimeout),
            (.answering, .clientMalformed), (.answering, .clientTimeout), (.answering, .cut),
            (.tunnelling, .clientGone), (.tunnelling, .targetGone), (.tunnelling, .targetMalformed),
            (.tunnelling, .targetTimeout), (.tunnelling, .clientMalformed), (.tunnelling, .clientTimeout),
            (.tunnelling, .cut):
            (.ended, .truncate)

        case (.connecting, .forwarded), (.waiting, .forwarded), (.answering, .forwarded), (.tunnelling, .forwarded),
            (.deciding, .connected), (.waiting, .connected), (.answering, .connected), (.tunnelling, .connected),
            (.deciding, .connectFailed), (.waiting, .connectFailed), (.answering, .connectFailed),
            (.tunnelling, .connectFailed),
            (.deciding, .sentAgain), (.connecting, .sentAgain), (.answering, .sentAgain), (.tunnelling, .sentAgain),
            (.deciding, .responseHead), (.connecting, .responseHead), (.answering, .responseHead),
            (.tunnelling, .responseHead),
            (.deciding, .tunnelOpened), (.connecting, .tunnelOpened), (.answering, .tunnelOpened),
            (.tunnelling, .tunnelOpened),
            (.deciding, .responseEnd), (.connecting, .responseEnd), (.waiting, .responseEnd),
            (.deciding, .targetGone), (.connecting, .targetGone),
            (.deciding, .targetMalformed), (.connecting, .targetMalformed),
            (.deciding, .targetUnresponsive), (.connecting, .targetUnresponsive), (.answering, .targetUnresponsive),
            (.tunnelling, .targetUnresponsive),
            (.answering, .answeredHere), (.tunnelling, .answeredHere),
            (.deciding, .leftToClient), (.connecting, .leftToClient), (.answering, .leftToClient),
            (.tunnelling, .leftToClient),
            (.ended, _):  // both connections were released
            preconditionFailure("exchange: \(event) in \(phase)")
        }
    }
}
