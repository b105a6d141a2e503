import Core
import Model
import Proxy

/// A flow of datagrams as one process tells the other of it: by names, since ids differ.
///
/// Shape: a value; the flow's socket goes beside it.
struct FlowMemory: Equatable, Sendable {
    /// The listener that the client has sent to.
    let listener: ListenerKey
    /// The target's group.
    let group: String
    /// The target in its group.
    let target: TargetKey
    /// All else that is known. Its ids are those of the process that has it, and its socket is not looked at.
    private(set) var flow: MovedFlow

    /// The flow as it is sent.
    init(_ flow: MovedFlow, listener: ListenerKey, group: String, target: TargetKey) {
        self.listener = listener
        self.group = group
        self.target = target
        self.flow = flow
    }

    /// The flow in this process: its ids here, and the socket that has come with it.
    func flow(listener: Int, group: Int, target: Int, socket: DatagramSocket) -> MovedFlow {
        var moved = MovedFlow(
            listener: listener, group: group, target: target, socket: socket, client: flow.client,
            beganAt: flow.beganAt, lastActivity: flow.lastActivity)
        moved.local = flow.local
        moved.serverID = flow.serverID
        moved.takesHandshakes = flow.takesHandshakes
        moved.isAnswered = flow.isAnswered
        moved.isVerified = flow.isVerified
        moved.acceptedAt = flow.acceptedAt
        moved.receivedBytes = flow.receivedBytes
        moved.sentBytes = flow.sentBytes
        moved.trace = flow.trace
        return moved
    }

    static func == (first: FlowMemory, second: FlowMemory) -> Bool { first.value == second.value }

    /// As it is sent.
    var value: Value {
        var value: Value = [
            "listener": listener.value, "group": .string(group), "target": .string(target.id),
            "targetPort": .int(target.port), "host": .string(flow.client.host), "port": .int(Int(flow.client.port)),
            "beganAt": .word(flow.beganAt.nanoseconds), "lastActivity": .word(flow.lastActivity.nanoseconds),
            "acceptedAt": .word(flow.acceptedAt), "receivedBytes": .word(flow.receivedBytes),
            "sentBytes": .word(flow.sentBytes), "trace": [.word(flow.trace.high), .word(flow.trace.low)],
            "takesHandshakes": .bool(flow.takesHandshakes), "isAnswered": .bool(flow.isAnswered),
            "isVerified": .bool(flow.isVerified),
        ]
        if let local = flow.local {
            value["local"] = .string(local.address.host)
            value["interface"] = .int(Int(local.interfaceIndex))
        }
        value["serverID"] = flow.serverID.map { .word($0) }
        return value
    }

    /// What was sent; nil if it cannot be understood.
    init?(_ value: Value) {
        guard let listener = value["listener"].flatMap(ListenerKey.init), let group = value["group"]?.string,
            let target = value["target"]?.string, let targetPort = value["targetPort"]?.int,
            let client = SocketAddress(value), let beganAt = value["beganAt"]?.word,
            let lastActivity = value["lastActivity"]?.word
        else { return nil }
        self.listener = listener
        self.group = group
        self.target = TargetKey(id: target, port: targetPort)
        flow = MovedFlow(
            listener: 0, group: 0, target: 0, socket: DatagramSocket(descriptor: -1), client: client,
            beganAt: Instant(nanoseconds: beganAt), lastActivity: Instant(nanoseconds: lastActivity))
        if let address = (value["local"]?.string).flatMap({ SocketAddress(literal: $0, port: 0) }) {
            let interface = UInt32(clamping: value["interface"]?.int ?? 0)
            flow.local = LocalAddress(address, interfaceIndex: interface)
        }
        flow.serverID = value["serverID"]?.word
        flow.takesHandshakes = value["takesHandshakes"]?.bool ?? false
        flow.isAnswered = value["isAnswered"]?.bool ?? false
        flow.isVerified = value["isVerified"]?.bool ?? false
        flow.acceptedAt = value["acceptedAt"]?.word ?? 0
        flow.receivedBytes = value["receivedBytes"]?.word ?? 0
        flow.sentBytes = value["sentBytes"]?.word ?? 0
        let trace = (value["trace"]?.array ?? []).compactMap(\.word)
        if trace.count == 2 { flow.trace = (trace[0], trace[1]) }
    }
}
