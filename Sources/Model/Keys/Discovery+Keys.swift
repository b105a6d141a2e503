extension Discovery {
    /// The keys of `discovery`.
    static let description = Description(
        "Discovery", "a discovery", blank: Discovery(),
        keys: [
            Key(
                optional: "dns", \.dns, DNSDiscovery.description.codec,
                "A domain name whose records are the targets; it is looked up again when these are too old."),
            Key(
                optional: "docker", \.docker, DockerDiscovery.description.codec,
                "Containers that a Docker daemon runs on this host."),
            Key(
                optional: "file", \.file, FileDiscovery.description.codec,
                "A file that lists targets, as JSON, and is read again whenever it changes."),
            Key(
                optional: "http", \.http, HTTPDiscovery.description.codec,
                "A URL that lists targets, as JSON, and is asked every so often."),
        ],
        check: { discovery, findings in
            let sources = discovery.sources
            guard sources.count != 1 else { return }
            findings.report(
                "a discovery must have exactly one source",
                found: sources.isEmpty ? "none" : sources.joined(separator: " and "),
                remedy: sources.isEmpty ? "Write one, as in file: { path: targets.json }." : "Remove all but one.",
                code: .invalidConfigurationRequest)
        })

    /// The sources that it names.
    private var sources: [String] {
        [("dns", dns != nil), ("docker", docker != nil), ("file", file != nil), ("http", http != nil)].filter(\.1)
            .map(\.0)
    }
}

extension DNSDiscovery {
    /// The keys of `discovery.dns`.
    static let description = Description(
        "DNSDiscovery", "a domain name of targets", blank: DNSDiscovery(name: ""),
        keys: [
            Key(
                "name", \.name, .text(.domainName), required: true,
                "What is looked up, as it is written: no search domain is added."),
            Key(
                "type", \.type, .word(),
                "The records that are asked for: IPv4 addresses, IPv6 addresses, or hosts with ports, weights and "
                    + "priorities."),
            Key(
                "resolvers", \.resolvers, .list(resolver, count: 0...Limits.resolversMax),
                "The name servers, in the order in which they are asked; without any those of /etc/resolv.conf."),
            Key(
                "ttlSecondsMin", \.ttlSecondsMin, .number(0.1...3600, unit: "seconds"),
                "How long an answer is kept at least, whatever its time to live."),
            Key(
                "ttlSecondsMax", \.ttlSecondsMax, .number(0.1...86400, unit: "seconds"),
                "How long an answer is kept at most."),
        ],
        check: { dns, findings in
            guard dns.ttlSecondsMin > dns.ttlSecondsMax else { return }
            findings.within(.key("ttlSecondsMin")) { findings in
                findings.report(
                    "ttlSecondsMin must be at most ttlSecondsMax, which is \(Shape.plain(dns.ttlSecondsMax))",
                    found: Shape.plain(dns.ttlSecondsMin), remedy: "Lower the one, or raise the other.",
                    code: .invalidConfigurationRequest)
            }
        })

    /// A name server: an address, with a port if that is not 53.
    private static let resolver = Codec.text(.resolver).converted(
        to: { text, _ in TCPAddress(nameServer: text) },
        from: { $0.port == TCPAddress.nameServerPort ? $0.host.description : $0.description })
}

extension DockerDiscovery {
    /// The keys of `discovery.docker`.
    static let description = Description(
        "DockerDiscovery", "a choice of containers", blank: DockerDiscovery(),
        keys: [
            Key("socket", \.socket, .text(.socketPath), "Path of the daemon's Unix socket."),
            Key(
                "labels", \.labels, .map(.text(.labelValue)), "Labels that a container must have, with their values."),
            Key(
                optional: "composeService", \.composeService, .text(.composeName),
                "The service of a Compose project that a container must be of."),
            Key(
                optional: "composeProject", \.composeProject, .text(.composeName),
                "The Compose project that a container must be of."),
            Key(
                optional: "port", \.port, .containerPort,
                "The port of a container, or the name of its label that has it; without it the one that it exposes."),
            Key(
                "address", \.address, .word(),
                "Where a container is reached: at its own address, or at the port of this host that is published for "
                    + "it."
            ),
            Key(
                optional: "network", \.network, .text(.composeName),
                "The network whose address is used; without it a container must be in one only."),
        ],
        check: { docker, findings in
            docker.checkChoice(&findings)
            findings.misplaced(
                [("network", docker.network != nil && docker.address == .published)],
                belongTo: "containers that are reached at their own address", found: "it with address: published",
                remedy: "Remove it.")
        })

