/// The result that a reload of a configuration would have, found out without doing it.
public struct ReloadCheck: Sendable {
    /// The mistakes for which it would be refused; empty for a valid configuration.
    public let mistakes: [ConfigError]
    /// A few words on what it holds; empty if it could not be read.
    public var summary = ""
    /// The warnings that it would give.
    public var warnings: [Warning] = []
    /// Changes made at run time that would not fit it, in sentences.
    public var changesNotApplied: [String] = []
    /// Objects of the file that would be overridden by changes at run time, in the form of the admin socket.
    public var overridden: [Value] = []
    /// Keys that would take effect at the next start only.
    public var needsRestart: [String] = []
    /// What the reload would bring about: sentences.
    public var notes: [String] = []

    /// A check that found these mistakes.
    public init(mistakes: [ConfigError]) { self.mistakes = mistakes }

    /// The answer of the admin socket for a valid configuration.
    public var value: Value {
        [
            "summary": .string(summary), "warnings": .array(warnings.map(\.value)),
            "changesNotApplied": .array(changesNotApplied.map { .string($0) }),
            "overridden": .array(overridden),
            "needsRestart": .array(needsRestart.map { .string($0) }), "notes": .array(notes.map { .string($0) }),
        ]
    }

    /// Reads the answer of the admin socket for a valid configuration.
    public init(answer: Value) {
        self.init(mistakes: [])
        summary = answer["summary"]?.string ?? ""
        warnings = (answer["warnings"]?.array ?? []).compactMap(Warning.init(_:))
        changesNotApplied = (answer["changesNotApplied"]?.array ?? []).compactMap(\.string)
        overridden = answer["overridden"]?.array ?? []
        needsRestart = (answer["needsRestart"]?.array ?? []).compactMap(\.string)
        notes = (answer["notes"]?.array ?? []).compactMap(\.string)
    }
}
