extension ContainerLabels {
    /// The labels of a container. Those of its group are keys and attributes of target groups under other names.
    static let description: Description<ContainerLabels> = {
        let groups = TargetGroup.description.keys
        let ofGroup = groupLabels.compactMap { label, name in
            groups.first { $0.name == name }?.named(label, in: \.settings, of: ContainerLabels())
        }
        let attributes = TargetGroupAttributes.description.keys.filter { $0.kinds.contains(.application) }
        let ofAttributes = attributes.map {
            $0.named(attributePrefix + $0.name, in: \.settings.attributes, of: ContainerLabels())
        }
        return Description(
            "ContainerLabels", "the labels of a container", blank: ContainerLabels(),
            keys: keys + ofGroup + codeKeys + ofAttributes,
            check: { labels, findings in
                if labels.hosts.isEmpty, labels.paths.isEmpty {
                    findings.report(
                        "a container must have the label apus.host or apus.path", found: "neither",
                        remedy: "Give it one, as in apus.host=shop.example.com, or apus.enable=false.")
                }
                TargetGroup.description.check(labels.settings, &findings)
            })
    }()

    /// What the labels of attributes begin with.
    static let attributePrefix = "apus.attributes."

    /// What each label stands for, to read its text by.
    static let labelShapes = Dictionary(
        uniqueKeysWithValues: description.keys.map { ($0.name, $0.shape(ContainerLabels()).shape) })

    /// Labels that are keys of target groups, with the names of those. One that is the end of another comes after it.
    static let groupLabels = [
        ("apus.protocolVersion", "protocolVersion"), ("apus.health.enable", "healthCheckEnabled"),
        ("apus.health.protocol", "healthCheckProtocol"), ("apus.health.port", "healthCheckPort"),
        ("apus.health.path", "healthCheckPath"), ("apus.health.interval", "healthCheckIntervalSeconds"),
        ("apus.health.timeout", "healthCheckTimeoutSeconds"),
        ("apus.health.unhealthy", "unhealthyThresholdCount"), ("apus.health.healthy", "healthyThresholdCount"),
        ("apus.health.grace", "healthCheckGracePeriodSeconds"),
    ]

    private static let keys: [Key<ContainerLabels>] = [
        Key("apus.enable", \.isEnabled, .bool, "Whether the container takes part; false for one that does not."),
        Key(
            optional: "apus.group", \.group, .text(.name),
            "The name of the target group; without it one is made of listeners, hosts and paths."),
        Key(
            "apus.listener", \.listeners, names(ListenerName.codec),
            "The listeners that get a rule, with commas between them; without it the one that is allowed."),
        Key(
            "apus.host", \.hosts,
            names(.text(.hostPattern)).converted(
                to: { hosts, _ in Set(hosts.map { $0.lowercased() }).sorted() }, from: { $0 }),
            "Hosts, with commas between them, where * stands for any characters and ? for one."),
        Key(
            "apus.path", \.paths,
            names(.text(.pathPattern)).converted(to: { paths, _ in Set(paths).sorted() }, from: { $0 }),
            "Paths, with commas between them, where * stands for any characters and ? for one."),
        Key(
            optional: "apus.priority", \.priority, .integer(1...50000),
            "The place of the rule among those of the listener; without it the rule comes after all up to 40000, the "
                + "longest host and path first."),
        Key(
            optional: "apus.port", \.port, .integer(1...65535),
            "The port of the container; without it the one that it exposes."),
        Key(
            optional: "apus.weight", \.weight, .integer(0...Limits.targetWeightMax),
            "Its share beside the other containers of the group; 0 for no requests, 1 without it."),
        Key(
            "apus.protocol", \.scheme, .word(), "The protocol that is spoken to the container."),
    ]

    private static let codeKeys: [Key<ContainerLabels>] = [
        Key(
            "apus.health.codes", \.settings.healthCheck.matcher.httpCode, Matcher.httpCodes,
            "The status codes that pass a check."),
        Key(
            optional: "apus.health.grpcCodes", \.settings.healthCheck.matcher.grpcCode, Matcher.grpcCodes,
            "The gRPC status codes that pass a check, with apus.protocolVersion=GRPC."),
    ]

    /// A list of names in one label.
    private static func names<Name: Sendable>(_ codec: Codec<Name>) -> Codec<[Name]> {
        .list(codec, count: 0...Limits.labelNamesMax)
    }

    /// The protocols of groups that requests are forwarded to.
    enum Scheme: String, Sendable, CaseIterable {
        /// HTTP without TLS.
        case http = "HTTP"
        /// HTTP over TLS.
        case https = "HTTPS"
    }

    /// The protocol of its group.
    var scheme: Scheme {
        get { settings.protocol == .https ? .https : .http }
        set { settings.protocol = newValue == .https ? .https : .http }
    }
}
