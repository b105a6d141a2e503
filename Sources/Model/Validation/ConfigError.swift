/// A mistake of an operator: in the file, or in what was sent over the socket.
///
/// Shape: a whole sentence of what was expected, what was found instead, and what to do. Never a trap, never a
/// reason to stop serving: the configuration that runs stays.
public struct ConfigError: Error, Hashable, Sendable, CustomStringConvertible {
    /// ELBv2's names for what can be wrong, as the socket answers them.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// A value of the wrong type, range or form, or an unknown key.
        case validationError = "ValidationError"
        /// An HTTPS or TLS listener has no certificate.
        case certificateNotFound = "CertificateNotFound"
        /// Two listeners share an address and a port.
        case duplicateListener = "DuplicateListener"
        /// Two load balancers share a name.
        case duplicateLoadBalancerName = "DuplicateLoadBalancerName"
        /// Two target groups share a name.
        case duplicateTargetGroupName = "DuplicateTargetGroupName"
        /// A listener and a target group of protocols that do not go together.
        case incompatibleProtocols = "IncompatibleProtocols"
        /// Values that are valid one by one but not together.
        case invalidConfigurationRequest = "InvalidConfigurationRequest"
        /// An action that cannot stand where it stands.
        case invalidLoadBalancerAction = "InvalidLoadBalancerAction"
        /// A target whose id is not of the group's target type, or that stands in the group twice.
        case invalidTarget = "InvalidTarget"
        /// No such listener.
        case listenerNotFound = "ListenerNotFound"
        /// No such load balancer.
        case loadBalancerNotFound = "LoadBalancerNotFound"
        /// Something that may not be done at all, such as deleting the default rule.
        case operationNotPermitted = "OperationNotPermitted"
        /// Another generation is in force than the one that was asked for. HTTP's, as ELBv2 has none.
        case preconditionFailed = "PreconditionFailed"
        /// Two rules of a listener share a priority.
        case priorityInUse = "PriorityInUse"
        /// It is still referred to.
        case resourceInUse = "ResourceInUse"
        /// No such instance.
        case resourceNotFound = "ResourceNotFound"
        /// No such rule.
        case ruleNotFound = "RuleNotFound"
        /// No such security policy.
        case sslPolicyNotFound = "SSLPolicyNotFound"
        /// No such target group.
        case targetGroupNotFound = "TargetGroupNotFound"
        /// More actions than are allowed.
        case tooManyActions = "TooManyActions"
        /// More certificates than a listener may have.
        case tooManyCertificates = "TooManyCertificates"
        /// More listeners than there may be.
        case tooManyListeners = "TooManyListeners"
        /// More load balancers than there may be.
        case tooManyLoadBalancers = "TooManyLoadBalancers"
        /// More rules than a listener may have, or more than may have a rate limit.
        case tooManyRules = "TooManyRules"
        /// More target groups than there may be.
        case tooManyTargetGroups = "TooManyTargetGroups"
        /// More targets than a group may have.
        case tooManyTargets = "TooManyTargets"
        /// A protocol that ELBv2 knows and this version does not support.
        case unsupportedProtocol = "UnsupportedProtocol"
    }

    /// The file; empty for what came over the socket.
    public var file: String
    /// Where in the file; nil for what was not read from text.
    public var location: Location?
    /// Which part, as in `targetGroups[0].targets[2].port`; empty for the whole.
    public var path: String
    /// What was expected: a clause such as `port must be an integer from 1 to 65535`.
    public var expected: String
    /// What was found instead, as it should be shown; nil when `expected` says it all.
    public var found: String?
    /// What to do: a sentence.
    public var remedy: String
    /// ELBv2's name for it.
    public var code: Code

    /// A mistake. Each of its texts is cut to `Limits.errorTextBytesMax` bytes, because it may show what somebody sent.
    public init(
        file: String = "", location: Location? = nil, path: String = "", expected: String, found: String? = nil,
        remedy: String, code: Code = .validationError
    ) {
        self.file = file
        self.location = location
        self.path = path.cut(to: Limits.errorTextBytesMax)
        self.expected = expected.cut(to: Limits.errorTextBytesMax)
        self.found = found?.cut(to: Limits.errorTextBytesMax)
        self.remedy = remedy.cut(to: Limits.errorTextBytesMax)
        self.code = code
    }

    /// The line, from 1; 0 when there is none.
    public var line: Int { location?.line ?? 0 }
    /// The column, from 1; 0 when there is none.
    public var column: Int { location?.column ?? 0 }

    /// What was expected and what was found, without place and remedy.
    public var message: String {
        found.map { "\(expected), but found \($0)." } ?? "\(expected)."
    }

    /// The place, the message and the remedy, on one line.
    public var description: String {
        // On the socket the path is the place: where the message begins with its last key, it takes the key's stead.
        let subject = expected.prefix { $0 != " " }
        if file.isEmpty, path == subject || path.hasSuffix(".\(subject)") {
            return "\(path)\(message.dropFirst(subject.count)) \(remedy)"
        }
        return "\(place)\(message) \(remedy)"
    }

    /// `file:line:column: ` in a file, `path: ` on the socket, nothing where neither is known.
    private var place: String {
        if !file.isEmpty { return location.map { "\(file):\($0.line):\($0.column): " } ?? "\(file): " }
        if !path.isEmpty { return "\(path): " }
        return location.map { "line \($0.line), column \($0.column): " } ?? ""
    }

    /// A text beyond `Limits.documentBytesMax`.
    static func tooLarge(file: String, bytes: Int) -> ConfigError {
        ConfigError(
            file: file, expected: "a configuration must be at most \(Limits.documentBytesMax) bytes long",
            found: "\(bytes) bytes", remedy: "Check that this is the right file.")
    }
}

/// All mistakes that were found at once, in the order of their places. Never empty.
public struct ConfigErrors: Error, Hashable, Sendable, CustomStringConvertible {
    /// The mistakes; at least one.
    public let all: [ConfigError]

    /// These mistakes, of which there is at least one, sorted by place; those without a place keep their order. What
    /// is written once may be used many times, by defaults and aliases: its mistake is told once, with the first path.
    public init(_ errors: [ConfigError]) {
        precondition(!errors.isEmpty, "no mistake to report")
        var told: Set<ConfigError> = []
        all = errors.enumerated()
            .sorted {
                ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
            }
            .map(\.element)
            .filter { error in
                var pathless = error
                pathless.path = ""
                return error.location == nil || told.insert(pathless).inserted
            }
    }

    /// One mistake.
    public init(_ error: ConfigError) {
        self.init([error])
    }

    /// The first mistake: the one to answer with where only one can be told.
    public var first: ConfigError { all[0] }

    /// One line for each mistake, at most `Limits.errorsShownMax`, and how many more there are.
    public var description: String {
        var lines = all.prefix(Limits.errorsShownMax).map(\.description)
        if all.count > lines.count { lines.append("… and \(all.count - lines.count) more.") }
        return lines.joined(separator: "\n")
    }
}
