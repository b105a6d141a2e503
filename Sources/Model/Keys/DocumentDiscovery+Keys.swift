extension DocumentDiscovery {
    /// The keys of the configuration's own `discovery`.
    static let description = Description(
        "DocumentDiscovery", "what is found", blank: DocumentDiscovery(),
        keys: [
            Key(
                optional: "docker", \.docker, LabelDiscovery.description.codec,
                "Containers on this host whose labels make target groups and rules.")
        ])
}

extension LabelDiscovery {
    /// The keys of the configuration's `discovery.docker`.
    static let description = Description(
        "LabelDiscovery", "containers with labels", blank: LabelDiscovery(),
        keys: [
            Key("socket", \.socket, .text(.socketPath), "Path of the daemon's Unix socket."),
            Key(
                "address", \.address, .word(),
                "Where a container is reached: at its own address, or at the port of this host that is published for "
                    + "the port of its label apus.port, or the one that it exposes."),
            Key(
                optional: "network", \.network, .text(.composeName),
                "The network whose address is used; without it a container must be in one only."),
            Key(
                "allowHosts", \.allowHosts, .list(.text(.hostPattern), count: 1...Limits.allowedNamesMax),
                required: true,
                "The hosts that the label apus.host may name, where * stands for any characters and ? for one; only "
                    + "where \"*\" is allowed a container needs no host."),
            Key(
                "allowListeners", \.allowListeners, .list(ListenerName.codec, count: 1...Limits.allowedNamesMax),
                required: true, "The listeners that the label apus.listener may name; if it is one, none has to."),
        ],
        check: { docker, findings in
            findings.misplaced(
                [("network", docker.network != nil && docker.address == .published)],
                belongTo: "containers that are reached at their own address", found: "it with address: published",
                remedy: "Remove it.")
        })
}

extension ListenerName {
    /// Reads and writes a listener by its name.
    static let codec = Codec.text(.listenerName).converted(
        to: { text, _ in ListenerName(text) }, from: \.description)
}

extension TextRule {
    /// The name of a listener.
    static let listenerName = TextRule(
        "the load balancer and the port of a listener", length: 3...(Limits.nameCharactersMax + 6),
        pattern: "^[A-Za-z0-9-]+:[0-9]+$", remedy: "Write it as in web:80."
    ) { ListenerName($0) != nil }
}
