import Core
import Model
import Proxy
import Routing
import TLS

/// What two processes of Apus say to each other while one takes the place of the other: the successor, which was
/// started for it, and its predecessor.
///
/// Shape:  one JSON object for each message, with its name as `message`, and descriptors beside it. What the other side
///         does not know it passes over, so that versions may differ.
/// Source: docs/deploying.md, "A new version of Apus".
enum UpgradeMessage: Equatable {
    /// The successor runs, and speaks this version of the protocol.
    case hello(protocolVersion: Int, version: String)
    /// A worker's sockets of a listener: that for connections, then that for datagrams. A worker may have none for
    /// datagrams, if a service manager has opened them.
    case listener(ListenerKey, worker: Int)
    /// A socket that a service manager has opened, and what it calls it.
    case passedSocket(name: String)
    /// The admin socket, which listens at this path.
    case adminSocket(path: String)
    /// The socket of `admin.metrics`.
    case metrics
    /// The lock of the state's folder.
    case lock(folder: String)
    /// What session tickets are sealed with, and were before.
    case ticketKeys(current: TLSTicketKey, previous: TLSTicketKey?)
    /// What is known of targets of a group.
    case targets(group: String, [TargetMemory])
    /// What the source of a group has named; a group whose source names none has a message as well.
    case discovered(group: String, [DiscoveredMemory])
    /// That was all that the successor needs to get ready: so many workers have sockets, this is the process that
    /// speaks, and its generation.
    case start(workers: Int, FinishingProcess, generation: Int)
    /// The successor cannot start.
    case failed(reason: String)
    /// The successor accepts connections. From here on there is no way back.
    case ready
    /// Flows of datagrams of a worker, each with its socket.
    case flows([FlowMemory], worker: Int)
    /// The connection to a process that the predecessor has replaced itself, and which still finishes.
    case earlier(FinishingProcess)
    /// All flows have been sent.
    case complete
    /// So many connections of clients are left in the predecessor.
    case left(connections: Int)
    /// The predecessor goes on, and the successor is not to take over.
    case cancelled
    /// Something that another version says.
    case unknown

    /// The version of the protocol that this Apus speaks. Another one is a reason to start anew.
    static let protocolVersion = 1
}

/// A process that has been replaced and finishes what it has.
struct FinishingProcess: Equatable, Sendable {
    /// The number of the process.
    var id: Int
    /// Its version of Apus.
    var version: String
    /// Connections of clients that it had when it told last.
    var connections: Int

    /// As the admin socket shows it.
    var value: Value { ["pid": .int(id), "version": .string(version), "connections": .int(connections)] }
}

extension UpgradeMessage {
    /// The bytes that are sent.
    var bytes: [UInt8] { Array(value.json().utf8) }

    private var value: Value {
        switch self {
        case .hello(let protocolVersion, let version):
            ["message": "hello", "protocol": .int(protocolVersion), "version": .string(version)]
        case .listener(let key, let worker):
            ["message": "listener", "worker": .int(worker), "listener": key.value]
        case .passedSocket(let name): ["message": "passed-socket", "name": .string(name)]
        case .adminSocket(let path): ["message": "admin-socket", "path": .string(path)]
        case .metrics: ["message": "metrics"]
        case .lock(let folder): ["message": "lock", "folder": .string(folder)]
        case .ticketKeys(let current, let previous):
            [
                "message": "ticket-keys", "current": .bytes(current.bytes),
                "previous": previous.map { .bytes($0.bytes) } ?? Value(.null),
            ]
        case .targets(let group, let targets):
            ["message": "targets", "group": .string(group), "targets": .array(targets.map(\.value))]
        case .discovered(let group, let targets):
            ["message": "discovered", "group": .string(group), "targets": .array(targets.map(\.value))]
        case .start(let workers, let process, let generation):
            [
                "message": "start", "workers": .int(workers), "process": process.value, "generation": .int(generation),
            ]
        case .failed(let reason): ["message": "failed", "reason": .string(reason)]
        case .ready: ["message": "ready"]
        case .flows(let flows, let worker):
            ["message": "flows", "worker": .int(worker), "flows": .array(flows.map(\.value))]
        case .earlier(let process): ["message": "earlier", "process": process.value]
        case .complete: ["message": "complete"]
        case .left(let connections): ["message": "left", "connections": .int(connections)]
        case .cancelled: ["message": "cancelled"]
        case .unknown: ["message": "unknown"]
        }
    }

