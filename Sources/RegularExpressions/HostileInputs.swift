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
    }

    /// Bytes of each text. Reason: half of the longest field; what is quadratic shows here.
    private static let byteCount = 8192
    /// Items of a pattern that may be tried for each byte of a text on average. Linear patterns need a few.
    private static let stepsPerByteMax: UInt64 = 400

    /// The first text for which `pattern` needs too much; nil without any, or if it cannot be compiled.
    public static func worst(for pattern: String, ignoresCase: Bool) -> Finding? {
        guard let expression = try? RegularExpression(pattern, ignoresCase: ignoresCase),
            let counting = try? StepCounter(pattern)
        else { return nil }
        let space = MatchSpace()
        for input in texts(for: pattern) {
            space.beginDecision()
            let outcome = expression.search(input.text.span, in: space)
            let repeated = String(decoding: input.unit.prefix(32), as: UTF8.self)
            if outcome == .limit { return Finding(repeated: repeated, byteCount: input.text.count, isRefused: true) }
            if counting.needsMore(than: stepsPerByteMax * UInt64(input.text.count), for: input.text) {
                return Finding(repeated: repeated, byteCount: input.text.count, isRefused: false)
            }
        }
        return nil
    }

    /// The texts, each with the part that it repeats. What a pattern wants at its end, PCRE2 looks for first, so each
    /// text comes with that and without.
    static func texts(for pattern: String) -> [(unit: [UInt8], text: [UInt8])] {
        let sample = PatternSample(pattern)
        var units: [PatternSample.Part] = []
        for part in sample.parts where !units.contains(part) { units.append(part) }
        return units.prefix(64).flatMap { part in
            let count = byteCount / part.text.count
            var text = part.before
            for _ in 0..<count { text += part.text }
            return [[UInt8(1)], [1] + part.after, part.after.dropLast() + [1] + part.after.suffix(1)]
                .map { (part.text, text + $0) }
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
