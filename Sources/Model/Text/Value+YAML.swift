import Yams

extension Value {
    /// Reads YAML, or JSON, which is YAML too. Errors: one that names the place of the first mistake.
    ///
    /// Shape:  scalars as the core schema of YAML 1.2 has them, so `off` and `yes` are text; one document;
    ///         each key once; no tags but `!!str`; anchors, aliases and merge keys (`<<`). What an alias stands for has
    ///         the alias's place, and its parts have the places where they were written.
    /// Limits: `Limits.documentBytesMax`, `Limits.documentDepthMax`, `Limits.aliasBytesMax`.
    /// Source: YAML 1.2.2 §10.3; yaml.org, "Merge Key Language-Independent Type".
    public static func parse(yaml text: String, file: String) throws(ConfigErrors) -> Value {
        do {
            var reader = YAMLReader(file: file)
            return try reader.read(text)
        } catch {
            throw ConfigErrors(error)
        }
    }
}

extension Value {
    /// The same for bytes, which must be UTF-8.
    public static func parse(yaml bytes: [UInt8], file: String) throws(ConfigErrors) -> Value {
        try parse(yaml: try text(bytes, file: file), file: file)
    }

    /// `bytes` as text, without a byte order mark before it, which some editors write. Errors: the first byte that is
    /// no UTF-8, with its place. Repairing it would put another name in the document than the file has.
    static func text(_ bytes: [UInt8], file: String) throws(ConfigErrors) -> String {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let start = bytes.starts(with: mark) ? mark.count : 0
        do throws(UTF8.ValidationError) {
            return String(copying: try UTF8Span(validating: bytes.span.extracting(start...)))
        } catch {
            let offset = start + error.byteOffsets.lowerBound
            let before = bytes[start..<offset]
            let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? start
            let location = Location(
                line: 1 + before.count { $0 == 0x0A },
                column: 1 + bytes[lineStart..<offset].count { $0 & 0xC0 != 0x80 })
            throw ConfigErrors(
                ConfigError(
                    file: file, location: location, expected: "the text must be UTF-8",
                    found: "byte 0x\(String(bytes[offset], radix: 16)) at offset \(offset)",
                    remedy: "Save it as UTF-8."))
        }
    }
}

/// Turns the nodes that Yams makes into values, and aliases and merge keys into what they stand for.
///
/// Yams replaces aliases itself, and hashes each key with all that aliases in it stand for, before anything could be
/// counted: a few nested ones stand for billions of nodes. So Yams is given the text with `standIn` in place of every
/// asterisk. A plain scalar that begins with it was an alias, since none may begin with an asterisk; anywhere else it
/// is the asterisk of some text.
private struct YAMLReader {
    private typealias Member = Value.Member

    /// What an anchor stands for.
    private struct Anchored {
        let value: Value
        /// How long it is, with its aliases written out.
        let bytes: Int
        /// How many levels are below it.
        let height: Int
    }

    /// A code point that is assigned to no character and never will be, and that YAML accepts.
    private static let standIn: Unicode.Scalar = "\u{10FFFF}"
    /// What surrounds a value, at least: a key's colon and space, or a hyphen and a space, and a line feed.
    private static let bytesAround = 4

    /// Named in errors.
    let file: String
    /// What the anchors that were read so far stand for; of those with the same name, the last.
    private var anchors: [String: Anchored] = [:]
    /// Bytes that were read so far, with aliases written out.
    private var bytesRead = 0
    /// Those of them that aliases stand for.
    private var bytesAliased = 0
    /// The deepest level that was read inside the value that is being read.
    private var deepest = 0

    init(file: String) { self.file = file }

    /// Reads the whole text as one value.
    mutating func read(_ text: String) throws(ConfigError) -> Value {
        guard text.utf8.count <= Limits.documentBytesMax else {
            throw .tooLarge(file: file, bytes: text.utf8.count)
        }
        let root: Node?
        let parser: Parser
        let withoutAsterisks = try replacingAsterisks(in: text)
        do {
            parser = try Parser(yaml: withoutAsterisks)
            root = try parser.singleRoot()
        } catch let error as YamlError {
            throw configError(error)
        } catch {
            throw ConfigError(file: file, expected: "expected YAML", found: "\(error)", remedy: "Correct the file.")
        }
        guard let root else { return Value(.null, at: Location(line: 1, column: 1)) }
        // Nodes have weak references to anchors, which the parser owns.
        defer { withExtendedLifetime(parser) {} }
        return try value(root, depth: 0)
    }

