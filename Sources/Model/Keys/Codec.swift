/// How one kind of value is read, written and described.
struct Codec<Model: Sendable>: Sendable {
    /// What the value may be.
    let shape: Shape
    /// Reads it; nil after at least one mistake was reported.
    let decode: @Sendable (Value, inout Findings) -> Model?
    /// Writes it, so that reading gives an equal one back.
    let encode: @Sendable (Model) -> Value

    /// A codec for another type that stands for this one. `read` reports a mistake when it returns nil.
    func converted<Other: Sendable>(
        to read: @escaping @Sendable (Model, inout Findings) -> Other?, from write: @escaping @Sendable (Other) -> Model
    ) -> Codec<Other> {
        Codec<Other>(
            shape: shape,
            decode: { value, findings in decode(value, &findings).flatMap { read($0, &findings) } },
            encode: { encode(write($0)) })
    }

    /// Reports that `value` is not what the shape says; always nil, for the caller to return.
    private static func mismatch(
        _ shape: Shape, _ value: Value, _ findings: inout Findings, remedy: String
    ) -> Model? {
        findings.report(
            "\(findings.subject) must be \(shape.expected)", found: value.brief, at: value.location, remedy: remedy)
        return nil
    }
}

extension Codec where Model == Bool {
    /// True or false.
    static let bool = Codec(
        shape: .bool,
        decode: { value, findings in
            if let truth = value.bool { return truth }
            let remedy =
                switch value.content {
                case .string("true"), .string("yes"), .string("on"), .int(1): "Write true."
                case .string("false"), .string("no"), .string("off"), .int(0): "Write false."
                default: "Write true or false."
                }
            return mismatch(.bool, value, &findings, remedy: remedy)
        },
        encode: { .bool($0) })
}

extension Codec where Model == Int {
    /// A whole number in a range.
    static func integer(_ range: ClosedRange<Int>, unit: String? = nil) -> Codec {
        let shape = Shape.integer(range, unit: unit)
        return Codec(
            shape: shape,
            decode: { value, findings in
                if let number = value.int, range.contains(number) { return number }
                let remedy = numberRemedy(value, Double(range.lowerBound)...Double(range.upperBound)) { $0.rounded() }
                return mismatch(shape, value, &findings, remedy: remedy)
            },
            encode: { .int($0) })
    }

    /// A whole number in a range, which ELBv2 writes as text: text and numbers are read, numbers are written.
    static func digits(_ range: ClosedRange<Int>) -> Codec {
        let shape = Shape.integer(range, unit: nil)
        return Codec(
            shape: .either(shape, .text(TextRule("the same as text", length: 1...5, pattern: "^[0-9]+$", remedy: ""))),
            decode: { value, findings in
                let number = value.int ?? value.string.flatMap { Int($0) }
                if let number, range.contains(number) { return number }
                return mismatch(shape, value, &findings, remedy: "Write a number such as \(range.lowerBound).")
            },
            encode: { .int($0) })
    }
}

extension Codec where Model == Double {
    /// A number in a range.
    static func number(_ range: ClosedRange<Double>, unit: String) -> Codec {
        let shape = Shape.number(range, unit: unit)
        return Codec(
            shape: shape,
            decode: { value, findings in
                switch value.content {
                case .int(let number) where range.contains(Double(number)): return Double(number)
                case .double(let number) where range.contains(number): return number
                default: return mismatch(shape, value, &findings, remedy: numberRemedy(value, range) { $0 })
                }
            },
            encode: { .number($0) })
    }
}

/// What to write instead of a wrong number: its leading digits if it was text, the near bound if it was out of range.
private func numberRemedy(_ value: Value, _ range: ClosedRange<Double>, _ fit: (Double) -> Double) -> String {
    let number: Double
    switch value.content {
    case .int(let int): number = Double(int)
    case .double(let double): number = double
    case .string(let text):
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let written = Double(digits).map(fit), range.contains(written) else { return "Write a number." }
        return "Write \(Shape.plain(written))\(digits == text ? ", without quotes" : "")."
    default: return "Write a number."
    }
    if number < range.lowerBound { return "Write \(Shape.plain(range.lowerBound)) or more." }
    if number > range.upperBound { return "Write \(Shape.plain(range.upperBound)) or less." }
    return "Write \(Shape.plain(fit(number)))."
}

extension Codec where Model == String {
    /// Text that follows a rule.
    static func text(_ rule: TextRule) -> Codec {
        Codec(
            shape: .text(rule),
            decode: { value, findings in
                if let text = value.string, rule.length.contains(text.unicodeScalars.count), rule.accepts(text) {
                    return text
                }
                let remedy =
                    switch value.content {
                    case .int, .double, .bool: "Write it in quotes: \"\(value.brief)\"."
                    default: rule.remedy
                    }
                return mismatch(.text(rule), value, &findings, remedy: remedy)
            },
            encode: { .string($0) })
    }
}

