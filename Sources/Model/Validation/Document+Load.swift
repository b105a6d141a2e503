extension Document {
    /// Reads and validates a whole configuration. Errors: every mistake at once; those between objects are looked for
    /// only when each object by itself is right, so that one slip is not reported twice.
    public init(_ value: Value, file: String = "") throws(ConfigErrors) {
        let whole = value.withDefaults
        self = try Document.description.codec.read(whole, file: file)
        var findings = Findings(file: file, root: whole)
        validate(&findings)
        try findings.throwIfAny()
    }

    /// Reads and validates the bytes of a configuration file, named `file` in errors.
    public static func load(yaml bytes: [UInt8], file: String) throws(ConfigErrors) -> Document {
        try Document(Value.parse(yaml: bytes, file: file), file: file)
    }

    /// Reads and validates the text of a configuration file, named `file` in errors.
    public static func load(yaml text: String, file: String) throws(ConfigErrors) -> Document {
        try Document(Value.parse(yaml: text, file: file), file: file)
    }

    /// The document with every value that is in effect; reading it gives an equal document back.
    public func encoded() -> Value { Document.description.codec.encode(self) }
}

extension LoadBalancer {
    /// Reads one load balancer. What it refers to is not looked for: `Document.applying(_:)` does that.
    public init(_ value: Value) throws(ConfigErrors) { self = try LoadBalancer.description.codec.read(value) }
    /// The load balancer with every value that is in effect.
    public func encoded() -> Value { LoadBalancer.description.codec.encode(self) }
}

extension Listener {
    /// Reads one listener. What it refers to is not looked for: `Document.applying(_:)` does that.
    public init(_ value: Value) throws(ConfigErrors) { self = try Listener.description.codec.read(value) }
    /// The listener with every value that is in effect.
    public func encoded() -> Value { Listener.description.codec.encode(self) }
}

extension Rule {
    /// Reads one rule. What it refers to is not looked for: `Document.applying(_:)` does that.
    public init(_ value: Value) throws(ConfigErrors) { self = try Rule.description.codec.read(value) }
    /// The rule with every value that is in effect.
    public func encoded() -> Value { Rule.description.codec.encode(self) }
}

extension Action {
    /// The action with every value that is in effect.
    public func encoded() -> Value { Action.codec.encode(self) }
}

extension TargetGroup {
    /// Reads one target group.
    public init(_ value: Value) throws(ConfigErrors) { self = try TargetGroup.description.codec.read(value) }
    /// The group with every value that is in effect.
    public func encoded() -> Value { TargetGroup.description.codec.encode(self) }
}

extension TargetDescription {
    /// Reads the targets of a request to register or deregister: the value of its key `targets`, at least one.
    public static func list(_ value: Value) throws(ConfigErrors) -> [TargetDescription] {
        let body: Value = ["targets": value]
        let list = Codec<[TargetDescription]>.list(
            description.codec, count: 1...Limits.targetsPerGroupMax, code: .tooManyTargets)
        var findings = Findings(root: body)
        let targets = findings.within(.key("targets")) { findings in list.decode(value, &findings) }
        try findings.throwIfAny()
        return targets ?? []
    }

    /// The target as it was written.
    public func encoded() -> Value { TargetDescription.description.codec.encode(self) }
}

extension Instance {
    /// Reads one entry of the instance registry.
    public init(_ value: Value) throws(ConfigErrors) { self = try Instance.description.codec.read(value) }
    /// The entry.
    public func encoded() -> Value { Instance.description.codec.encode(self) }
}

extension PrefixList {
    /// Reads a prefix list.
    public init(_ value: Value) throws(ConfigErrors) { self = try PrefixList.description.codec.read(value) }
    /// The list.
    public func encoded() -> Value { PrefixList.description.codec.encode(self) }
}

extension ForwardAction {
    /// Reads weights by group name, as in `{"blue": 50, "green": 50}`.
    public static func weights(_ value: Value) throws(ConfigErrors) -> [String: Int] {
        try Codec<[String: Int]>.map(.integer(WeightedTargetGroup.weights)).read(value)
    }
}

extension Codec {
    /// Reads a whole value, or throws every mistake in it.
    func read(_ value: Value, file: String = "") throws(ConfigErrors) -> Model {
        var findings = Findings(file: file, root: value)
        let model = decode(value, &findings)
        try findings.throwIfAny()
        guard let model else { preconditionFailure("a value was refused without a reason") }
        return model
    }
}
