import CPCRE2

/// What matching needs of memory: one for each thread that matches.
///
/// Shape:  owned by one thread. Nothing is allocated per match, but for what the interpreter keeps where the JIT
///         compiler may not be used.
@safe public final class MatchSpace {
    private let data: OpaquePointer
    private let context: OpaquePointer
    private let stack: OpaquePointer
    /// How many groups the pattern has that was searched for last.
    private var groupCount = 0
    /// Steps beyond the first that searches of the current decision may still take.
    private var stepsLeft = Limits.decisionSteps
    /// Bytes that the searches of the current decision have read since the last look at the clock.
    private var bytesSinceLook = 0
    /// What the thread had used of the processor at the first look in the current decision; nil before that.
    private var timeAtFirstLook: UInt64?
    /// The searches of the current decision have taken too long.
    private var isOutOfTime = false
    /// What was found out in a decision, by the number of a condition: the decision's number, and two bits.
    private var verdicts: [UInt32] = []
    /// The number of the current decision, in the place that it has in `verdicts`.
    private var decision: UInt32 = 0

    /// Allocates it: some 35 KiB.
    public init() {
        guard let data = unsafe apus_regex_match_data(UInt32(Limits.capturesMax + 1)),
            let context = unsafe apus_regex_context(),
            let stack = unsafe apus_regex_jit_stack(Limits.stackBytesMin, Limits.stackBytesMax)
        else { preconditionFailure("regular expressions: no memory for matching") }
        unsafe self.data = data
        unsafe self.context = context
        unsafe self.stack = stack
        unsafe apus_regex_jit_stack_assign(context, stack)
        unsafe apus_regex_limits(context, 1, Limits.interpreterDepth, Limits.interpreterKibibytes)
    }

    deinit {
        unsafe apus_regex_match_data_free(data)
        unsafe apus_regex_context_free(context)
        unsafe apus_regex_jit_stack_free(stack)
    }

    /// Begins what `Limits.decisionSteps` is for: the decision about one request, by conditions whose numbers are below
    /// `conditionCount`. Memory grows with the largest table of rules and is kept.
    public func beginDecision(conditionCount: Int = 0) {
        stepsLeft = Limits.decisionSteps
        bytesSinceLook = 0
        timeAtFirstLook = nil
        isOutOfTime = false
        if verdicts.count < conditionCount {
            verdicts = [UInt32](repeating: 0, count: conditionCount)
            decision = 0
        }
        if decision > UInt32.max - 8 {
            for index in verdicts.indices { verdicts[index] = 0 }
            decision = 0
        }
        decision += 4
    }

    /// What was noted for the condition with this number in this decision; nil if nothing was.
    public func verdict(_ condition: Int) -> UInt8? {
        guard condition < verdicts.count else { return nil }
        let noted = verdicts[condition]
        return noted & ~3 == decision ? UInt8(truncatingIfNeeded: noted & 3) : nil
    }

    /// Notes what testing the condition with this number has come to: 0 to 3.
    public func note(_ verdict: UInt8, _ condition: Int) {
        if condition < verdicts.count { verdicts[condition] = decision | UInt32(verdict & 3) }
    }

    /// Whether the decision has time for a search of a text of `byteCount` bytes.
    ///
    /// Time of the processor, since another thread that runs is no reason to refuse a request. To ask for it costs as
    /// much as some searches of short texts, so it is asked for after so many bytes.
    func hasTime(for byteCount: Int) -> Bool {
        bytesSinceLook += byteCount + Limits.searchBytes
        guard bytesSinceLook > Limits.bytesBetweenLooks, !isOutOfTime else { return !isOutOfTime }
        bytesSinceLook = 0
        let now = apus_thread_time()
        guard let first = timeAtFirstLook else {
            timeAtFirstLook = now
            return true
        }
        isOutOfTime = now - first > Limits.decisionTime
        return !isOutOfTime
    }

    /// Takes `steps` from what the decision has left; false if it has fewer.
    func take(steps: UInt32) -> Bool {
        guard stepsLeft >= steps else { return false }
        stepsLeft -= steps
        return true
    }

    /// Searches `text` from the byte `start` on for a match that begins before the byte `end`, with at most `steps`
    /// steps from each place. Returns what pcre2_match(3) does.
    func search(
        _ text: UnsafeBufferPointer<UInt8>, _ expression: RegularExpression, from start: Int, to end: Int,
        steps: UInt32
    ) -> Int32 {
        groupCount = min(expression.captureCount, Limits.capturesMax)
        let factor = expression.isJITCompiled ? 1 : Limits.interpreterFactor
        unsafe apus_regex_match_limit(context, steps / factor)
        unsafe apus_regex_offset_limit(context, end)
        return unsafe apus_regex_match(
            expression.code, text.baseAddress, text.count, start, 0, data, context)
    }

    /// Where the group `index` of the last match lies in the text; nil if it took no part in it. 0 is the whole match.
    public func capture(_ index: Int) -> Range<Int>? {
        precondition(index >= 0 && index <= Limits.capturesMax, "regular expressions: no capture \(index)")
        // Behind the groups of the pattern lies what an earlier one has left.
        guard index <= groupCount, let offsets = unsafe apus_regex_offsets(data) else { return nil }
        let (start, end) = unsafe (offsets[2 * index], offsets[2 * index + 1])
        // A group that took no part has the largest number for both.
        return start <= end && start != Int.max && end < Int.max && start >= 0 ? start..<end : nil
    }
}
