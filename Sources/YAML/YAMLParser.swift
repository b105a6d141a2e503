import CYAML

/// Gives the events of a text one after the other.
///
/// Shape:  one object for one text, used by one thread. It reads ahead by a few tokens, and keeps as much as is nested.
/// Limits: none on the length of the text or on its nesting: the caller stops asking.
/// Errors: `YAMLError`; after one, or after `endOfText`, there is nothing to ask for.
@safe public final class YAMLParser {
    /// libyaml has a pointer to it inside of it.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    /// A parser of `bytes`, which must be UTF-8.
    public init(_ bytes: [UInt8]) {
        unsafe text = .allocate(capacity: bytes.count)
        _ = unsafe text.initialize(from: bytes)
        unsafe parser = .allocate(capacity: 1)
        let isInitialized = unsafe yaml_parser_initialize(parser)
        precondition(isInitialized == 1, "yaml: there is no memory")
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    /// Reads on to the next event.
    public func next() throws(YAMLError) -> YAMLEvent {
        while true {
            var event = unsafe yaml_event_t()
            guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw error }
            defer { unsafe yaml_event_delete(&event) }
            if let event = unsafe YAMLEvent(event) { return event }
        }
    }

    /// What has just been wrong.
    private var error: YAMLError {
        let state = unsafe parser.pointee
        precondition(unsafe state.error != YAML_MEMORY_ERROR, "yaml: there is no memory")
        let isOfCharacters = unsafe state.error == YAML_READER_ERROR
        return unsafe YAMLError(
            problem: state.problem.map { unsafe String(cString: $0) } ?? "it cannot be read",
            place: isOfCharacters ? nil : YAMLPlace(state.problem_mark),
            contextPlace: state.context == nil ? nil : YAMLPlace(state.context_mark))
    }
}

extension YAMLPlace {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(index: Int(mark.index), line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}

extension YAMLEvent {
    /// Nil for what has no meaning of its own: the beginning of the text, and the end of a document.
    fileprivate init?(_ event: yaml_event_t) {
        var anchor: UnsafeMutablePointer<yaml_char_t>?
        var tag: UnsafeMutablePointer<yaml_char_t>?
        switch unsafe event.type {
        case YAML_DOCUMENT_START_EVENT: kind = .document
        case YAML_STREAM_END_EVENT: kind = .endOfText
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: kind = .end
        case YAML_ALIAS_EVENT: kind = unsafe .alias(Self.text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            // A text may have zeros in it.
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: Int(scalar.length))
            let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
            kind = unsafe .scalar(String(decoding: bytes, as: UTF8.self), isPlain: isPlain)
            unsafe (anchor, tag) = unsafe (scalar.anchor, scalar.tag)
        case YAML_SEQUENCE_START_EVENT:
            kind = .sequence
            unsafe (anchor, tag) = unsafe (event.data.sequence_start.anchor, event.data.sequence_start.tag)
        case YAML_MAPPING_START_EVENT:
            kind = .mapping
            unsafe (anchor, tag) = unsafe (event.data.mapping_start.anchor, event.data.mapping_start.tag)
        default: return nil
        }
        self.anchor = unsafe Self.text(anchor)
        self.tag = unsafe Self.text(tag)
        start = unsafe YAMLPlace(event.start_mark)
        end = unsafe YAMLPlace(event.end_mark)
    }

    private static func text(_ characters: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe characters.map { unsafe String(cString: $0) }
    }
}
