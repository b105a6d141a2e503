import Foundation
import TestCertificates

/// A configuration file for one scenario: one load balancer named `web`, by default on 127.0.0.1 and of the type
/// application.
///
/// Ports of listeners, and paths, are filled in when Apus is started; what is not said here is ELBv2's default, except
/// that targets are checked twice a second, so that no scenario waits half a minute for a healthy target.
struct Document: Sendable {
    /// Its listeners; ports are chosen at start.
    var listeners: [Listener]
    /// Where they listen; clients connect to the first.
    var addresses = [Socket.loopback]
    /// The target groups.
    var groups: [Group]
    /// Attributes of the load balancer.
    var attributes: [String: JSON] = [:]
    /// Its type.
    var type = "application"
    /// The instance registry: id → address.
    var instances: [String: String] = [:]
    /// The prefix lists: name → entries.
    var prefixLists: [String: [String]] = [:]
    /// Keys of `discovery.docker`, without the listeners that are allowed, which are those of the document.
    var labels: [String: JSON]?
    /// `admin.metrics`.
    var metrics: String?
    /// Other keys of `admin`; `FOLDER` in their texts stands for Apus's folder.
    var admin: [String: JSON] = [:]
    /// Keys of `runtime`, without the state directory.
    var runtime: [String: JSON] = ["workers": 2]
    /// `alb` or `json`.
    var logFormat = "alb"

    /// One HTTP listener.
    struct Listener: Sendable {
        var defaultAction: JSON
        var rules: [JSON] = []
        /// The port, where it matters which.
        var port: UInt16?
        /// Certificates; with any, the listener is one of HTTPS.
        var certificates: [TestAuthority.Pair] = []
        /// Other keys of the listener.
        var settings: [String: JSON] = [:]
    }

    /// One target group. `settings` holds any other key of the file's target group.
    struct Group: Sendable {
        var name: String
        var targets: [Address] = []
        var attributes: [String: JSON] = [:]
        var settings: [String: JSON] = [:]
        /// Scripted targets that live as long as the document does, and so as the program that was started with it.
        private var servers: [TargetServer] = []
        private var streams: [StreamTarget] = []
        private var datagrams: [DatagramTarget] = []
        /// Programs that are its targets, alike.
        private var programs: [PortServer] = []

        init(
            _ name: String, _ targets: [Address] = [], attributes: [String: JSON] = [:], settings: [String: JSON] = [:]
        ) {
            self.name = name
            self.targets = targets
            self.attributes = attributes
            self.settings = settings
        }

        /// A program as the target of a group.
        init(
            _ name: String, program: PortServer, attributes: [String: JSON] = [:], settings: [String: JSON] = [:]
        ) {
            self.init(name, [program.address], attributes: attributes, settings: settings)
            programs = [program]
        }

        /// Scripted targets of a group to which bytes are passed on.
        init(
            _ name: String, streams: [StreamTarget], attributes: [String: JSON] = [:], settings: [String: JSON] = [:]
        ) {
            self.init(
                name, streams.map(\.address), attributes: attributes,
                settings: ["protocol": "TCP"].merging(settings) { $1 })
            self.streams = streams
        }

        /// Scripted targets of a group to which datagrams are passed on.
        init(
            _ name: String, datagrams: [DatagramTarget], attributes: [String: JSON] = [:],
            settings: [String: JSON] = [:]
        ) {
            self.init(
                name, streams: datagrams.map(\.stream), attributes: attributes,
                settings: ["protocol": "UDP"].merging(settings) { $1 })
            self.datagrams = datagrams
        }

        /// Scripted targets of one group.
        init(
            _ name: String, servers: [TargetServer], attributes: [String: JSON] = [:], settings: [String: JSON] = [:]
        ) {
            self.init(name, servers.map(\.address), attributes: attributes, settings: settings)
            self.servers = servers
        }
    }

    /// A target as it is registered.
    struct Address: Sendable {
        var id = "127.0.0.1"
        var port: UInt16
        var zone: String?
        /// In a group of QUIC.
        var quicServerID: String?
        var json: JSON {
            var json: JSON = ["id": .string(id), "port": JSON(port)]
            if let zone { json["availabilityZone"] = .string(zone) }
            if let quicServerID { json["quicServerId"] = .string(quicServerID) }
            return json
        }
        var text: String { id.contains(":") ? "[\(id)]:\(port)" : "\(id):\(port)" }
    }

    /// A document with these parts.
    init(
        listeners: [Listener], groups: [Group], attributes: [String: JSON] = [:], instances: [String: String] = [:]
    ) {
        self.listeners = listeners
        self.groups = groups
        self.attributes = attributes
        self.instances = instances
    }

    /// One listener that forwards everything to the group `blue`, whose targets are `servers`.
    init(_ servers: TargetServer..., attributes: [String: JSON] = [:], group: [String: JSON] = [:]) {
        self.init(
            listeners: [Listener(defaultAction: Self.forward("blue"))],
            groups: [Group("blue", servers: servers, attributes: group)], attributes: attributes)
    }

