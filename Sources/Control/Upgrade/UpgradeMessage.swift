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
    /// The socket that is read only, which listens at this path.
    case readOnlySocket(path: String)
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
    /// What a container asks for by its labels.
    case claimed(ClaimMemory)
    /// Containers of a group that were told to end and have not, with when they were started.
    case ending(group: String, [String: String])
    /// That was all that the successor needs to get ready: so many workers have sockets, this is the process that
    /// speaks, and its generation.
    case start(workers: Int, FinishingProcess, generation: Int)
    /// The successor cannot start.
    case failed(reason: String)
    /// The successor accepts connections.
    case ready
    /// Flows of datagrams of a worker, each with its socket. The predecessor goes on with them until `switched`.
    case flows([FlowMemory], worker: Int)
    /// Those were all that there are by now.
    case copied
    /// The successor has taken them. From here on there is no way back.
    case prepared
    /// The numbers of flows of a worker that have ended since they were told of.
    case endedFlows([Int], worker: Int)
    /// The predecessor receives no datagrams any more, and has said which flows there are.
    case switched
    /// What has happened to flows of a worker since they were told of.
    case flowChanges([FlowChange], worker: Int)
    /// The connection to a process that the predecessor has replaced itself, and which still finishes.
    case earlier(FinishingProcess)
    /// That was all.
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
        case .readOnlySocket(let path): ["message": "read-only-socket", "path": .string(path)]
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
        case .claimed(let claim): ["message": "claimed", "claim": claim.value]
        case .ending(let group, let containers):
            [
                "message": "ending", "group": .string(group),
                "containers": .array(containers.map { ["id": .string($0.key), "startedAt": .string($0.value)] }),
            ]
        case .start(let workers, let process, let generation):
            [
                "message": "start", "workers": .int(workers), "process": process.value, "generation": .int(generation),
            ]
        case .failed(let reason): ["message": "failed", "reason": .string(reason)]
        case .ready: ["message": "ready"]
        case .flows(let flows, let worker):
            .object([Value.Member("message", "flows"), Value.Member("worker", .int(worker))] + flows.members)
        case .copied: ["message": "copied"]
        case .prepared: ["message": "prepared"]
        case .endedFlows(let numbers, let worker):
            ["message": "ended-flows", "worker": .int(worker), "numbers": .array(numbers.map { .int($0) })]
        case .switched: ["message": "switched"]
        case .flowChanges(let changes, let worker):
            ["message": "flow-changes", "worker": .int(worker), "records": changes.value]
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
        case "read-only-socket": return (value["path"]?.string).map { .readOnlySocket(path: $0) }
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
        case "claimed": return value["claim"].flatMap(ClaimMemory.init).map { .claimed($0) }
        case "ending":
            guard let group = value["group"]?.string else { return nil }
            let containers = (value["containers"]?.array ?? []).compactMap { one in
                one["id"]?.string.map { ($0, one["startedAt"]?.string ?? "") }
            }
            return .ending(group: group, Dictionary(containers) { first, _ in first })
        case "start":
            guard let workers = value["workers"]?.int, let process = value["process"].flatMap(FinishingProcess.init)
            else { return nil }
            return .start(workers: workers, process, generation: value["generation"]?.int ?? 0)
        case "failed": return .failed(reason: value["reason"]?.string ?? "")
        case "ready": return .ready
        case "flows":
            guard let worker = value["worker"]?.int, let flows = [FlowMemory](value) else { return nil }
            return .flows(flows, worker: worker)
        case "copied": return .copied
        case "prepared": return .prepared
        case "ended-flows":
            guard let worker = value["worker"]?.int else { return nil }
            return .endedFlows((value["numbers"]?.array ?? []).compactMap(\.int), worker: worker)
        case "switched": return .switched
        case "flow-changes":
            guard let worker = value["worker"]?.int, let changes = value["records"].flatMap([FlowChange].init)
            else { return nil }
            return .flowChanges(changes, worker: worker)
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
        func digit(_ half: UInt8) -> UInt8 { half < 10 ? 0x30 + half : 0x57 + half }
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 0xF))
        }
        return .string(String(decoding: digits, as: UTF8.self))
    }

    /// A number of 64 bits, as the signed one with the same bits.
    static func word(_ word: UInt64) -> Value { .int(Int(bitPattern: UInt(word))) }

    /// What `bytes` was made of; nil for anything else.
    var bytes: [UInt8]? {
        func half(_ digit: UInt8) -> UInt8? {
            switch digit {
            case 0x30...0x39: digit - 0x30
            case 0x61...0x66: digit - 0x57
            default: nil
            }
        }
        guard let digits = string.map({ Array($0.utf8) }), digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = half(digits[index]), let low = half(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// What `word` was made of; nil for anything else.
    var word: UInt64? { int.map { UInt64(UInt(bitPattern: $0)) } }
}