    /// Reports labels that cannot be, and a choice of all containers that there are.
    private func checkChoice(_ findings: inout Findings) {
        if allLabels.isEmpty {
            findings.report(
                "docker must choose containers by labels, composeService or composeProject", found: "none of them",
                remedy: "Write one, as in composeService: web.", code: .invalidConfigurationRequest)
        }
        findings.within(.key("labels")) { findings in
            if labels.count > Limits.dockerLabelsMax {
                findings.report(
                    "labels must be at most \(Limits.dockerLabelsMax)", found: "\(labels.count)", remedy: "Remove some."
                )
            }
            for name in labels.keys.sorted() where !TextRule.isLabelName(name) {
                findings.within(.key(name)) { findings in
                    findings.report(
                        "a label must have \(TextRule.labelName.expected)", found: Value.quoted(name),
                        remedy: TextRule.labelName.remedy)
                }
            }
        }
    }
}

extension Codec where Model == DockerDiscovery.Port {
    /// A port, or the name of a label.
    fileprivate static let containerPort = Codec(
        shape: .either(Codec<Int>.integer(1...65535).shape, .text(.labelName)),
        decode: { value, findings in
            if let number = value.int, (1...65535).contains(number) { return .number(number) }
            if let name = value.string, TextRule.isLabelName(name), Int(name) == nil { return .label(name) }
            findings.report(
                "port must be an integer from 1 to 65535 or \(TextRule.labelName.expected)", found: value.brief,
                at: value.location, remedy: "Write a port such as 8080, or a label such as app.port.")
            return nil
        },
        encode: { port in
            switch port {
            case .number(let number): .int(number)
            case .label(let name): .string(name)
            }
        })
}

extension FileDiscovery {
    /// The keys of `discovery.file`.
    static let description = Description(
        "FileDiscovery", "a file of targets", blank: FileDiscovery(path: ""),
        keys: [
            Key(
                "path", \.path, .text(.filePath), required: true,
                "Where the file is; a relative path begins in the folder of the configuration.")
        ])
}

extension HTTPDiscovery {
    /// The keys of `discovery.http`.
    static let description = Description(
        "HTTPDiscovery", "a URL of targets", blank: HTTPDiscovery(url: blankURL),
        keys: [
            Key(
                "url", \.url, Codec.text(.listURL).converted(to: { text, _ in URL(text) }, from: \.description),
                required: true, "What is asked; the host is an address, as names are not looked up."),
            Key(
                "intervalSeconds", \.intervalSeconds, .number(0.1...3600, unit: "seconds"),
                "Time from one answer to the next question."),
            Key(
                optional: "token", \.token, .secret,
                "A token that is sent with each question, as Authorization: Bearer TOKEN."),
            Key(
                "headers", \.headers, .fields,
                "Header fields that are sent with each question: where the value of each is kept."),
        ],
        check: { http, findings in http.checkHeaders(&findings) })

