import CPCRE2

extension RegularExpression {
    /// What a search has come to.
    public enum Outcome: Equatable, Sendable {
        /// A match was found; its groups lie in the `MatchSpace`.
        case found
        /// There is none.
        case notFound
        /// It was given up at one of `Limits`: there may be a match or not.
        case limit
    }

    /// Searches `text` for the first match.
    ///
    /// PCRE2 counts steps anew at each place where a match may begin. In long texts these places are tried window by
    /// window, so that what all of them cost together is bounded as well.
    ///
    /// All is tried with few steps at first. What needs more is tried again, and takes what that may cost from what the
    /// decision has left (`MatchSpace.beginDecision`): with nothing left it is given up. So it is when the decision has
    /// taken too long.
    public func search(_ text: Span<UInt8>, in space: MatchSpace) -> Outcome {
        guard mayMatch(text) else { return .notFound }
        guard space.hasTime(for: text.count) else { return .limit }
        return unsafe text.withUnsafeBufferPointer { buffer in
            if unsafe buffer.baseAddress == nil {
                // A text without a byte still needs an address.
                var nothing: UInt8 = 0
                return unsafe withUnsafePointer(to: &nothing) { pointer in
                    unsafe search(UnsafeBufferPointer(start: pointer, count: 0), in: space)
                }
            }
            return unsafe search(buffer, in: space)
        }
    }

    private func search(_ text: UnsafeBufferPointer<UInt8>, in space: MatchSpace) -> Outcome {
        if isAnchored || text.count <= Limits.shortTextBytesMax {
            let placeCount = isAnchored ? 1 : UInt32(text.count) + 1
            let steps =
                isAnchored
                ? (Limits.anchoredStepsAtFirst, Limits.anchoredStepsThen, Limits.anchoredSteps)
                : (Limits.windowSteps, Limits.shortTextStepsThen, Limits.shortTextSteps)
            for attempt in 0..<3 {
                let steps = attempt == 0 ? steps.0 : attempt == 1 ? steps.1 : steps.2
                guard attempt == 0 || space.take(steps: steps * placeCount) else { return .limit }
                let outcome = Outcome(unsafe space.search(text, self, from: 0, to: text.count, steps: steps))
                if outcome != .limit { return outcome }
            }
            return .limit
        }
        var start = 0
        var retriedWindows = 0
        while start <= text.count {
            let end = min(start + Limits.windowBytes - 1, text.count)
            var outcome = Outcome(
                unsafe space.search(text, self, from: start, to: end, steps: Limits.windowSteps))
            if outcome == .limit {
                retriedWindows += 1
                guard retriedWindows <= Limits.retriedWindowsMax,
                    space.take(steps: Limits.retriedWindowSteps * UInt32(Limits.windowBytes))
                else { return .limit }
                outcome = Outcome(
                    unsafe space.search(text, self, from: start, to: end, steps: Limits.retriedWindowSteps))
            }
            guard outcome == .notFound else { return outcome }
            start = end + 1
        }
        return .notFound
    }
}

extension RegularExpression.Outcome {
    /// What pcre2_match(3) returned.
    fileprivate init(_ code: Int32) {
        if code >= 0 {
            self = .found
        } else {
            self = code == Int32(APUS_REGEX_NO_MATCH) ? .notFound : .limit
        }
    }
}
