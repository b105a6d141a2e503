/// What a value may be. Every key of the vocabulary is described once (the files `…+Keys.swift`), and from that one
/// description come decoding, encoding, the messages, the JSON Schema and the test of `conf/reference.yaml`.
indirect enum Shape: Sendable {
    /// True or false.
    case bool
    /// A whole number in a range, of this unit if any.
    case integer(ClosedRange<Int>, unit: String?)
    /// A number in a range, of this unit if any.
    case number(ClosedRange<Double>, unit: String?)
    /// Text that follows a rule.
    case text(TextRule)
    /// One of these words, or of others that stand for some of them.
    case word([String], aliases: [String] = [])
    /// A list of so many elements.
    case list(Shape, count: ClosedRange<Int>)
    /// An object with known keys.
    case object(ObjectShape)
    /// An object whose keys are names.
    case map(Shape)
    /// Either of two.
    case either(Shape, Shape)
}

/// What an object may hold.
struct ObjectShape: Sendable {
    /// Its name in the JSON Schema, as in `TargetGroup`.
    let name: String
    /// How a sentence calls it, as in `a target group`.
    let noun: String
    /// Its keys, in the order in which they are written.
    let keys: [KeyShape]
    /// Keys that ELBv2 knows and this version does not support.
    let refused: [RefusedKey]
}

/// One key of an object.
struct KeyShape: Sendable {
    /// The key.
    let name: String
    /// What its value may be.
    let shape: Shape
    /// Whether it must be there.
    let isRequired: Bool
    /// Its default; nil when it is required or has none.
    let defaultValue: Value?
    /// What it means: one sentence.
    let meaning: String
}

/// A key that ELBv2 knows and this version does not support.
struct RefusedKey: Sendable {
    /// The key.
    let name: String
    /// The values that describe what is done anyway. They are accepted and kept as they were written.
    let accepted: [Value]
    /// The kinds of load balancer whose objects have the key in ELBv2. Elsewhere the key is accepted as well, like
    /// every key with its default, and means nothing.
    let kinds: [LoadBalancer.Kind]

    /// A key that is accepted with one of these values.
    init(_ name: String, accepted: Value..., of kinds: LoadBalancer.Kind...) {
        self.name = name
        self.accepted = accepted
        self.kinds = kinds.isEmpty ? LoadBalancer.Kind.allCases : kinds
    }
}

/// A rule that text must follow.
struct TextRule: Sendable {
    /// What the text must be, in words that follow "must be".
    let expected: String
    /// How many characters it has.
    let length: ClosedRange<Int>
    /// The rule as a regular expression, for the JSON Schema; it may be wider than `accepts`.
    let pattern: String?
    /// What to do about text that breaks it: a sentence.
    let remedy: String
    /// Whether text of an allowed length follows the rule.
    let accepts: @Sendable (String) -> Bool

    /// A rule for text of this length.
    init(
        _ expected: String, length: ClosedRange<Int>, pattern: String? = nil, remedy: String,
        accepts: @escaping @Sendable (String) -> Bool = { _ in true }
    ) {
        self.expected = expected
        self.length = length
        self.pattern = pattern
        self.remedy = remedy
        self.accepts = accepts
    }
}

extension Shape {
    /// The shape in words, after "must be".
    var expected: String {
        switch self {
        case .bool: return "true or false"
        case .integer(let range, let unit):
            let what = unit.map { "a whole number of \($0)" } ?? "an integer"
            return "\(what) from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range, let unit):
            let what = unit.map { "a number of \($0)" } ?? "a number"
            return "\(what) from \(Shape.plain(range.lowerBound)) to \(Shape.plain(range.upperBound))"
        case .text(let rule): return rule.expected
        case .word(let words, _): return Shape.alternatives(words)
        case .list(let element, let count):
            if count == 1...1 { return "a list of exactly one, \(element.expected)" }
            let least = count.lowerBound == 0 ? "at most" : "\(count.lowerBound) to"
            return "a list of \(least) \(count.upperBound), each \(element.expected)"
        case .object(let object): return object.noun
        case .map(let element): return "an object with names as keys, each \(element.expected)"
        case .either(let first, let second): return "\(first.expected) or \(second.expected)"
        }
    }

    /// A number as text, without `.0` if it is whole.
    static func plain(_ number: Double) -> String {
        Value.number(number).json()
    }

    /// `a`, `a or b`, `a, b or c`.
    static func alternatives(_ words: [String]) -> String {
        guard words.count > 1, let last = words.last else { return words.first ?? "nothing" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
