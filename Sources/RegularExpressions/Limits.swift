/// The caps on what a match may cost. A step is what PCRE2 counts against its match limit: some 1.5 ns of code that was
/// compiled by its JIT compiler, and ten times that without it.
public enum Limits {
    /// Steps that the searches for one request may take together, beyond the first few of each. Reason: as much as one
    /// search of the worst kind needs, some 20 ms, whatever the number of rules. Beyond it there is no verdict.
    static let decisionSteps: UInt32 = 14_000_000

    /// Nanoseconds of the processor that the searches of one decision may take together. Reason: each is bounded, but a
    /// listener has thousands of rules, and a request four fields of 16 KiB. Beyond it there is no verdict.
    static let decisionTime: UInt64 = 25_000_000
    /// Bytes of text that searches read between two looks at the clock; most decisions read fewer, and never look.
    /// Reason: 6 ms for the worst pattern.
    static let bytesBetweenLooks = 16 * 1024
    /// Bytes for which a search counts beside its text.
    static let searchBytes = 32

    /// Steps of an anchored pattern at first, and then: what is linear in a path, and in a header field, stays below.
    static let anchoredStepsAtFirst: UInt32 = 2_000
    static let anchoredStepsThen: UInt32 = 20_000

    /// Steps from each place of a short text if those of a window did not suffice: what is linear stays below.
    static let shortTextStepsThen: UInt32 = 2_000

    /// Steps of a pattern that is anchored at the beginning of the text. Reason: 0.3 ms; what is linear in the
    /// longest field, 16 KiB, stays below. Beyond it there is no verdict.
    static let anchoredSteps: UInt32 = 200_000

    /// Steps from each place of a short text where a match may begin. Reason: 15 ms for the longest such text.
    static let shortTextSteps: UInt32 = 20_000

    /// Bytes of a short text. Hosts have fewer, and nearly all paths.
    static let shortTextBytesMax = 512

    /// Places of a long text where a match may begin that are tried together, first with few steps.
    static let windowBytes = 32

    /// Steps from each of them at first. Reason: a whole text of 16 KiB costs 6 ms at most.
    static let windowSteps: UInt32 = 256

    /// Steps from each of them if those did not suffice: a pattern that is linear from there stays below.
    static let retriedWindowSteps: UInt32 = 40_000

    /// Windows of a text that may be tried again. Reason: 2 ms each. Beyond it there is no verdict.
    static let retriedWindowsMax = 8

    /// How many times fewer steps there are where the JIT compiler may not be used, as the system forbids memory that
    /// is writable and executable.
    static let interpreterFactor: UInt32 = 8

    /// Nested attempts of the interpreter, and the KiB that they may take. Reason: memory of a worker.
    static let interpreterDepth: UInt32 = 20_000
    static let interpreterKibibytes: UInt32 = 8_192

    /// Bytes of the stack of compiled patterns: at first, and at most. Beyond it there is no verdict.
    static let stackBytesMin = 32 * 1024
    static let stackBytesMax = 512 * 1024

    /// Groups of a pattern whose text a replacement can ask for: $1 to $9, and $0 for the whole match.
    public static let capturesMax = 9
}
