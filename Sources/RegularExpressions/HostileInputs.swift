import CPCRE2

/// Texts on which a pattern may backtrack the most: what each of its items and groups matches, many times over, with a
/// byte behind it that fits nowhere.
///
/// They are tried where somebody asks whether a pattern is safe (`apus check`), not while traffic is served. No such
/// test finds everything: what it misses is bounded at run time all the same.
public struct HostileInputs {
    /// The text for which a pattern needs too much, cut for people.
    public struct Finding: Equatable, Sendable {
        /// The part that is repeated.
        public let repeated: String
        /// How long the text is.
        public let byteCount: Int
        /// Whether requests with such a text are refused; otherwise they cost much.
        public let isRefused: Bool
        /// Whether a match can begin at the beginning of a text alone.
        public let isAnchored: Bool
    }

    /// Bytes of each text in which items are counted. Reason: what is quadratic shows here.
    private static let byteCount = 2048
    /// Bytes of the text that shows whether requests are refused. Reason: half of the longest field.
    private static let longByteCount = 8192
    /// Items of a pattern that may be tried for each byte of a text on average. Linear patterns need a few.
    private static let stepsPerByteMax: UInt64 = 400

    /// The first text for which `pattern` needs too much; nil without any, or if it cannot be compiled.
    public static func worst(for pattern: String, ignoresCase: Bool) -> Finding? {
        guard let expression = try? RegularExpression(pattern, ignoresCase: ignoresCase),
            let counting = try? StepCounter(pattern)
        else { return nil }
        let space = MatchSpace()
        for input in inputs(for: pattern) {
            let text = input.text(byteCount)
            guard counting.needsMore(than: stepsPerByteMax * UInt64(text.count), for: text) else { continue }
            let long = input.text(longByteCount)
            space.beginDecision()
            return Finding(
                repeated: String(decoding: input.part.text.prefix(32), as: UTF8.self), byteCount: long.count,
                isRefused: expression.search(long.span, in: space) == .limit, isAnchored: expression.isAnchored)
        }
        return nil
    }

    /// A text of any length.
    struct Input {
        /// What it repeats, and begins with.
        let part: PatternSample.Part
        /// What it ends with.
        let end: [UInt8]

        /// The text with about `byteCount` bytes of repetitions.
        func text(_ byteCount: Int) -> [UInt8] {
            var text = part.before
            for _ in 0..<(byteCount / part.text.count) { text += part.text }
            return text + end
        }
    }

    /// The texts for a pattern. What it wants at its end, PCRE2 looks for first, so each comes with that and without.
    static func inputs(for pattern: String) -> [Input] {
        let sample = PatternSample(pattern)
        var parts: [PatternSample.Part] = []
        for part in sample.parts where !parts.contains(part) { parts.append(part) }
        return parts.prefix(64).flatMap { part in
            [[UInt8(1)], [1] + part.after, part.after.dropLast() + [1] + part.after.suffix(1)]
                .map { Input(part: part, end: $0) }
        }
    }
}

/// Counts the items of a pattern that PCRE2 tries, by callouts that it makes at each.
@safe private final class StepCounter {
    private let code: OpaquePointer
    private let data: OpaquePointer
    private let context: OpaquePointer
    private let steps: UnsafeMutablePointer<apus_regex_steps>

    init(_ pattern: String) throws(RegularExpressionError) {
        let options = UInt32(APUS_REGEX_OPTIONS) | UInt32(APUS_REGEX_AUTO_CALLOUT)
        unsafe code = try RegularExpression.compile(pattern, options)
        guard let data = unsafe apus_regex_match_data(1), let context = unsafe apus_regex_context() else {
            preconditionFailure("regular expressions: no memory for matching")
        }
        unsafe self.data = data
        unsafe self.context = context
        unsafe steps = .allocate(capacity: 1)
        unsafe steps.initialize(to: apus_regex_steps())
        unsafe apus_regex_set_counter(context, steps)
        unsafe apus_regex_limits(context, UInt32.max, Limits.interpreterDepth, Limits.interpreterKibibytes)
    }

    deinit {
        unsafe apus_regex_free(code)
        unsafe apus_regex_match_data_free(data)
        unsafe apus_regex_context_free(context)
        unsafe steps.deallocate()
    }

    func needsMore(than count: UInt64, for text: [UInt8]) -> Bool {
        unsafe steps.pointee = apus_regex_steps(steps: 0, steps_max: count)
        _ = unsafe text.withUnsafeBufferPointer { text in
            unsafe apus_regex_match(code, text.baseAddress, text.count, 0, 0, data, context)
        }
        return unsafe steps.pointee.steps > count
    }
}