    /// Reports fields that cannot be, are ours to set, or stand twice.
    private func checkHeaders(_ findings: inout Findings) {
        findings.within(.key("headers")) { findings in
            if headers.count > Limits.discoveryFieldsMax {
                findings.report(
                    "headers must be at most \(Limits.discoveryFieldsMax)", found: "\(headers.count)",
                    remedy: "Remove some.")
            }
            var known: Set<String> = token == nil ? [] : ["authorization"]
            for name in headers.keys.sorted() {
                findings.within(.key(name)) { findings in
                    if !TextRule.isQuestionField(name) {
                        findings.report(
                            "a field of headers must have a name of 1 to 40 letters, digits, hyphens and underscores, "
                                + "and none that HTTP itself needs", found: Value.quoted(name),
                            remedy: "Write a name such as X-Consul-Token.")
                    } else if !known.insert(name.lowercased()).inserted {
                        findings.report(
                            "\(name) must be sent once", found: "it twice",
                            remedy: name.lowercased() == "authorization" && token != nil
                                ? "Remove it, or token, which is sent in it." : "Remove one of them.",
                            code: .invalidConfigurationRequest)
                    }
                }
            }
        }
    }

    /// Stands where a URL is read.
    private static var blankURL: URL {
        guard let url = URL("http://127.0.0.1/") else { preconditionFailure("discovery: no URL") }
        return url
    }
}

extension Codec where Model == [String: SecretReference] {
    /// Header fields with secrets.
    fileprivate static let fields = Codec.map(Codec<SecretReference>.secret).hiding(
        remedy: "Write names with where their values are, as in { X-Consul-Token: { file: token } }.")
}

extension ListedInstance {
    /// The keys of an instance that a file or a URL lists.
    static let description = Description(
        "ListedInstance", "an instance", blank: ListedInstance(id: ""),
        keys: [
            Key(
                "id", \.id, .text(.listedID), required: true,
                "Its name; its address or instance id as well, unless address has that."),
            Key(optional: "address", \.address, .address, "Its address."),
            Key(optional: "port", \.port, .integer(1...65535), "Its port; without it the port of the group."),
            Key(
                optional: "weight", \.weight, .integer(0...Limits.targetWeightMax),
                "Its share beside those of the other targets; 0 for no requests, 1 without it."),
            Key(optional: "availabilityZone", \.zone, .text(.zone), "The zone that it is in."),
        ])

    /// The instances that `list` holds, and what is wrong with the others, each with the name that it gives itself.
    /// Errors: it is no list, or one that is longer than a group may be.
    public static func read(
        _ list: Value, file: String
    ) throws(ConfigErrors) -> (instances: [ListedInstance], mistakes: [(name: String, mistake: ConfigError)]) {
        guard let elements = list.array, elements.count <= Limits.targetsPerGroupMax else {
            throw ConfigErrors(
                ConfigError(
                    file: file, location: list.location,
                    expected: "a list of instances must have at most \(Limits.targetsPerGroupMax)",
                    found: list.array.map { "\($0.count)" } ?? list.brief,
                    remedy: "Write it as in [{\"id\": \"10.0.0.5\", \"port\": 8080}]."))
        }
        var instances: [ListedInstance] = []
        var mistakes: [(name: String, mistake: ConfigError)] = []
        for (index, element) in elements.enumerated() {
            var findings = Findings(file: file, root: list)
            let read = findings.within(.index(index)) { description.codec.decode(element, &$0) }
            if let read, findings.errors.isEmpty {
                instances.append(read)
            } else if let mistake = findings.errors.first {
                mistakes.append((element["id"]?.string?.cut(to: 64) ?? "[\(index)]", mistake))
            }
        }
        return (instances, mistakes)
    }
}

extension TCPAddress {
    /// Where name servers listen if nothing else is said. Source: RFC 1035 §4.2.
    fileprivate static let nameServerPort = 53

    /// Reads the address of a name server, which may have a port.
    fileprivate init?(nameServer text: String) {
        if let address = IPAddress(text) {
            self.init(address.isIPv4 ? "\(address):\(Self.nameServerPort)" : "[\(address)]:\(Self.nameServerPort)")
        } else {
            self.init(text)
        }
    }
}

extension TextRule {
    /// A domain name that can be looked up. Names of services have labels that begin with an underscore.
    /// Source: RFC 1035 §2.3.4, RFC 2782.
    static let domainName = TextRule(
        "a domain name of 1 to 253 letters, digits, hyphens, underscores and dots", length: 1...254,
        pattern: "^[A-Za-z0-9._-]+$",
        remedy: "Write a name such as web.internal or _http._tcp.web.internal; register an address as a target."
    ) { isDomainName($0) }

