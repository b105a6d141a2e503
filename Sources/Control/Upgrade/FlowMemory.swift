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
        var moved = flow
        moved.listener = listener
        moved.group = group
        moved.target = target
        moved.socket = socket
        return moved
    }

    static func == (first: FlowMemory, second: FlowMemory) -> Bool {
        var records = (RecordWriter(), RecordWriter())
        first.flow.write(into: &records.0)
        second.flow.write(into: &records.1)
        return first.listener == second.listener && first.group == second.group && first.target == second.target
            && records.0.bytes == records.1.bytes
    }
}
