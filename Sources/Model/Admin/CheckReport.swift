/// The result of `apus check` for a configuration.
public struct CheckReport: Sendable {
    /// The configuration, as it was named.
    public let file: String
    /// A few words on what it holds; nil if it could not be read.
    public var summary: String?
    /// The mistakes for which `run`, or `reload`, would refuse it.
    public var mistakes: [ConfigError] = []
    /// The warnings that they would give.
    public var warnings: [Warning] = []
    /// Objects of the file that are overridden by changes at run time, or would be, in the form of the admin socket.
    public var overridden: [Value] = []
    /// What could not be checked, and what a reload would bring about: sentences.
    public var notes: [String] = []

    /// An empty report on `file`.
    public init(file: String) { self.file = file }

    /// The whole report as JSON, for scripts.
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
    /// How many objects of each kind the document holds, as in `1 load balancer, 2 listeners`.
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
