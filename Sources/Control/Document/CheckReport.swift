import Model

/// What `apus check` has to say about a configuration.
public struct CheckReport: Sendable {
    /// The configuration, as it was named.
    let file: String
    /// A few words on what it holds; nil if it could not be read.
    var summary: String?
    /// What `run`, or `reload`, would refuse it with.
    var mistakes: [ConfigError] = []
    /// What they would warn of.
    var warnings: [Warning] = []
    /// Objects of the file that are not in force as it says, or would not be, as the admin socket tells them.
    var overridden: [Value] = []
    /// What cannot be known, or is to be expected: sentences.
    var notes: [String] = []

    /// What the command fails with; nil for a good configuration.
    public var error: StartError? { mistakes.isEmpty ? nil : .configuration(ConfigErrors(mistakes)) }

    /// What people read beside the mistakes, with its last line feed.
    public var text: String {
        let head = mistakes.isEmpty ? ["\(file): good. \(summary ?? "")."] : []
        let told = warnings.map { "warning: \($0)" } + AdminView.overrides(["overridden": .array(overridden)])
        let lines = head + told + notes.map { "note: \($0)" }
        return lines.map { $0 + "\n" }.joined()
    }

    /// All of it for scripts.
    public var json: String {
        let sorted = mistakes.isEmpty ? [] : ConfigErrors(mistakes).all
        let report: Value = [
            "file": .string(file), "valid": .bool(sorted.isEmpty), "errors": .array(sorted.map(\.value)),
            "warnings": .array(warnings.map(\.value)), "overridden": .array(overridden),
            "notes": .array(notes.map { .string($0) }),
        ]
        return report.json(pretty: true)
    }
}
