import Yams

extension Value {
    /// Reads YAML, or JSON, which is YAML too. Errors: one that names the place of the first mistake.
    ///
    /// Shape:  scalars as the core schema of YAML 1.2 has them, so `off` and `yes` are text; one document;
    ///         each key once; no tags but `!!str`; no aliases, because a few of them nested can stand for billions of
    ///         nodes.
    /// Limits: `Limits.documentBytesMax`, `Limits.documentDepthMax`. Source: YAML 1.2.2 §10.3.
    public static func parse(yaml text: String, file: String) throws(ConfigErrors) -> Value {
        do {
            return try YAMLReader(file: file).read(text)
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

/// Turns the nodes that Yams makes into values.
private struct YAMLReader {
    /// Named in errors.
    let file: String

    /// Reads the whole text as one value.
    func read(_ text: String) throws(ConfigError) -> Value {
        guard text.utf8.count <= Limits.documentBytesMax else {
            throw .tooLarge(file: file, bytes: text.utf8.count)
        }
        try refuseAliases(in: text)
        let root: Node?
        do {
            root = try Parser(yaml: text).singleRoot()
        } catch let error as YamlError {
            throw configError(error)
        } catch {
            throw ConfigError(file: file, expected: "expected YAML", found: "\(error)", remedy: "Correct the file.")
        }
        guard let root else { return Value(.null, at: Location(line: 1, column: 1)) }
        return try value(root, depth: 0)
    }

    private func value(_ node: Node, depth: Int) throws(ConfigError) -> Value {
        let location = node.mark.map { Location(line: $0.line, column: $0.column) }
        guard depth < Limits.documentDepthMax else { throw tooDeep(at: location) }
        switch node {
        case .scalar(let scalar):
            // Yams tags quoted scalars as text; with the tag `!!str` any scalar is text.
            if scalar.tag.description == Tag.Name.str.rawValue { return Value(.string(scalar.string), at: location) }
            try refuse(scalar.tag, at: location)
            return Value(Self.plain(scalar.string), at: location)
        case .sequence(let sequence):
            try refuse(sequence.tag, at: location)
            var elements: [Value] = []
            for element in sequence { elements.append(try value(element, depth: depth + 1)) }
            return Value(.array(elements), at: location)
        case .mapping(let mapping):
            try refuse(mapping.tag, at: location)
            var members: [Member] = []
            var seen: Set<String> = []
            for (key, element) in mapping {
                let place = key.mark.map { Location(line: $0.line, column: $0.column) }
                guard let name = key.scalar?.string else {
                    throw ConfigError(
                        file: file, location: place, expected: "a key must be a word", found: "a list or an object",
                        remedy: "Write a plain key.")
                }
                // Yams takes `1` and `"1"` for two keys, and so it does one text with two tags.
                guard seen.insert(name).inserted else { throw repeatedKey(name, at: place) }
                members.append(Member(name, try value(element, depth: depth + 1), keyLocation: place))
            }
            return Value(.object(members), at: location)
        case .alias:
            throw aliasError(at: location)
        }
    }

    private typealias Member = Value.Member

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

    /// Yams hashes every key, with aliases expanded, to find repeated ones, so nested aliases must be refused before
    /// Yams reads the text. An alias needs an anchor in the same text; both are words that follow a separator. Text
    /// that only looks like an anchor and its alias is refused as well, which is rare, and quoting it helps.
    private func refuseAliases(in text: String) throws(ConfigError) {
        var anchors: Set<Substring> = []
        var aliases: [(name: Substring, location: Location)] = []
        var line = 1
        var column = 0
        var previous: Unicode.Scalar = "\n"
        for index in text.unicodeScalars.indices {
            let scalar = text.unicodeScalars[index]
            column += 1
            defer { previous = scalar }
            switch scalar {
            case "\n": (line, column) = (line + 1, 0)
            case "&", "*":
                guard " \t\n\r[{,:".unicodeScalars.contains(previous) else { continue }
                let rest = text[text.unicodeScalars.index(after: index)...]
                let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
                if name.isEmpty { continue }
                if scalar == "&" {
                    anchors.insert(name)
                } else {
                    aliases.append((name, Location(line: line, column: column)))
                }
            default: continue
            }
        }
        guard let alias = aliases.first(where: { anchors.contains($0.name) }) else { return }
        throw aliasError(at: alias.location)
    }

    private func aliasError(at location: Location?) -> ConfigError {
        ConfigError(
            file: file, location: location, expected: "aliases are not supported",
            remedy: "Write out what it stands for.")
    }

    private func repeatedKey(_ key: String, at location: Location?) -> ConfigError {
        ConfigError(
            file: file, location: location, expected: "the key \(Value.quoted(key)) stands here twice",
            remedy: "Remove one of the two.")
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
            return mistake(problem, mark, "Quote a value that begins with * or &, and keep one document in a file.")
        case .duplicatedKeysInMapping(let keys, let context):
            return repeatedKey(keys.first ?? "", at: Location(line: context.mark.line, column: context.mark.column))
        case .reader(let problem, _, _, _):
            return mistake(problem, nil, "Write the file in UTF-8, without control characters.")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return mistake("\(error)", nil, "Correct the file.")
        }
    }
}