extension Codec where Model: RawRepresentable<String> & CaseIterable {
    /// One of the words of an enumeration. `refused` are words that ELBv2 also knows here, `aliases` other spellings,
    /// which are read and not written.
    static func word(
        refused: [String] = [], aliases: [String: Model] = [:], code: ConfigError.Code = .validationError
    ) -> Codec where Model: Sendable {
        let words = Model.allCases.map(\.rawValue)
        let shape = Shape.word(words, aliases: aliases.keys.sorted())
        return Codec(
            shape: shape,
            decode: { value, findings in
                if let model = value.string.flatMap({ Model(rawValue: $0) ?? aliases[$0] }) { return model }
                if let word = value.string, refused.contains(word) {
                    findings.report(
                        "\(findings.subject) must be \(shape.expected)", found: value.brief, at: value.location,
                        remedy: "\(word) is known to ELBv2, not supported by this version.", code: code)
                    return nil
                }
                let near = value.string.flatMap { Spelling.nearest(to: $0, among: words) }
                let remedy = near.map { "Did you mean \($0)?" } ?? "Write \(Shape.alternatives(words))."
                return mismatch(shape, value, &findings, remedy: remedy)
            },
            encode: { .string($0.rawValue) })
    }
}

extension Codec {
    /// A list of so many elements. `code` is for one that is too long.
    static func list<Element: Sendable>(
        _ element: Codec<Element>, count: ClosedRange<Int>, code: ConfigError.Code = .validationError
    ) -> Codec<[Element]> where Model == [Element] {
        let shape = Shape.list(element.shape, count: count)
        return Codec(
            shape: shape,
            decode: { value, findings in
                guard let values = value.array else {
                    return mismatch(shape, value, &findings, remedy: "Write a list, even of one: [ … ].")
                }
                guard count.contains(values.count) else {
                    findings.report(
                        "\(findings.subject) must be \(shape.expected)",
                        found: values.isEmpty ? "an empty list" : "\(values.count)",
                        at: value.location,
                        remedy: values.count < count.lowerBound ? "Add what is missing." : "Remove some.",
                        code: values.count > count.upperBound ? code : .validationError)
                    return nil
                }
                var elements: [Element] = []
                elements.reserveCapacity(values.count)
                for (index, value) in values.enumerated() {
                    let read = findings.within(.index(index)) { findings in element.decode(value, &findings) }
                    if let read { elements.append(read) }
                }
                return elements.count == values.count ? elements : nil
            },
            encode: { .array($0.map(element.encode)) })
    }

    /// An object whose keys are names, written in the order of the names.
    static func map<Element: Sendable>(_ element: Codec<Element>) -> Codec<[String: Element]>
    where Model == [String: Element] {
        let shape = Shape.map(element.shape)
        return Codec(
            shape: shape,
            decode: { value, findings in
                guard let members = value.members else {
                    return mismatch(shape, value, &findings, remedy: "Write an object, as in {\"name\": 1}.")
                }
                var elements: [String: Element] = [:]
                for member in members {
                    elements[member.key] = findings.within(.key(member.key)) { findings in
                        element.decode(member.value, &findings)
                    }
                }
                return elements.count == members.count ? elements : nil
            },
            encode: { elements in
                .object(elements.sorted { $0.key < $1.key }.map { Value.Member($0.key, element.encode($0.value)) })
            })
    }

    /// A whole number, or the word `auto` for nil.
    static func auto(or range: ClosedRange<Int>, unit: String? = nil) -> Codec<Int?> where Model == Int? {
        integer(range, unit: unit, or: "auto")
    }

    /// A whole number, or the word `off` for nil.
    static func off(or range: ClosedRange<Int>, unit: String? = nil) -> Codec<Int?> where Model == Int? {
        integer(range, unit: unit, or: "off")
    }

    private static func integer(
        _ range: ClosedRange<Int>, unit: String?, or word: String
    ) -> Codec<Int?> where Model == Int? {
        let integer = Codec<Int>.integer(range, unit: unit)
        let shape = Shape.either(.word([word]), integer.shape)
        return Codec(
            shape: shape,
            decode: { value, findings in
                if value.string == word { return .some(nil) }
                if let number = value.int, range.contains(number) { return number }
                let remedy =
                    switch value.content {
                    case .int, .double:
                        numberRemedy(value, Double(range.lowerBound)...Double(range.upperBound)) { $0.rounded() }
                    default: "Write \(word) or a number."
                    }
                return mismatch(shape, value, &findings, remedy: remedy)
            },
            encode: { $0.map(Value.int) ?? .string(word) })
    }
}
