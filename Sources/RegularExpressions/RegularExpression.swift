import CPCRE2

/// A pattern that was compiled by PCRE2, and by its JIT compiler where the system lets it. A match may begin anywhere
/// in a text unless the pattern says otherwise (`^`, `$`).
///
/// Shape:  bytes, not characters: patterns cannot switch to UTF-8. The compiled pattern is shared by all copies and
///         does not change; matching touches the copy alone, so that threads with copies of their own share no counter.
/// Limits: those of `Limits` for each match; captures beyond the ninth cannot be asked for.
/// Source: pcre2api(3), pcre2pattern(3).
@safe public final class RegularExpression: @unchecked Sendable, Equatable {
    /// What all copies share.
    @safe private final class Compiled {
        let code: OpaquePointer
        init(_ code: OpaquePointer) { unsafe self.code = code }
        deinit { unsafe apus_regex_free(code) }
    }

    private let compiled: Compiled
    /// The same as in `compiled`.
    let code: OpaquePointer
    /// Whether it runs as machine code.
    public let isJITCompiled: Bool
    /// Whether a match can begin at the beginning of the text alone.
    let isAnchored: Bool
    /// How every text begins that it can match, as far as that is known.
    public let prefix: [UInt8]
    /// How many groups it captures.
    public let captureCount: Int
    /// The text that was compiled.
    public let pattern: String
    /// Whether the case of ASCII letters does not matter.
    public let ignoresCase: Bool

    /// Compiles `pattern`. Throws what is wrong with it.
    public init(_ pattern: String, ignoresCase: Bool) throws(RegularExpressionError) {
        let options = UInt32(APUS_REGEX_OPTIONS) | (ignoresCase ? UInt32(APUS_REGEX_CASELESS) : 0)
        let code = unsafe try Self.compile(pattern, options)
        unsafe compiled = Compiled(code)
        unsafe self.code = code
        isJITCompiled = unsafe apus_regex_jit_compile(code) == 0
        isAnchored = unsafe apus_regex_is_anchored(code) != 0
        prefix = Self.literalPrefix(of: pattern, isAnchored: isAnchored, ignoresCase: ignoresCase)
        captureCount = unsafe Int(apus_regex_capture_count(code))
        self.pattern = pattern
        self.ignoresCase = ignoresCase
    }

    /// A copy for another thread.
    public init(copying other: RegularExpression) {
        compiled = other.compiled
        unsafe code = other.code
        isJITCompiled = other.isJITCompiled
        isAnchored = other.isAnchored
        prefix = other.prefix.map { $0 }
        captureCount = other.captureCount
        pattern = other.pattern
        ignoresCase = other.ignoresCase
    }

    /// What is wrong with `pattern`; nil if it can be compiled.
    public static func mistake(in pattern: String) -> RegularExpressionError? {
        do throws(RegularExpressionError) {
            unsafe apus_regex_free(try compile(pattern, UInt32(APUS_REGEX_OPTIONS)))
            return nil
        } catch { return error }
    }

    /// Compiles `pattern` with these options of PCRE2. The caller frees the result.
    static func compile(_ pattern: String, _ options: UInt32) throws(RegularExpressionError) -> OpaquePointer {
        let bytes = Array(pattern.utf8)
        if let offset = verb(in: bytes) {
            throw RegularExpressionError(message: "verbs in (*…) are not supported", offset: offset)
        }
        var error: Int32 = 0
        var offset = 0
        let code = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe apus_regex_compile(buffer.baseAddress, buffer.count, options, &error, &offset)
        }
        guard let code = unsafe code else {
            var text = [UInt8](repeating: 0, count: 256)
            let count = unsafe apus_regex_error_text(error, &text, text.count)
            throw RegularExpressionError(
                message: String(decoding: text.prefix(Int(max(0, count))), as: UTF8.self), offset: offset)
        }
        return unsafe code
    }

    /// Where `(*` stands in a pattern: it begins a verb that switches what PCRE2 does, its limits among it, and has no
    /// other meaning. In a class, in quotes and behind a backslash it has none at all.
    private static func verb(in pattern: [UInt8]) -> Int? {
        let backslash = UInt8(ascii: "\\")
        var index = 0
        var classStart: Int?
        var isQuoted = false
        while index < pattern.count {
            let byte = pattern[index]
            let next = index + 1 < pattern.count ? pattern[index + 1] : 0
            if isQuoted {
                if byte == backslash, next == UInt8(ascii: "E") { isQuoted = false }
            } else if byte == backslash {
                if next == UInt8(ascii: "Q") { isQuoted = true }
                index += 1
            } else if let start = classStart {
                // A bracket at its beginning is one of its characters.
                let isFirst = index == start + 1 || index == start + 2 && pattern[start + 1] == UInt8(ascii: "^")
                if byte == UInt8(ascii: "]"), !isFirst { classStart = nil }
            } else if byte == UInt8(ascii: "[") {
                classStart = index
            } else if byte == UInt8(ascii: "("), next == UInt8(ascii: "*") {
                return index
            }
            index += 1
        }
        return nil
    }

    /// Whether they were compiled from the same text in the same way.
    public static func == (first: RegularExpression, second: RegularExpression) -> Bool {
        first === second || first.ignoresCase == second.ignoresCase && first.pattern == second.pattern
    }
}

/// What is wrong with a pattern.
public struct RegularExpressionError: Error, Equatable, Sendable {
    /// What PCRE2 says, such as `missing closing parenthesis`.
    public let message: String
    /// How many bytes of the pattern stand before the place.
    public let offset: Int
}
