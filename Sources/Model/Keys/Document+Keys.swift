extension Document {
    /// The keys of a configuration.
    static let description = Description(
        "Configuration", "a configuration", blank: Document(),
        keys: [
            Key("admin", \.admin, Admin.description.codec, "The admin socket, and who may do what with it."),
            Key("runtime", \.runtime, Runtime.description.codec, "How the process runs."),
            Key("logs", \.logs, Logs.description.codec, "Where log records go."),
            Key(
                optional: "discovery", \.discovery, DocumentDiscovery.description.codec,
                "What is found rather than written here."),
            Key(
                "instances", \.instances, .list(Instance.description.codec, count: 0...Limits.instancesMax),
                "The registry that gives targets of type instance their addresses."),
            Key(
                "prefixLists", \.prefixLists, .list(PrefixList.description.codec, count: 0...Limits.prefixListsMax),
                "Networks under names, by which listeners allow or deny clients."),
            Key(
                checked: "defaults", Defaults.description.codec,
                "What the target groups of this file have unless they say otherwise themselves."),
            Key(
                "loadBalancers", \.loadBalancers,
                .list(LoadBalancer.description.codec, count: 0...Limits.loadBalancersMax, code: .tooManyLoadBalancers),
                "What clients connect to."),
            Key(
                "targetGroups", \.targetGroups,
                .list(TargetGroup.description.codec, count: 0...Limits.targetGroupsMax, code: .tooManyTargetGroups),
                "What requests are forwarded to."),
        ])
}

extension Runtime {
    /// The keys of `runtime`.
    static let description = Description(
        "Runtime", "the runtime settings", blank: Runtime(),
        keys: [
            Key(
                "workers", \.workers, .auto(or: 1...1024),
                "Data-plane threads; auto is one per core. Changing it needs a restart."),
            Key(
                "stateDirectory", \.stateDirectory, .text(.filePath),
                "The folder that keeps what was changed at run time. Changing it needs a restart."),
            Key(
                optional: "user", \.user, .text(.user),
                "The user that the process becomes once its sockets are open; without it the process keeps its user. "
                    + "Changing it needs a restart."),
            Key(
                optional: "availabilityZone", \.availabilityZone, .text(.zone),
                "The zone in which this process runs, to which targets with the same availabilityZone belong; without "
                    + "it targets of all zones are alike."),
            Key(
                "memoryBytes", \.memoryBytes, .integer(1 << 20...1 << 44, unit: "bytes"),
                "Budget of the process for buffers; when it is used up, new connections are refused. Changing it "
                    + "needs a restart."),
            Key(
                "connections", \.connections, .auto(or: 1...10_000_000),
                "Cap on client connections of the process; auto takes it from the descriptor limit. Changing it "
                    + "needs a restart."),
            Key(
                "shutdownGraceSeconds", \.shutdownGraceSeconds, .number(0...86400, unit: "seconds"),
                "How long a shutdown waits for exchanges to finish."),
            Key(
                "ticketKeyRotationSeconds", \.ticketKeyRotationSeconds, .number(1...86400, unit: "seconds"),
                "How often the keys of TLS session tickets are replaced; the last two are kept."),
            Key(
                "cookieKeyRotationSeconds", \.cookieKeyRotationSeconds, .number(3600...604_800, unit: "seconds"),
                "How often the key of stickiness cookies is replaced; older ones are kept for seven days more."),
        ])
}

extension Logs {
    /// The keys of `logs`.
    static let description = Description(
        "Logs", "the log settings", blank: Logs(),
        keys: [
            Key(
                "access", \.access, LogSettings.description("AccessLog", blank: LogSettings()).codec,
                "The access log: one record per exchange."),
            Key(
                "connection", \.connection,
                LogSettings.description("ConnectionLog", blank: LogSettings(destination: .off)).codec,
                "The connection log: one record per connection of an HTTPS listener, and per flow of a network load "
                    + "balancer, the latter as logfmt where the format is alb."),
            Key(
                "health", \.health, LogSettings.description("HealthLog", blank: LogSettings(destination: .off)).codec,
                "The health check log: one record per health check."),
        ])
}

extension LogSettings {
    /// The keys of one log; the logs differ in their defaults.
    static func description(_ name: String, blank: LogSettings) -> Description<LogSettings> {
        Description(
            name, "the settings of a log", blank: blank,
            keys: [
                Key(
                    "path", \.destination,
                    Codec.text(destinationRule).converted(to: { path, _ in Destination(path) }, from: \.path),
                    "Where records go; a file is reopened on SIGUSR1. Changing it needs a restart."),
                Key(
                    "format", \.format, .word(), "How one record looks: the fields of ELBv2's log, or a JSON object."),
            ])
    }

    private static let destinationRule = TextRule(
        "stdout, off or the path of a file", length: 1...Limits.filePathCharactersMax,
        remedy: "Write stdout, off or a path such as /var/log/apus/access.log."
    ) { !$0.utf8.contains(0) }
}

extension LogSettings.Destination {
    /// The destination that the key `path` names.
    init(_ path: String) {
        switch path {
        case "stdout": self = .stdout
        case "off": self = .off
        default: self = .file(path)
        }
    }

    /// The value of the key `path`.
    var path: String {
        switch self {
        case .stdout: "stdout"
        case .off: "off"
        case .file(let path): path
        }
    }
}

extension Instance {
    /// The keys of an entry of the instance registry.
    static let description = Description(
        "Instance", "an instance", blank: Instance(id: "", address: ""),
        keys: [
            Key("id", \.id, .text(.instanceID), required: true, "The instance id, by which targets name it."),
            Key("address", \.address, .address, required: true, "The address at which it is reached."),
        ])
}

extension Codec where Model == String {
    /// An IPv4 or IPv6 address, in its canonical form.
    static let address = Codec.text(.address).converted(to: { text, _ in IPAddress(text)?.description }, from: { $0 })
}
