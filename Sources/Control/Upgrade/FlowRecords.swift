import Core
import Model
import Proxy

// Flows of datagrams in messages between two processes. There may be thousands of them, while datagrams wait: each is a
// record of fixed size, in hexadecimal, and what many flows have in common stands once in the message.

extension [FlowMemory] {
    /// The flows as they are sent: the listeners and targets that they name, and a record for each flow.
    var members: [Value.Member] {
        var listeners: [ListenerKey] = [], targets: [FlowTarget] = []
        var listenerIndices: [ListenerKey: Int] = [:], targetIndices: [FlowTarget: Int] = [:]
        var records = RecordWriter()
        for memory in self {
            records.put(UInt64(Self.index(of: memory.listener, in: &listeners, &listenerIndices)), byteCount: 2)
            let target = FlowTarget(group: memory.group, key: memory.target)
            records.put(UInt64(Self.index(of: target, in: &targets, &targetIndices)), byteCount: 2)
            memory.flow.write(into: &records)
        }
        return [
            Value.Member("listeners", .array(listeners.map(\.value))),
            Value.Member("targets", .array(targets.map(\.value))), Value.Member("records", .bytes(records.bytes)),
        ]
    }

    /// What was sent; nil if it cannot be understood. Each flow has its descriptor by its place, so none is left out.
    init?(_ value: Value) {
        guard let listeners = value["listeners"]?.array?.compactMap(ListenerKey.init),
            let targets = value["targets"]?.array?.compactMap(FlowTarget.init),
            let bytes = value["records"]?.bytes
        else { return nil }
        var records = RecordReader(bytes)
        self = []
        while !records.isAtEnd {
            guard let listener = records.take(2).map(Int.init), listeners.indices.contains(listener),
                let target = records.take(2).map(Int.init), targets.indices.contains(target),
                let flow = MovedFlow(&records)
            else { return nil }
            append(
                FlowMemory(
                    flow, listener: listeners[listener], group: targets[target].group, target: targets[target].key))
        }
    }

    private static func index<Name: Hashable>(
        of name: Name, in names: inout [Name], _ indices: inout [Name: Int]
    ) -> Int {
        if let index = indices[name] { return index }
        indices[name] = names.count
        names.append(name)
        return names.count - 1
    }
}

extension [FlowChange] {
    /// A record for each change.
    var value: Value {
        var records = RecordWriter()
        for change in self {
            records.put(UInt64(change.number), byteCount: 4)
            records.put([change.takesHandshakes, change.isAnswered, change.isVerified])
            records.put(change.lastActivity.nanoseconds, byteCount: 8)
            records.put(change.receivedBytes, byteCount: 8)
            records.put(change.sentBytes, byteCount: 8)
        }
        return .bytes(records.bytes)
    }

    /// What was sent; nil if it cannot be understood.
    init?(_ value: Value) {
        guard let bytes = value.bytes else { return nil }
        var records = RecordReader(bytes)
        self = []
        while !records.isAtEnd {
            guard let number = records.take(4), let flags = records.take(1), let lastActivity = records.take(8),
                let receivedBytes = records.take(8), let sentBytes = records.take(8)
            else { return nil }
            var change = FlowChange(number: Int(number), lastActivity: Instant(nanoseconds: lastActivity))
            change.takesHandshakes = flags & 1 != 0
            change.isAnswered = flags & 2 != 0
            change.isVerified = flags & 4 != 0
            change.receivedBytes = receivedBytes
            change.sentBytes = sentBytes
            append(change)
        }
    }
}

/// A target of a flow, by name.
private struct FlowTarget: Hashable {
    let group: String
    let key: TargetKey

    init(group: String, key: TargetKey) {
        self.group = group
        self.key = key
    }

    var value: Value { ["group": .string(group), "id": .string(key.id), "port": .int(key.port)] }

    init?(_ value: Value) {
        guard let group = value["group"]?.string, let id = value["id"]?.string, let port = value["port"]?.int
        else { return nil }
        self.init(group: group, key: TargetKey(id: id, port: port))
    }
}

extension MovedFlow {
    /// Writes all that is known but its ids and its socket.
    func write(into records: inout RecordWriter) {
        records.put(number.map { UInt64($0) } ?? UInt64(UInt32.max), byteCount: 4)
        records.put([takesHandshakes, isAnswered, isVerified, local != nil, serverID != nil])
        records.put(client)
        records.put(UInt64(client.port), byteCount: 2)
        records.put(local?.address ?? .unspecified)
        records.put(UInt64(local?.interfaceIndex ?? 0), byteCount: 4)
        for word in [
            serverID ?? 0, beganAt.nanoseconds, lastActivity.nanoseconds, acceptedAt, receivedBytes, sentBytes,
            trace.high, trace.low,
        ] {
            records.put(word, byteCount: 8)
        }
    }

    fileprivate init?(_ records: inout RecordReader) {
        guard let number = records.take(4), let flags = records.take(1), let client = records.takeAddress(),
            let port = records.take(2), let local = records.takeAddress(), let interface = records.take(4),
            let serverID = records.take(8), let beganAt = records.take(8), let lastActivity = records.take(8),
            let acceptedAt = records.take(8), let receivedBytes = records.take(8), let sentBytes = records.take(8),
            let high = records.take(8), let low = records.take(8)
        else { return nil }
        self.init(
            listener: 0, group: 0, target: 0, socket: DatagramSocket(descriptor: -1),
            client: client.with(port: UInt16(port)), beganAt: Instant(nanoseconds: beganAt),
            lastActivity: Instant(nanoseconds: lastActivity))
        self.number = number == UInt64(UInt32.max) ? nil : Int(number)
        takesHandshakes = flags & 1 != 0
        isAnswered = flags & 2 != 0
        isVerified = flags & 4 != 0
        if flags & 8 != 0 { self.local = LocalAddress(local, interfaceIndex: UInt32(interface)) }
        if flags & 16 != 0 { self.serverID = serverID }
        self.acceptedAt = acceptedAt
        self.receivedBytes = receivedBytes
        self.sentBytes = sentBytes
        trace = (high, low)
    }
}

/// Writes numbers of fixed width, the highest byte first.
struct RecordWriter {
    /// What was written.
    private(set) var bytes: [UInt8] = []

    /// Writes the lowest bytes of `word`.
    mutating func put(_ word: UInt64, byteCount: Int) {
        for index in (0..<byteCount).reversed() { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index))) }
    }

    /// Writes up to eight truths as the bits of a byte, the first as the lowest.
    mutating func put(_ flags: [Bool]) {
        bytes.append(flags.reversed().reduce(0) { $0 << 1 | ($1 ? 1 : 0) })
    }

    /// Writes a host in the form of IPv6, which maps one of IPv4.
    mutating func put(_ address: SocketAddress) {
        put(address.words.high, byteCount: 8)
        put(address.words.low | (address.family == .ipv4 ? 0xFFFF << 32 : 0), byteCount: 8)
    }
}

/// Reads what `RecordWriter` wrote.
private struct RecordReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// A number of so many bytes; nil if there are not as many.
    mutating func take(_ count: Int) -> UInt64? {
        guard bytes.count - position >= count else { return nil }
        defer { position += count }
        return bytes[position..<position + count].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A host, with port 0.
    mutating func takeAddress() -> SocketAddress? {
        guard bytes.count - position >= 16 else { return nil }
        defer { position += 16 }
        return SocketAddress(bytes: bytes.span.extracting(position..<position + 16), port: 0)
    }
}