    /// A network load balancer with one TCP listener that forwards everything to the group `blue`.
    static func network(
        _ targets: StreamTarget..., listener: [String: JSON] = [:], attributes: [String: JSON] = [:],
        group: [String: JSON] = [:], settings: [String: JSON] = [:]
    ) -> Document {
        var document = Document(
            listeners: [
                Listener(defaultAction: forward("blue"), settings: ["protocol": "TCP"].merging(listener) { $1 })
            ],
            groups: [Group("blue", streams: targets, attributes: group, settings: settings)], attributes: attributes)
        document.type = "network"
        document.logFormat = "json"
        return document
    }

    /// A network load balancer with one UDP listener that forwards everything to the group `blue`.
    static func datagrams(
        _ targets: DatagramTarget..., listener: [String: JSON] = [:], group: [String: JSON] = [:],
        settings: [String: JSON] = [:]
    ) -> Document {
        var document = network(listener: ["protocol": "UDP"].merging(listener) { $1 })
        document.groups = [Group("blue", datagrams: targets, attributes: group, settings: settings)]
        return document
    }

    /// One listener without TLS that forwards calls of gRPC to the group `calls`, whose target is `http2_target`.
    static func calls(attributes: [String: JSON] = [:]) throws -> Document {
        Document(
            listeners: [Listener(defaultAction: forward("calls"))],
            groups: [
                Group(
                    "calls", program: try PortServer.python("http2_target"),
                    settings: ["protocolVersion": "GRPC", "healthCheckProtocol": "TCP"])
            ], attributes: ["apus.h2c.enabled": true].merging(attributes) { $1 })
    }

    /// A forward action: one group, or several with weights.
    static func forward(_ group: String) -> JSON {
        ["type": "forward", "targetGroupName": .string(group)]
    }

    /// A forward action that divides requests by weight.
    static func forward(_ weights: KeyValuePairs<String, Int>) -> JSON {
        let groups = weights.map { JSON.object(["targetGroupName": .string($0.key), "weight": JSON($0.value)]) }
        return ["type": "forward", "forwardConfig": ["targetGroups": .array(groups)]]
    }

    /// A rule with one condition.
    static func rule(_ priority: Int, _ field: String, _ values: [String], _ action: JSON) -> JSON {
        [
            "priority": JSON(priority), "actions": [action],
            "conditions": [["field": .string(field), "values": .array(values.map { .string($0) })]],
        ]
    }

    /// The file's text: JSON, which is YAML too.
    func text(ports: [UInt16], folder: String) -> String {
        var loadBalancer: JSON = [
            "name": "web", "type": .string(type), "addresses": .array(addresses.map { .string($0) }),
            "listeners": .array(zip(listeners, ports).map { Self.json($0, port: $1) }),
        ]
        if !attributes.isEmpty { loadBalancer["attributes"] = .object(attributes) }
        var runtime = runtime
        runtime["stateDirectory"] = "\(folder)/state"
        var document: JSON = [
            "admin": ["socket": "\(folder)/admin.sock"],
            "runtime": .object(runtime),
            "logs": [
                "access": ["path": "\(folder)/access.log", "format": .string(logFormat)],
                "connection": ["path": "\(folder)/connection.log", "format": .string(logFormat)],
                "health": ["path": "\(folder)/health.log", "format": .string(logFormat)],
            ],
            "loadBalancers": [loadBalancer],
            "targetGroups": .array(groups.map(Self.json)),
        ]
        for (key, value) in admin { document["admin"][key] = value }
        if let metrics { document["admin"]["metrics"] = .string(metrics) }
        if let labels {
            let listeners: JSON = .array(ports.map { "web:\($0)" })
            document["discovery"] = ["docker": .object(labels.merging(["allowListeners": listeners]) { $1 })]
        }
        if !instances.isEmpty {
            let entries = instances.sorted { $0.key < $1.key }
            document["instances"] = .array(entries.map { ["id": .string($0.key), "address": .string($0.value)] })
        }
        if !prefixLists.isEmpty {
            let lists = prefixLists.sorted { $0.key < $1.key }
            document["prefixLists"] = .array(
                lists.map { ["name": .string($0.key), "entries": .array($0.value.map { .string($0) })] })
        }
        return document.text.replacingOccurrences(of: "FOLDER", with: folder)
    }

    private static func json(_ listener: Listener, port: UInt16) -> JSON {
        var json: JSON = ["protocol": "HTTP", "port": JSON(port), "defaultActions": [listener.defaultAction]]
        if !listener.certificates.isEmpty {
            json["protocol"] = "HTTPS"
            json["certificates"] = .array(
                listener.certificates.map { pair in
                    [
                        "certificateFile": .string(pair.certificatePath),
                        "privateKeyFile": .string(pair.privateKeyPath),
                    ]
                })
        }
        for (key, value) in listener.settings { json[key] = value }
        if !listener.rules.isEmpty { json["rules"] = .array(listener.rules) }
        return json
    }

    private static func json(_ group: Group) -> JSON {
        var json: JSON = [
            "name": .string(group.name), "targetType": "ip", "protocol": "HTTP", "port": 80,
            "healthCheckPath": "/health", "healthCheckIntervalSeconds": 0.5, "healthCheckTimeoutSeconds": 0.5,
            "healthyThresholdCount": 2, "unhealthyThresholdCount": 3,
        ]
        for (key, value) in group.settings { json[key] = value }
        if !group.attributes.isEmpty { json["attributes"] = .object(group.attributes) }
        if !group.targets.isEmpty { json["targets"] = .array(group.targets.map(\.json)) }
        return json
    }
}