    /// The message that was received; nil if no Apus sends such bytes.
    init?(_ bytes: [UInt8]) {
        guard let value = try? Value.parse(json: bytes), let name = value["message"]?.string else { return nil }
        self = Self.read(name, value) ?? .unknown
    }

    private static func read(_ name: String, _ value: Value) -> UpgradeMessage? {
        switch name {
        case "hello":
            guard let number = value["protocol"]?.int, let version = value["version"]?.string else { return nil }
            return .hello(protocolVersion: number, version: version)
        case "listener":
            guard let key = value["listener"].flatMap(ListenerKey.init), let worker = value["worker"]?.int
            else { return nil }
            return .listener(key, worker: worker)
        case "passed-socket": return .passedSocket(name: value["name"]?.string ?? "")
        case "admin-socket": return (value["path"]?.string).map { .adminSocket(path: $0) }
        case "metrics": return .metrics
        case "lock": return (value["folder"]?.string).map { .lock(folder: $0) }
        case "ticket-keys":
            guard let current = value["current"]?.bytes.flatMap(TLSTicketKey.init(bytes:)) else { return nil }
            return .ticketKeys(current: current, previous: value["previous"]?.bytes.flatMap(TLSTicketKey.init(bytes:)))
        case "targets":
            guard let group = value["group"]?.string else { return nil }
            return .targets(group: group, (value["targets"]?.array ?? []).compactMap(TargetMemory.init))
        case "discovered":
            guard let group = value["group"]?.string else { return nil }
            return .discovered(group: group, (value["targets"]?.array ?? []).compactMap(DiscoveredMemory.init))
        case "start":
            guard let workers = value["workers"]?.int, let process = value["process"].flatMap(FinishingProcess.init)
            else { return nil }
            return .start(workers: workers, process, generation: value["generation"]?.int ?? 0)
        case "failed": return .failed(reason: value["reason"]?.string ?? "")
        case "ready": return .ready
        case "flows":
            // Each has its descriptor by its place in the list, so none may be left out.
            let flows = (value["flows"]?.array ?? []).map(FlowMemory.init)
            guard let worker = value["worker"]?.int, !flows.contains(nil) else { return nil }
            return .flows(flows.compactMap(\.self), worker: worker)
        case "earlier": return value["process"].flatMap(FinishingProcess.init).map { .earlier($0) }
        case "complete": return .complete
        case "cancelled": return .cancelled
        case "left": return (value["connections"]?.int).map { .left(connections: $0) }
        default: return nil
        }
    }
}

extension FinishingProcess {
    fileprivate init?(_ value: Value) {
        guard let id = value["pid"]?.int, let version = value["version"]?.string,
            let connections = value["connections"]?.int
        else { return nil }
        self.init(id: id, version: version, connections: connections)
    }
}

extension ListenerKey {
    /// As it is sent.
    var value: Value {
        [
            "loadBalancer": .string(loadBalancer), "host": .string(address.host), "port": .int(Int(address.port)),
            "carries": .string(carries.rawValue), "kind": .string(kind.rawValue),
        ]
    }

    /// What was sent; nil if it cannot be understood.
    init?(_ value: Value) {
        guard let loadBalancer = value["loadBalancer"]?.string, let address = SocketAddress(value),
            let carries = (value["carries"]?.string).flatMap(Carries.init),
            let kind = (value["kind"]?.string).flatMap(LoadBalancer.Kind.init)
        else { return nil }
        self.init(loadBalancer: loadBalancer, address: address, carries: carries, kind: kind)
    }
}

extension SocketAddress {
    /// The address that stands in `value` as `host` and `port`.
    init?(_ value: Value) {
        guard let host = value["host"]?.string, let port = (value["port"]?.int).flatMap({ UInt16(exactly: $0) })
        else { return nil }
        self.init(literal: host, port: port)
    }
}

extension Value {
    /// Bytes in hexadecimal.
    static func bytes(_ bytes: [UInt8]) -> Value {
        .string(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }

    /// A number of 64 bits, as the signed one with the same bits.
    static func word(_ word: UInt64) -> Value { .int(Int(bitPattern: UInt(word))) }

    /// What `bytes` was made of; nil for anything else.
    var bytes: [UInt8]? {
        guard let digits = string.map({ Array($0.utf8) }), digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    /// What `word` was made of; nil for anything else.
    var word: UInt64? { int.map { UInt64(UInt(bitPattern: $0)) } }
}
