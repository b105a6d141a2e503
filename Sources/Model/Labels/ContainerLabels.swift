/// What the labels of a container ask for: which requests it wants, and how it is used.
///
/// Shape:  a value. Hosts are in lower case; hosts and paths are sorted, each once.
/// Limits: `Limits.containerLabelsMax` labels that begin with `apus.`, each of `Limits.containerLabelBytesMax` bytes.
public struct ContainerLabels: Hashable, Sendable {
    /// What all of its labels begin with.
    static let prefix = "apus."

    /// Whether the container takes part.
    var isEnabled = true
    /// The name of its group; nil for one that is made of what it asks for.
    var group: String?
    /// The listeners of its rules; none for the one that is allowed.
    var listeners: [ListenerName] = []
    /// Patterns of the hosts whose requests it wants; none for any.
    var hosts: [String] = []
    /// Patterns of the paths whose requests it wants; none for any.
    var paths: [String] = []
    /// The place of its rules; nil for one after all others.
    var priority: Int?
    /// The port that requests go to; nil for the one that it exposes.
    public internal(set) var port: Int?
    /// Its share beside the other targets of the group.
    public internal(set) var weight: Int?
    /// The settings of its group, without name and targets.
    var settings = TargetGroup(name: "", targetType: .ip, protocol: .http, port: 80)

    /// Whether any of `names` is that of a label with which a container takes part.
    public static func areIn(_ names: some Sequence<String>) -> Bool { names.contains { $0.hasPrefix(prefix) } }

    /// What all containers of one group have in common: everything but the port and the weight.
    var shared: ContainerLabels {
        var shared = self
        (shared.port, shared.weight) = (nil, nil)
        return shared
    }

    /// The name of its group. One that is made has the first host and path in it, and a number that is another one for
    /// each set of listeners, hosts and paths.
    public var groupName: String {
        if let group { return group }
        var words = ""
        for byte in "\(hosts.first ?? "")\(paths.first ?? "")".utf8 {
            if TextRule.isAlphanumeric(byte) {
                words.unicodeScalars.append(Unicode.Scalar(byte))
            } else if !words.isEmpty, !words.hasSuffix("-") {
                words += "-"
            }
        }
        var slug = words.lowercased().prefix(Limits.nameCharactersMax - 9)
        while slug.hasSuffix("-") { slug = slug.dropLast() }
        return "\(slug.isEmpty ? "labels" : slug)-\(Self.hexadecimal(claimHash))"
    }

    /// FNV-1a of what is asked for, folded to 32 bits.
    private var claimHash: UInt32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        let texts = listeners.map { "l\($0)" } + hosts.map { "h\($0)" } + paths.map { "p\($0)" }
        for byte in texts.joined(separator: ",").utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }

    private static func hexadecimal(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The label in which two containers of a group differ, with what each says; nil if there is none.
    func difference(from other: ContainerLabels) -> (label: String, own: String?, other: String?)? {
        for key in Self.description.keys {
            let (own, others) = (key.encode(shared), key.encode(other.shared))
            if own != others { return (key.name, own.map(Self.text), others.map(Self.text)) }
        }
        return nil
    }

    /// A value as a label says it.
    private static func text(_ value: Value) -> String {
        value.array?.map(text).joined(separator: ",") ?? value.string ?? value.json()
    }

    /// The requests that it wants, as conditions of a rule.
    var conditions: [Condition] {
        (hosts.isEmpty ? [] : [.hostHeader(hosts)]) + (paths.isEmpty ? [] : [.pathPattern(paths)])
    }

    /// How much a rule says: the characters of its longest host and path that stand for themselves. A rule that says
    /// more comes first.
    var specificity: Int {
        let longest = { (patterns: [String]) in
            patterns.map { $0.utf8.count { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "?") } }.max() ?? 0
        }
        return longest(hosts) + longest(paths)
    }
}

extension ContainerLabels {
    /// What `labels` say; nil if the container does not take part.
    ///
    /// Errors: every mistake in them.
    public static func read(_ labels: [String: String]) throws(ConfigErrors) -> ContainerLabels? {
        let own = labels.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
        if own.isEmpty || labels["apus.enable"] == "false" { return nil }
        guard own.count <= Limits.containerLabelsMax else {
            throw ConfigErrors(
                ConfigError(
                    expected: "a container must have at most \(Limits.containerLabelsMax) labels that begin with apus.",
                    found: "\(own.count)", remedy: "Remove some."))
        }
        if let long = own.first(where: { $0.value.utf8.count > Limits.containerLabelBytesMax }) {
            throw ConfigErrors(
                ConfigError(
                    expected: "a label must have at most \(Limits.containerLabelBytesMax) bytes",
                    found: "\(long.value.utf8.count) in \(long.key.cut(to: 128))", remedy: "Shorten it."))
        }
        let shapes = labelShapes
        let members = own.map { Value.Member($0.key, shapes[$0.key]?.value(of: $0.value) ?? .string($0.value)) }
        do {
            return try description.codec.read(.object(members))
        } catch {
            throw ConfigErrors(error.all.map(inLabels))
        }
    }

    /// The mistake with the names of labels in place of the keys that say the same in a file.
    private static func inLabels(_ error: ConfigError) -> ConfigError {
        var error = error
        for (label, key) in groupLabels {
            error.expected = error.expected.replacing(key, with: label)
            error.remedy = error.remedy.replacing(key, with: label)
        }
        return error
    }
}

extension ContainerLabels {
    /// What they say that is no default; `init(encoded:)` reads it.
    public func encoded() -> Value {
        let blank = ContainerLabels()
        let members = Self.description.keys.compactMap { key -> Value.Member? in
            guard let value = key.encode(self), value != key.encode(blank) else { return nil }
            return Value.Member(key.name, value)
        }
        return .object(members)
    }

    /// Labels that `encoded` has written; nil if they are none.
    public init?(encoded value: Value) {
        guard let labels = try? Self.description.codec.read(value) else { return nil }
        self = labels
    }
}

extension Shape {
    /// What `text` stands for where there is nothing but text: numbers, truths, and lists with commas.
    fileprivate func value(of text: String) -> Value {
        switch self {
        case .bool: return text == "true" ? true : text == "false" ? false : .string(text)
        case .integer: return Int(text).map { .int($0) } ?? .string(text)
        case .number:
            if let number = Int(text) { return .int(number) }
            if let number = Double(text), number.isFinite { return .number(number) }
            return .string(text)
        case .list(let element, _):
            return .array(
                text.split(separator: ",", omittingEmptySubsequences: false).map { part in
                    element.value(of: String(part.trimmed))
                })
        case .either(let first, let second):
            let value = first.value(of: text)
            return value.string == nil ? value : second.value(of: text)
        case .text, .word, .object, .map: return .string(text)
        }
    }
}

extension Substring {
    /// It without the spaces at its ends.
    fileprivate var trimmed: Substring {
        var text = self
        while text.first == " " { text = text.dropFirst() }
        while text.last == " " { text = text.dropLast() }
        return text
    }
}
