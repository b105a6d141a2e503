/// The mistakes found so far while a value is read or a document is validated, and the path of the current part.
struct Findings {
    /// One step from a value into a part of it.
    enum Step {
        /// To the value of a key.
        case key(String)
        /// To an element of a list.
        case index(Int)
    }

    /// The file, named in errors; empty for what came over the socket.
    let file: String
    /// The tree that is being read, where places are looked up; nil when there is none.
    let root: Value?
    /// The steps from the root to the current part.
    private(set) var path: [Step] = []
    /// The mistakes, in the order in which they were found.
    private(set) var errors: [ConfigError] = []

    /// Nothing found yet.
    init(file: String = "", root: Value? = nil) {
        self.file = file
        self.root = root
    }

    /// Enters a part while `body` runs.
    mutating func within<Result>(_ step: Step, _ body: (inout Findings) -> Result) -> Result {
        path.append(step)
        defer { path.removeLast() }
        return body(&self)
    }

    /// Records a mistake in the current part; its place is looked up unless it is given.
    mutating func report(
        _ expected: String, found: String? = nil, at location: Location? = nil, remedy: String,
        code: ConfigError.Code = .validationError
    ) {
        errors.append(
            ConfigError(
                file: file, location: location ?? locate(), path: pathText, expected: expected, found: found,
                remedy: remedy, code: code))
    }

    /// Reports those of `keys` that were given, though they belong to `owner` alone.
    mutating func misplaced(
        _ keys: [(key: String, isGiven: Bool)], belongTo owner: String, found: String, remedy: String
    ) {
        for (key, isGiven) in keys where isGiven {
            within(.key(key)) { findings in
                findings.report(
                    "\(key) belongs to \(owner)", found: found, remedy: remedy, code: .invalidConfigurationRequest)
            }
        }
    }

    /// What to do about an unknown name. Spelling is compared only for mistakes that will be shown.
    func remedy(for word: String, among known: [String], otherwise: String) -> String {
        errors.count < Limits.errorsShownMax
            ? Spelling.remedy(for: word, among: known, otherwise: otherwise) : otherwise
    }

    /// Throws what was found, if anything was.
    func throwIfAny() throws(ConfigErrors) {
        if !errors.isEmpty { throw ConfigErrors(errors) }
    }

    /// The current part as errors name it: its key, and the indices that follow it, as in `values[2]`.
    var subject: String {
        let start = path.lastIndex { if case .key = $0 { true } else { false } }
        return start.map { Self.text(path[$0...]) } ?? (path.isEmpty ? "this" : Self.text(path[...]))
    }

    private var pathText: String { Self.text(path[...]) }

    private static func text(_ steps: ArraySlice<Step>) -> String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let key): text += text.isEmpty ? key : "." + key
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

    /// The place of the current part, or of the innermost written part around it. Some parts may be written in two
    /// forms, of which the document has one; so where the path leaves the written form, its last key is looked for
    /// there.
    private func locate() -> Location? {
        guard var value = root else { return nil }
        walk: for step in path {
            switch step {
            case .key(let key):
                guard let next = value[key] else { break walk }
                value = next
            case .index(let index):
                guard let elements = value.array, elements.indices.contains(index) else { break walk }
                value = elements[index]
            }
        }
        if case .key(let last)? = path.last, let written = value[last] { return written.location }
        return value.location
    }
}
