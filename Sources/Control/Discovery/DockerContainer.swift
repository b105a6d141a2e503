import Model
import Routing

/// What a Docker daemon says of one container.
///
/// Shape:  a value of what is looked at; whatever else the daemon says is passed over.
/// Errors: what is not as it should be is as if it were not there, so that the container is refused for the lack of it.
/// Source: Docker Engine API, "Inspect a container".
struct DockerContainer: Equatable {
    /// A port of the host that is published for one of the container's.
    struct Publication: Equatable {
        let address: String
        let port: Int
    }

    /// Its id.
    let id: String
    /// Its name, without the slash before it.
    let name: String
    /// Its labels.
    let labels: [String: String]
    /// What they ask for, which takes a while to read.
    let request: Result<ContainerLabels?, ConfigErrors>
    /// Whether it runs, and is not paused.
    let isRunning: Bool
    /// When it was started: another time is another life of it.
    let startedAt: String
    /// What its health check says.
    var health: ContainerHealth
    /// The signal that asks it to stop.
    let stopSignal: Int
    /// Whether it has the host's network.
    let isOnHost: Bool
    /// Its addresses by network.
    let addresses: [String: String]
    /// Its ports that are for others, as in `80/tcp`.
    let exposed: [String]
    /// What of the host is published for its ports.
    let published: [String: [Publication]]