    private mutating func value(_ node: Node, depth: Int) throws(ConfigError) -> Value {
        let location = Self.location(node)
        guard depth < Limits.documentDepthMax else { throw tooDeep(at: location) }
        if let alias = Self.alias(node) { return try value(of: alias, at: location, depth: depth) }
        let before = (bytes: bytesRead, deepest: deepest)
        deepest = depth
        bytesRead += Self.bytesAround
        let value = Value(try content(node, depth: depth, at: location), at: location)
        if let anchor = node.anchor {
            anchors[anchor.rawValue] = Anchored(
                value: value, bytes: bytesRead - before.bytes, height: deepest - depth)
        }
        deepest = max(deepest, before.deepest)
        return value
    }

    private mutating func content(
        _ node: Node, depth: Int, at location: Location?
    ) throws(ConfigError) -> Value.Content {
        switch node {
        case .scalar(let scalar):
            let text = Self.restored(scalar.string)
            bytesRead += text.utf8.count
            // Yams tags quoted scalars as text; with the tag `!!str` any scalar is text.
            if scalar.tag.description == Tag.Name.str.rawValue { return .string(text) }
            try refuse(scalar.tag, at: location)
            return Self.plain(text)
        case .sequence(let sequence):
            try refuse(sequence.tag, at: location)
            var elements: [Value] = []
            for element in sequence { elements.append(try value(element, depth: depth + 1)) }
            return .array(elements)
        case .mapping(let mapping):
            try refuse(mapping.tag, at: location)
            return .object(try members(mapping, depth: depth))
        case .alias:
            preconditionFailure("yaml: the text that Yams gets has no alias")
        }
    }

    private mutating func members(_ mapping: Node.Mapping, depth: Int) throws(ConfigError) -> [Member] {
        var members: [Member] = []
        var merged: [Member] = []
        var seen: Set<String> = []
        for (key, element) in mapping {
            let place = Self.location(key)
            if Self.isMergeKey(key) {
                merged += try membersToMerge(value(element, depth: depth + 1), at: place)
                continue
            }
            let name = try name(key, at: place, depth: depth)
            bytesRead += name.utf8.count
            // Yams takes `1` and `"1"` for two keys, and so it does one text with two tags.
            guard seen.insert(name).inserted else { throw repeatedKey(name, at: place) }
            members.append(Member(name, try value(element, depth: depth + 1), keyLocation: place))
        }
        // The object's own keys win, wherever the merge key stands; then what was named first.
        return members + merged.filter { seen.insert($0.key).inserted }
    }

    /// The text of a key.
    private mutating func name(_ key: Node, at place: Location?, depth: Int) throws(ConfigError) -> String {
        guard let scalar = key.scalar else { throw keyIsNoWord("a list or an object", at: place) }
        if Self.alias(key) != nil {
            let value = try value(key, depth: depth)
            guard let text = value.string else { throw keyIsNoWord(value.brief, at: place) }
            return text
        }
        if key.anchor != nil { _ = try value(key, depth: depth) }  // so that aliases find it
        return Self.restored(scalar.string)
    }

    private static func location(_ node: Node) -> Location? {
        node.mark.map { Location(line: $0.line, column: $0.column) }
    }

    private func refuse(_ tag: Tag, at location: Location?) throws(ConfigError) {
        guard tag.description.isEmpty else {
            throw ConfigError(
                file: file, location: location, expected: "tags are not supported",
                found: Value.quoted(tag.description),
                remedy: "Remove the tag; quote what must be text.")
        }
    }

    /// What an unquoted scalar is. Source: YAML 1.2.2 §10.3.2, but no octal or hexadecimal numbers, infinity or NaN.
    private static func plain(_ text: String) -> Value.Content {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        let bytes = text.utf8
        guard let first = bytes.first, (0x30...0x39).contains(first) || "+-.".utf8.contains(first),
            bytes.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) })
        else { return .string(text) }
        if let number = Int(text) { return .int(number) }
        if let number = Double(text), number.isFinite { return .double(number) }
        return .string(text)
    }
}

