/// What `apus check` has to say about a configuration.
public struct CheckReport: Sendable {
    /// The configuration, as it was named.
    public let file: String
    /// A few words on what it holds; nil if it could not be read.
    public var summary: String?
    /// What `run`, or `reload`, would refuse it with.
    public var mistakes: [ConfigError] = []
    /// What they would warn of.
    public var warnings: [Warning] = []
    /// Objects of the file that are not in force as it says, or would not be, as the admin socket tells them.
    public var overridden: [Value] = []
    /// What cannot be known, or is to be expected: sentences.
    public var notes: [String] = []

    /// A report on `file` that says nothing yet.
    public init(file: String) { self.file = file }

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

extension Document {
    /// What a document holds, in a few words, for whoever checks it.
    public var summary: String {
        let listeners = loadBalancers.reduce(0) { $0 + $1.listeners.count }
        let rules = loadBalancers.reduce(0) { $0 + $1.listeners.reduce(0) { $0 + $1.rules.count } }
        let targets = targetGroups.reduce(0) { $0 + $1.targets.count }
        return [
            counted(loadBalancers.count, "load balancer"), counted(listeners, "listener"), counted(rules, "rule"),
            counted(targetGroups.count, "target group"), counted(targets, "target"),
        ].joined(separator: ", ")
    }
}
