import CPCRE2

/// What matching needs of memory: one for each thread that matches.
///
/// Shape:  owned by one thread. Nothing is allocated per match, but for what the interpreter keeps where the JIT
///         compiler may not be used.
@safe public final class MatchSpace {
    private let data: OpaquePointer
    private let context: OpaquePointer
    private let stack: OpaquePointer

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

    /// Searches `text` from the byte `start` on for a match that begins before the byte `end`, with at most `steps`
    /// steps from each place. Returns what pcre2_match(3) does.
    func search(
        _ text: UnsafeBufferPointer<UInt8>, _ expression: RegularExpression, from start: Int, to end: Int,
        steps: UInt32
    ) -> Int32 {
        let factor = expression.isJITCompiled ? 1 : Limits.interpreterFactor
        unsafe apus_regex_match_limit(context, steps / factor)
        unsafe apus_regex_offset_limit(context, end)
        return unsafe apus_regex_match(
            expression.code, text.baseAddress, text.count, start, 0, data, context)
    }
}
