/// A tree of plain data, as JSON or YAML writes it, that knows where each part was written.
///
/// Shape:  objects keep the order of their keys. Two values are equal when their content is: places do not count.
public struct Value: Hashable, Sendable {
    /// What a value is.
    public enum Content: Hashable, Sendable {
        /// Nothing: `null`, or in YAML an empty place.
        case null
        /// `true` or `false`.
        case bool(Bool)
        /// A number without fraction or exponent that fits 64 bits.
        case int(Int)
        /// Any other number; always finite.
        case double(Double)
        /// Text. In YAML, what is quoted or not one of the above.
        case string(String)
        /// A list.
        case array([Value])
        /// Keys with their values; each key once.
        case object([Member])
    }

    /// One key of an object with its value.
    public struct Member: Hashable, Sendable {
        /// The key.
        public var key: String
        /// Where the key was written.
        public var keyLocation: Location?
        /// The value.
        public var value: Value

        /// A key and its value.
        public init(_ key: String, _ value: Value, keyLocation: Location? = nil) {
            self.key = key
            self.value = value
            self.keyLocation = keyLocation
        }

        /// Whether keys and values are the same, wherever they were written.
        public static func == (first: Member, second: Member) -> Bool {
            first.key == second.key && first.value == second.value
        }

        /// Hashes key and value.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(key)
            hasher.combine(value)
        }
    }

    /// What it is.
    public var content: Content
    /// Where it was written; nil when it was made by the program.
    public var location: Location?

    /// A value with this content.
    public init(_ content: Content, at location: Location? = nil) {
        self.content = content
        self.location = location
    }

    /// Whether the contents are the same, wherever they were written.
    public static func == (first: Value, second: Value) -> Bool {
        first.content == second.content
    }

    /// Hashes the content.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(content)
    }
}

/// A place in a text. Units: lines and columns (in Unicode scalars) from 1.
public struct Location: Hashable, Sendable {
    /// The line, from 1.
    public var line: Int
    /// The column, from 1.
    public var column: Int

    /// A place.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

extension Value {
    /// The value of `key` when this is an object that has it. Setting adds or replaces the key; setting nil removes it.
    public subscript(key: String) -> Value? {
        get {
            guard case .object(let members) = content else { return nil }
            return members.first { $0.key == key }?.value
        }
        set {
            guard case .object(var members) = content else { return }
            let index = members.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key, value))
            case (nil, nil): return
            }
            content = .object(members)
        }
    }

    /// The elements, when this is a list.
    public var array: [Value]? {
        if case .array(let elements) = content { elements } else { nil }
    }

    /// The members, when this is an object.
    public var members: [Member]? {
        if case .object(let members) = content { members } else { nil }
    }

    /// The text, when this is text.
    public var string: String? {
        if case .string(let text) = content { text } else { nil }
    }

    /// The number, when this is one without a fraction.
    public var int: Int? {
        if case .int(let number) = content { number } else { nil }
    }

    /// The truth value, when this is one.
    public var bool: Bool? {
        if case .bool(let truth) = content { truth } else { nil }
    }

    /// A short form for error messages: text in quotes and cut to 64 characters, lists and objects by kind.
    var brief: String {
        switch content {
        case .null: "nothing"
        case .bool(let truth): "\(truth)"
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .string(let text): text.count <= 64 ? Value.quoted(text) : Value.quoted(text.prefix(64) + "…")
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Text.
    public init(stringLiteral text: String) { self.init(.string(text)) }
    /// A whole number.
    public init(integerLiteral number: Int) { self.init(.int(number)) }
    /// A truth value.
    public init(booleanLiteral truth: Bool) { self.init(.bool(truth)) }
    /// A number.
    public init(floatLiteral number: Double) { self.init(.double(number)) }
    /// Null.
    public init(nilLiteral: ()) { self.init(.null) }
    /// A list.
    public init(arrayLiteral elements: Value...) { self.init(.array(elements)) }
    /// An object with its keys in this order.
    public init(dictionaryLiteral members: (String, Value)...) {
        self.init(.object(members.map { Member($0.0, $0.1) }))
    }

    /// Text.
    public static func string(_ text: String) -> Value { Value(.string(text)) }
    /// A whole number.
    public static func int(_ number: Int) -> Value { Value(.int(number)) }
    /// A truth value.
    public static func bool(_ truth: Bool) -> Value { Value(.bool(truth)) }
    /// A list.
    public static func array(_ elements: [Value]) -> Value { Value(.array(elements)) }
    /// An object.
    public static func object(_ members: [Member]) -> Value { Value(.object(members)) }
    /// A number, which must be finite; one without a fraction becomes a whole number, so that 30 is not written 30.0.
    public static func number(_ number: Double) -> Value {
        Int(exactly: number).map { Value(.int($0)) } ?? Value(.double(number))
    }
}
