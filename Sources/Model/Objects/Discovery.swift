/// Where targets of a group are found beside those that are registered in it: one source, which is followed.
public struct Discovery: Hashable, Sendable {
    /// A domain name; nil if the source is another.
    public var dns: DNSDiscovery?
    /// Containers of Docker's; nil if the source is another.
    public var docker: DockerDiscovery?
    /// A file that lists targets; nil if the source is another.
    public var file: FileDiscovery?
    /// A URL that lists targets; nil if the source is another.
    public var http: HTTPDiscovery?

    /// Targets of one source.
    public init(
        dns: DNSDiscovery? = nil, docker: DockerDiscovery? = nil, file: FileDiscovery? = nil,
        http: HTTPDiscovery? = nil
    ) {
        self.dns = dns
        self.docker = docker
        self.file = file
        self.http = http
    }
}

/// A domain name whose records are the targets, and which is looked up again when these are too old.
///
/// Source: AWS Cloud Map developer guide, "DNS records"; RFC 1035, RFC 3596, RFC 2782.
public struct DNSDiscovery: Hashable, Sendable {
    /// What the name is asked for.
    public enum RecordType: String, Hashable, Sendable, CaseIterable {
        /// IPv4 addresses.
        case a = "A"
        /// IPv6 addresses.
        case aaaa = "AAAA"
        /// Hosts with ports, weights and priorities.
        case srv = "SRV"
    }

    /// The name, without search domains.
    public var name: String
    /// What it is asked for.
    public var type = RecordType.a
    /// The name servers, in the order in which they are asked; empty for those of this host.
    public var resolvers: [TCPAddress] = []
    /// Seconds that an answer is kept at least, whatever its time to live.
    public var ttlSecondsMin = 1.0
    /// Seconds that an answer is kept at most.
    public var ttlSecondsMax = 60.0

    /// The IPv4 addresses of `name`.
    public init(name: String) { self.name = name }
}

/// Containers that a Docker daemon runs on this host.
///
/// Source: Docker Engine API, "Containers", "Events".
public struct DockerDiscovery: Hashable, Sendable {
    /// What the port of a container is.
    public enum Port: Hashable, Sendable {
        /// This one.
        case number(Int)
        /// What its label of this name says.
        case label(String)
    }

    /// Where a container is reached.
    public enum Address: String, Hashable, Sendable, CaseIterable {
        /// At its own address.
        case container
        /// At the port of this host that is published for its port.
        case published
    }

    /// The path of the daemon's Unix socket.
    public var socket = "/var/run/docker.sock"
    /// Labels that a container must have, with their values.
    public var labels: [String: String] = [:]
    /// The service of a Compose project that a container must be of; nil for any.
    public var composeService: String?
    /// The Compose project that a container must be of; nil for any.
    public var composeProject: String?
    /// The port of a container; nil for the one that it exposes.
    public var port: Port?
    /// Where a container is reached.
    public var address = Address.container
    /// The network whose address is used; nil for the one network that a container is in.
    public var network: String?

    /// Every default, which chooses no containers yet.
    public init() {}

    /// All labels that a container must have, those of Compose among them.
    public var allLabels: [String: String] {
        var all = labels
        if let composeService { all["com.docker.compose.service"] = composeService }
        if let composeProject { all["com.docker.compose.project"] = composeProject }
        return all
    }
}

/// A file that lists targets, and is read again whenever it changes.
public struct FileDiscovery: Hashable, Sendable {
    /// Where it is. A relative path begins in the folder of the configuration.
    public var path: String

    /// The file at `path`.
    public init(path: String) { self.path = path }
}

/// A URL that lists targets, and is asked every so often.
public struct HTTPDiscovery: Hashable, Sendable {
    /// A URL of the scheme http whose host is an address.
    public struct URL: Hashable, Sendable, CustomStringConvertible {
        /// The address of the server.
        public let address: String
        /// The port of the server.
        public let port: Int
        /// The path and the query.
        public let target: String

        /// Reads a URL; nil when it is none, when its scheme is not http, or when its host is a name.
        public init?(_ text: String) {
            guard text.hasPrefix("http://"), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
            let rest = text.dropFirst("http://".count)
            let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
            let (host, path) = (rest[..<end], rest[end...])
            guard !path.contains("#") else { return nil }
            target = path.hasPrefix("/") ? String(path) : "/\(path)"
            let isBare = host.hasPrefix("[") ? host.hasSuffix("]") : !host.contains(":")
            guard let authority = TCPAddress(isBare ? "\(host):80" : String(host)) else { return nil }
            address = authority.host.description
            port = authority.port
        }

        /// The host as it stands in the URL, with the port unless that is 80.
        public var host: String {
            let host = address.contains(":") ? "[\(address)]" : address
            return port == 80 ? host : "\(host):\(port)"
        }

        /// The whole of it.
        public var description: String { "http://\(host)\(target)" }
    }

    /// What is asked.
    public var url: URL
    /// Seconds from one answer to the next question.
    public var intervalSeconds = 5.0
    /// What is sent as a bearer token; nil for none. Source: RFC 6750 §2.1.
    public var token: SecretReference?
    /// Header fields that are sent, by their names.
    public var headers: [String: SecretReference] = [:]

    /// What `url` lists.
    public init(url: URL) { self.url = url }

    /// All secrets that it is asked with.
    public var secrets: [SecretReference] { [token].compactMap(\.self) + headers.values }
}

/// A target as a file or a URL lists it.
public struct ListedInstance: Hashable, Sendable {
    /// Its name at the source; its address or instance id as well, unless `address` has that.
    public var id: String
    /// Its address; nil if `id` is that, or an instance id.
    public var address: String?
    /// Its port, 1–65535; nil for the port of the group.
    public var port: Int?
    /// Its share beside those of the other targets, 0–256; nil for 1.
    public var weight: Int?
    /// The zone that it is in.
    public var zone: String?

    /// An instance with nothing but a name.
    public init(id: String) { self.id = id }

    /// The target that it is.
    public var target: TargetDescription {
        // An id may be written in another form than the canonical one, by which targets are compared.
        TargetDescription(
            id: address ?? IPAddress(id)?.description ?? id, port: port, weight: weight, zone: zone)
    }
}