// Aliases and merge keys.
extension YAMLReader {
    /// `text` with `standIn` in place of every asterisk. Errors: `standIn` is there already.
    private func replacingAsterisks(in text: String) throws(ConfigError) -> String {
        var location = Location(line: 1, column: 1)
        var hasAsterisks = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": location = Location(line: location.line + 1, column: 0)
            case "*": hasAsterisks = true
            case Self.standIn:
                throw ConfigError(
                    file: file, location: location, expected: "U+10FFFF is no character", remedy: "Remove it.")
            default: break
            }
            location.column += 1
        }
        guard hasAsterisks else { return text }
        let standIn = Array(String(Self.standIn).utf8)
        var replaced: [UInt8] = []
        replaced.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if byte == UInt8(ascii: "*") { replaced += standIn } else { replaced.append(byte) }
        }
        return String(decoding: replaced, as: UTF8.self)
    }

    /// Text of a scalar as it was written.
    private static func restored(_ text: String) -> String {
        guard text.unicodeScalars.contains(standIn) else { return text }
        var restored = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { restored.append(scalar == standIn ? "*" : scalar) }
        return String(restored)
    }

    /// The scalar, if it was an alias, or text that has to be quoted in order not to be one.
    private static func alias(_ node: Node) -> Node.Scalar? {
        guard let scalar = node.scalar, scalar.style == .plain, scalar.string.unicodeScalars.first == standIn else {
            return nil
        }
        return scalar
    }

    /// What an alias stands for.
    private mutating func value(
        of alias: Node.Scalar, at location: Location?, depth: Int
    ) throws(ConfigError) -> Value {
        let name = String(alias.string.unicodeScalars.dropFirst())
        guard !name.isEmpty, alias.anchor == nil, name.utf8.allSatisfy(Self.isOfName) else {
            let text = Self.restored(alias.string)
            throw ConfigError(
                file: file, location: location, expected: "text that begins with * must be in quotes",
                found: Value.quoted(text) + " without them",
                remedy: "Write it in quotes: without them * begins an alias, which is * and the name of an anchor.")
        }
        // A key's tag says text once Yams has compared it with other keys.
        if alias.tag.description != Tag.Name.str.rawValue { try refuse(alias.tag, at: location) }
        guard let anchored = anchors[name] else {
            throw ConfigError(
                file: file, location: location, expected: "expected an anchor &\(name) before this alias",
                found: "none",
                remedy: "Write &\(name) before the value that *\(name) stands for, further up, or quote the text.")
        }
        guard depth + anchored.height < Limits.documentDepthMax else { throw tooDeep(at: location) }
        bytesAliased += anchored.bytes
        guard bytesAliased <= Limits.aliasBytesMax else {
            throw ConfigError(
                file: file, location: location,
                expected: "what aliases stand for must be at most \(Limits.aliasBytesMax) bytes, written out",
                found: "more, with *\(name)", remedy: "Use fewer aliases in what other aliases stand for.")
        }
        bytesRead += anchored.bytes
        deepest = max(deepest, depth + anchored.height)
        return Value(anchored.value.content, at: location)
    }

    /// Whether a byte may be in the name of an anchor. Source: libyaml, which allows fewer characters than YAML.
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isMergeKey(_ key: Node) -> Bool {
        guard let scalar = key.scalar else { return false }
        return scalar.string == "<<" && scalar.style == .plain && scalar.tag.description != Tag.Name.str.rawValue
    }

    /// The keys that a merge key brings: those of an object, or of a list of objects.
    private func membersToMerge(_ value: Value, at place: Location?) throws(ConfigError) -> [Member] {
        var members: [Member] = []
        for object in value.array ?? [value] {
            guard let some = object.members else {
                throw ConfigError(
                    file: file, location: object.location ?? place, expected: "<< must be an object or a list of such",
                    found: object.brief, remedy: "Write <<: *name, with &name before an object further up.")
            }
            members += some
        }
        return members
    }
}

// Mistakes.
extension YAMLReader {
    private func keyIsNoWord(_ found: String, at location: Location?) -> ConfigError {
        ConfigError(
            file: file, location: location, expected: "a key must be a word", found: found,
            remedy: "Write a plain key.")
    }

    private func repeatedKey(_ key: String, at location: Location?) -> ConfigError {
        ConfigError(
            file: file, location: location, expected: "the key \(Value.quoted(key)) stands here twice",
            remedy: key == "<<" ? "Merge a list: <<: [*one, *another]." : "Remove one of the two.")
    }

    private func tooDeep(at location: Location?) -> ConfigError {
        ConfigError(
            file: file, location: location, expected: "YAML must nest at most \(Limits.documentDepthMax) levels deep",
            remedy: "Remove the innermost levels.")
    }

    private func configError(_ error: YamlError) -> ConfigError {
        func mistake(_ problem: String, _ mark: Mark?, _ remedy: String) -> ConfigError {
            ConfigError(
                file: file, location: mark.map { Location(line: $0.line, column: $0.column) },
                expected: "expected YAML", found: "a mistake: \(problem)", remedy: remedy)
        }
        switch error {
        // libyaml has a limit of its own, beyond ours, and tells C programs how to change it.
        case .scanner(_, let problem, let mark, _) where problem.contains("nesting level"),
            .parser(_, let problem, let mark, _) where problem.contains("nesting level"):
            return tooDeep(at: Location(line: mark.line, column: mark.column))
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            return mistake(problem, mark, "Check the indentation, quotes and brackets here and on the line before.")
        case .composer(_, let problem, let mark, _):
            return mistake(problem, mark, "Keep one document in a file.")
        case .duplicatedKeysInMapping(let keys, let context):
            return repeatedKey(
                Self.restored(keys.first ?? ""), at: Location(line: context.mark.line, column: context.mark.column))
        case .reader(let problem, _, _, _):
            return mistake(problem, nil, "Write the file in UTF-8, without control characters.")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return mistake("\(error)", nil, "Correct the file.")
        }
    }
}