    private static func isDomainName(_ text: String) -> Bool {
        let name = text.hasSuffix(".") ? text.dropLast() : text[...]
        return (1...253).contains(name.utf8.count) && IPAddress(String(name)) == nil
            && name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { isAlphanumeric($0) || "_-".utf8.contains($0) }
            }
    }

    /// The address of a name server, perhaps with a port.
    static let resolver = TextRule(
        "the IPv4 or IPv6 address of a name server, perhaps with a port", length: 2...53,
        pattern: "^([0-9A-Fa-f.:]+|\\[[0-9A-Fa-f:.]+\\]:[0-9]+)$",
        remedy: "Write an address such as 10.0.0.2, 10.0.0.2:5353 or \"[2001:db8::2]:53\"."
    ) { TCPAddress(nameServer: $0) != nil }

    /// The name of a label.
    static let labelName = TextRule(
        "a name of 1 to 128 visible characters without =", length: 1...128, pattern: "^[!-<>-~]+$",
        remedy: "Write a name such as app.port."
    ) { isLabelName($0) }

    /// Whether a label may have this name.
    static func isLabelName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
    }

    /// The value of a label, or nothing.
    static let labelValue = TextRule(
        "text of at most 128 characters", length: 0...128, remedy: "Choose containers by a shorter label."
    ) { !$0.utf8.contains(0) }

    /// A name of Docker's or of Compose's.
    static let composeName = TextRule(
        "a name of 1 to 128 letters, digits, hyphens, dots and underscores", length: 1...128,
        pattern: "^[A-Za-z0-9._-]+$", remedy: "Write a name such as web."
    ) { $0.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) } }

    /// A URL that lists targets.
    static let listURL = TextRule(
        "a URL of http whose host is an address, of up to 1024 characters", length: 8...1024,
        pattern: "^http://([0-9.]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]+)?([/?][!-~]*)?$",
        remedy: "Write a URL such as http://10.0.0.2:8500/targets; names are not looked up."
    ) { HTTPDiscovery.URL($0) != nil }

    /// Whether a question to a URL of targets may have such a field, which is none of ours and none of HTTP's own.
    static func isQuestionField(_ name: String) -> Bool {
        let reserved: Set<String> = [
            "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect",
            "keep-alive", "proxy-connection", "user-agent", "accept", "accept-encoding", "if-none-match", "range",
        ]
        return (1...40).contains(name.utf8.count)
            && name.utf8.allSatisfy { isAlphanumeric($0) || "-_".utf8.contains($0) }
            && !reserved.contains(name.lowercased())
    }

    /// What a source may call an instance.
    static let listedID = TextRule(
        "a name of 1 to 128 visible characters", length: 1...128, pattern: "^[!-~]+$",
        remedy: "Write an address such as 10.0.0.5, an instance id such as i-0a1b2c3d, or a name beside an address."
    ) { $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
}

extension TargetGroup {
    /// Reports discovery in a group whose targets no source can name.
    func checkDiscovery(_ findings: inout Findings) {
        let addressed = discovery?.docker != nil ? "containers" : discovery?.dns != nil ? "a domain name" : nil
        if let addressed, targetType != .ip {
            findings.within(.key("targetType")) { findings in
                findings.report(
                    "targetType must be ip in a group of \(addressed)", found: targetType.rawValue,
                    remedy: "Write targetType: ip.", code: .invalidConfigurationRequest)
            }
        }
        guard discovery != nil, `protocol`.hasQUIC else { return }
        findings.within(.key("discovery")) { findings in
            findings.report(
                "targets of a group of protocol \(`protocol`.rawValue) cannot be discovered, since no source tells "
                    + "their quicServerId", remedy: "Remove it, and register the targets.",
                code: .invalidConfigurationRequest)
        }
    }
}