    /// What `inspection` says; nil if it is not of a container.
    init?(_ inspection: Value) {
        guard let id = inspection["Id"]?.string, Self.isID(id) else { return nil }
        let (state, configuration) = (inspection["State"] ?? [:], inspection["Config"] ?? [:])
        self.id = id
        let name = inspection["Name"]?.string ?? ""
        self.name = (name.hasPrefix("/") ? String(name.dropFirst()) : name).cut(to: Limits.containerNameBytesMax)
        labels = Self.texts(configuration["Labels"]?.members ?? [])
        request = Result { [labels] () throws(ConfigErrors) in try ContainerLabels.read(labels) }
        isRunning = state["Running"]?.bool == true && state["Paused"]?.bool != true
        startedAt = (state["StartedAt"]?.string ?? "").cut(to: Limits.containerNameBytesMax)
        health = ContainerHealth(docker: state["Health"]?["Status"]?.string ?? "none")
        stopSignal = Self.signal(configuration["StopSignal"]?.string ?? "") ?? 15
        isOnHost = inspection["HostConfig"]?["NetworkMode"]?.string == "host"
        let network = inspection["NetworkSettings"] ?? [:]
        addresses = Dictionary(
            (network["Networks"]?.members ?? []).compactMap { member in
                let texts = [member.value["IPAddress"]?.string, member.value["GlobalIPv6Address"]?.string]
                return texts.lazy.compactMap { $0.flatMap(IPAddress.init) }.first.map { (member.key, $0.description) }
            }, uniquingKeysWith: { first, _ in first })
        exposed = (configuration["ExposedPorts"]?.members ?? []).map(\.key)
        published = Dictionary(
            (network["Ports"]?.members ?? []).map { member in
                (member.key, (member.value.array ?? []).compactMap { Publication($0) })
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Those of `members` that are text.
    static func texts(_ members: [Value.Member]) -> [String: String] {
        Dictionary(
            members.compactMap { member in member.value.string.map { (member.key, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// Whether text is the id of a container: hexadecimal digits, so that it can stand in a path.
    static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
            }
    }

    /// The number of a signal that is written as a number or as a name, as in `15`, `SIGTERM` or `TERM`; nil for none
    /// that ends a container by any chance.
    static func signal(_ text: String) -> Int? {
        if let number = Int(text) { return (1...64).contains(number) ? number : nil }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        return signals[name] ?? realTimeSignal(name)
    }

    /// The number of a real-time signal, as in `RTMIN+3`: systemd has that as its end. Source: signal(7), with the
    /// limits of the C library.
    private static func realTimeSignal(_ name: String) -> Int? {
        let (first, last) = (34, 64)
        if name == "RTMIN" { return first }
        if name == "RTMAX" { return last }
        guard let offset = Int(name.dropFirst(6)), (0...last - first).contains(offset) else { return nil }
        if name.hasPrefix("RTMIN+") { return first + offset }
        return name.hasPrefix("RTMAX-") ? last - offset : nil
    }

    /// Signals that programs take as a wish to stop. Source: signal(7).
    private static let signals = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "USR2": 12, "ALRM": 14, "TERM": 15,
        "WINCH": 28, "PWR": 30,
    ]

    /// Whether this signal is the end of the container: those that end most programs, and the one it asks for.
    func isEnd(_ signal: Int) -> Bool { [2, 3, 9, 15, stopSignal].contains(signal) }
}

extension ContainerHealth {
    /// A status of Docker's.
    init(docker status: String) {
        switch status {
        case "starting": self = .starting
        case "unhealthy": self = .unhealthy
        default: self = .passing
        }
    }
}

extension DockerContainer.Publication {
    /// Where something is published; nil if that is no port.
    fileprivate init?(_ value: Value) {
        guard let port = value["HostPort"]?.string.flatMap({ Int($0) }), (1...65535).contains(port) else { return nil }
        let address = value["HostIp"]?.string ?? ""
        self.port = port
        // What is published on all addresses is published on this host's own.
        switch address {
        case "", "0.0.0.0": self.address = "127.0.0.1"
        case "::": self.address = "::1"
        default:
            guard let address = IPAddress(address) else { return nil }
            self.address = address.description
        }
    }
}

// MARK: The target that a container is

extension DockerContainer {
    /// The target that it is for a group that finds it by `settings`, and whose own port is `groupPort`. It may say
    /// which of its ports to use, and nothing else: the address is its own. Of several addresses it may be at the one
    /// that is `inUse`.
    ///
    /// Errors: what it lacks, and what to do about it.
    func target(
        by settings: DockerDiscovery, groupPort: Int, isDatagram: Bool, inUse: String? = nil
    ) throws(ConfigErrors) -> TargetDescription {
        let transport = isDatagram ? "udp" : "tcp"
        let port = try port(by: settings, groupPort: groupPort, transport)
        if settings.address == .container {
            return TargetDescription(id: try address(in: settings.network, inUse: inUse), port: port)
        }
        if isOnHost { return TargetDescription(id: "127.0.0.1", port: port) }
        let all = published["\(port)/\(transport)"] ?? []
        guard let one = all.first(where: { !$0.address.contains(":") }) ?? all.first else {
            throw mistake(
                "a container must publish its port \(port)/\(transport) on this host",
                found: published.isEmpty ? "no published port" : published.keys.sorted().joined(separator: ", "),
                remedy: "Publish it, as in -p \(port), or write address: container.")
        }
        return TargetDescription(id: one.address, port: one.port)
    }

    private func port(
        by settings: DockerDiscovery, groupPort: Int, _ transport: String
    ) throws(ConfigErrors) -> Int {
        switch settings.port {
        case .number(let number): return number
        case .label(let name):
            if let port = labels[name].flatMap({ Int($0) }), (1...65535).contains(port) { return port }
            throw mistake(
                "label \(name) must be a port from 1 to 65535",
                found: labels[name].map { "\"\($0.cut(to: Limits.containerNameBytesMax))\"" } ?? "no such label",
                remedy: "Give the container the label, as in \(name)=8080.")
        case nil:
            let ports = exposedPorts(transport)
            if ports.count == 1 { return ports[0] }
            // The port of a group is that of targets which have none of their own.
            if ports.isEmpty || ports.contains(groupPort) { return groupPort }
            throw mistake(
                "a container must expose one port, or the group's, which is \(groupPort)",
                found: ports.sorted().prefix(8).map(String.init).joined(separator: ", "),
                remedy: "Name one of them by port in discovery.docker.")
        }
    }

    /// The ports of `transport` that are for others.
    func exposedPorts(_ transport: String) -> [Int] {
        exposed.compactMap { text -> Int? in
            guard text.hasSuffix("/\(transport)") else { return nil }
            return Int(text.dropLast(transport.count + 1)).flatMap { (1...65535).contains($0) ? $0 : nil }
        }
    }

    private func address(in network: String?, inUse: String?) throws(ConfigErrors) -> String {
        if let network {
            if let address = addresses[network] { return address }
            throw mistake(
                "a container must have an address in network \(network)", found: networksText,
                remedy: "Connect it to that network.")
        }
        if addresses.count == 1, let address = addresses.values.first { return address }
        if let inUse, addresses.values.contains(inUse) { return inUse }
        if isOnHost {
            throw mistake(
                "a container must have an address of its own", found: "one that has the host's network",
                remedy: "Write address: published.")
        }
        throw mistake(
            "a container must have an address in one network", found: networksText,
            remedy: addresses.isEmpty ? "Connect it to a network." : "Name the one to use by network.")
    }

    private var networksText: String {
        addresses.isEmpty
            ? "no address" : addresses.keys.sorted().prefix(8).joined(separator: ", ").cut(to: 256)
    }

    private func mistake(_ expected: String, found: String, remedy: String) -> ConfigErrors {
        ConfigErrors(ConfigError(expected: expected, found: found, remedy: remedy))
    }
}
