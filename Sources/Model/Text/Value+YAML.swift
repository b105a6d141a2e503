import YAML

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
            var reader = YAMLReader(text, file: file)
            return try reader.read()
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

/// Turns the events of a text into values, and aliases and merge keys into what they stand for.
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

    /// What surrounds a value, at least: a key's colon and space, or a hyphen and a space, and a line feed.
    private static let bytesAround = 4
    private static let textTag = "tag:yaml.org,2002:str"

    /// Named in errors.
    let file: String
    private let text: String
    private let parser: YAMLParser
    /// What the anchors that were read so far stand for; of those with the same name, the last.
    private var anchors: [String: Anchored] = [:]
    /// Bytes that were read so far, with aliases written out.
    private var bytesRead = 0
    /// Those of them that aliases stand for.
    private var bytesAliased = 0
    /// The deepest level that was read inside the value that is being read.
    private var deepest = 0
    /// The last event, if it was an alias.
    private var lastAlias: YAMLEvent?

    init(_ text: String, file: String) {
        self.file = file
        self.text = text
        parser = YAMLParser(text.utf8.count <= Limits.documentBytesMax ? Array(text.utf8) : [])
    }

    /// Reads the whole text as one value.
    mutating func read() throws(ConfigError) -> Value {
        guard text.utf8.count <= Limits.documentBytesMax else {
            throw .tooLarge(file: file, bytes: text.utf8.count)
        }
        guard case .document = try next().kind else { return Value(.null, at: Location(line: 1, column: 1)) }
        let value = try value(next(), depth: 0)
        let end = try next()
        guard case .endOfText = end.kind else {
            throw mistake("but found another document", at: end.start, "Keep one document in a file.")
        }
        return value
    }

    private mutating func next() throws(ConfigError) -> YAMLEvent {
        do throws(YAMLError) {
            let event = try parser.next()
            if case .alias = event.kind { lastAlias = event } else { lastAlias = nil }
            return event
        } catch {
            throw configError(error)
        }
    }

    /// The value that begins with `event`.
    private mutating func value(_ event: YAMLEvent, depth: Int) throws(ConfigError) -> Value {
        let location = Location(event.start)
        guard depth < Limits.documentDepthMax else { throw tooDeep(at: location) }
        if case .alias(let name) = event.kind { return try value(ofAlias: name, at: location, depth: depth) }
        let before = (bytes: bytesRead, deepest: deepest)
        deepest = depth
        bytesRead += Self.bytesAround
        let value = Value(try content(event, depth: depth), at: location)
        if let anchor = event.anchor {
            anchors[anchor] = Anchored(value: value, bytes: bytesRead - before.bytes, height: deepest - depth)
        }
        deepest = max(deepest, before.deepest)
        return value
    }

    private mutating func content(_ event: YAMLEvent, depth: Int) throws(ConfigError) -> Value.Content {
        switch event.kind {
        case .scalar(let text, let isPlain):
            bytesRead += text.utf8.count
            if event.tag == Self.textTag || event.tag == nil && !isPlain { return .string(text) }
            try refuseTag(of: event)
            return Self.plain(text)
        case .sequence:
            try refuseTag(of: event)
            var elements: [Value] = []
            while let element = try nextInside() { elements.append(try value(element, depth: depth + 1)) }
            return .array(elements)
        case .mapping:
            try refuseTag(of: event)
            return .object(try members(depth: depth))
        case .alias, .document, .end, .endOfText: preconditionFailure("yaml: no value begins with \(event)")
        }
    }

    /// The next event of a list or an object; nil at its end.
    private mutating func nextInside() throws(ConfigError) -> YAMLEvent? {
        let event = try next()
        if case .end = event.kind { return nil }
        return event
    }

    private mutating func members(depth: Int) throws(ConfigError) -> [Member] {
        var members: [Member] = []
        var merged: [Member] = []
        var seen: Set<String> = []
        var isMerged = false
        while let key = try nextInside() {
            let place = Location(key.start)
            if key.kind == .scalar("<<", isPlain: true), key.tag == nil {
                if isMerged { throw repeatedKey("<<", at: place) }
                isMerged = true
                merged += try membersToMerge(value(next(), depth: depth + 1), at: place)
                continue
            }
            let name = try name(key, depth: depth)
            bytesRead += name.utf8.count
            guard seen.insert(name).inserted else { throw repeatedKey(name, at: place) }
            members.append(Member(name, try value(next(), depth: depth + 1), keyLocation: place))
        }
        // The object's own keys win, wherever the merge key stands; then what was named first.
        return members + merged.filter { seen.insert($0.key).inserted }
    }

    /// The text of a key.
    private mutating func name(_ key: YAMLEvent, depth: Int) throws(ConfigError) -> String {
        let place = Location(key.start)
        switch key.kind {
        case .alias:
            let value = try value(key, depth: depth)
            guard let text = value.string else { throw keyIsNoWord(value.brief, at: place) }
            return text
        case .scalar(let text, _):
            if key.anchor != nil { _ = try value(key, depth: depth) }  // so that aliases find it
            return text
        default: throw keyIsNoWord("a list or an object", at: place)
        }
    }

    private func refuseTag(of event: YAMLEvent) throws(ConfigError) {
        guard let tag = event.tag else { return }
        throw ConfigError(
            file: file, location: Location(event.start), expected: "tags are not supported", found: Value.quoted(tag),
            remedy: "Remove the tag; quote what must be text.")
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
    /// What an alias stands for.
    private mutating func value(
        ofAlias name: String, at location: Location, depth: Int
    ) throws(ConfigError) -> Value {
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

    private func mistake(_ problem: String, at place: YAMLPlace?, _ remedy: String) -> ConfigError {
        ConfigError(
            file: file, location: place.map { Location($0) }, expected: "expected YAML",
            found: "a mistake: \(problem)", remedy: remedy)
    }

    private func configError(_ error: YAMLError) -> ConfigError {
        if let unquoted = unquoted(error) { return unquoted }
        guard let place = error.place else {
            return mistake(error.problem, at: nil, "Write the file in UTF-8, without control characters.")
        }
        return mistake(
            error.problem, at: place, "Check the indentation, quotes and brackets here and on the line before.")
    }

    /// The mistake, if it is text that begins with an asterisk, as in `*.example.com`: libyaml takes that for an alias.
    private func unquoted(_ error: YAMLError) -> ConfigError? {
        let scalars = text.unicodeScalars
        func index(_ place: YAMLPlace) -> String.Index {
            scalars.index(scalars.startIndex, offsetBy: place.index, limitedBy: scalars.endIndex) ?? scalars.endIndex
        }
        var places = [error.contextPlace, error.place].compactMap { $0 }
        // What follows an alias on its line may go on with the text.
        if let lastAlias, let place = error.place, place.index > lastAlias.end.index,
            scalars[index(lastAlias.end)..<index(place)].allSatisfy({ $0 == " " })
        {
            places.insert(lastAlias.start, at: 0)
        }
        guard let place = places.first(where: { scalars[index($0)...].first == "*" }) else { return nil }
        let line = scalars[index(place)...].prefix { $0 != "\n" && $0 != "\r" }
        let end = line.indices.first { position in
            switch line[position] {
            case ",", "]", "}": true
            case " ": line[line.index(after: position)...].first == "#"
            default: false
            }
        }
        let found = String(line[..<(end ?? line.endIndex)])
        return ConfigError(
            file: file, location: Location(place), expected: "text that begins with * must be in quotes",
            found: Value.quoted(found) + " without them",
            remedy: "Write it in quotes: without them * begins an alias, which is * and the name of an anchor.")
    }
}

extension Location {
    fileprivate init(_ place: YAMLPlace) { self.init(line: place.line, column: place.column) }
}
