/// What a reload would say of a configuration, found out without doing it.
public struct ReloadCheck: Sendable {
    /// What it would be refused with; none for a good one.
    public let mistakes: [ConfigError]
    /// A few words on what it holds; empty if it could not be read.
    public var summary = ""
    /// What it would warn of.
    public var warnings: [Warning] = []
    /// Changes made at run time that would not fit it, in sentences.
    public var changesNotApplied: [String] = []
    /// Objects of the file that would not be in force as it says, as the admin socket tells them.
    public var overridden: [Value] = []
    /// Keys that would take effect at the next start only.
    public var needsRestart: [String] = []
    /// What is to be expected: sentences.
    public var notes: [String] = []

    /// What would be refused.
    public init(mistakes: [ConfigError]) { self.mistakes = mistakes }

    /// The answer of the admin socket to a good one.
    public var value: Value {
        [
            "summary": .string(summary), "warnings": .array(warnings.map(\.value)),
            "changesNotApplied": .array(changesNotApplied.map { .string($0) }),
            "overridden": .array(overridden),
            "needsRestart": .array(needsRestart.map { .string($0) }), "notes": .array(notes.map { .string($0) }),
        ]
    }

    /// Reads the answer of the admin socket to a good one.
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
