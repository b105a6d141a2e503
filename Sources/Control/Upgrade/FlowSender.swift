import Core
import Model
import Proxy

/// Tells the process that takes over of flows of datagrams, by names, as ids differ there.
///
/// Limits: as many flows in a message as fit into it, and their descriptors with them.
struct FlowSender {
    private let services: Services
    private let connection: UpgradeConnection

    /// Over `connection`, with the ids that are in force now.
    init(_ services: Services, over connection: UpgradeConnection) {
        self.services = services
        self.connection = connection
    }

    /// Sends flows of a worker; with `closing` their sockets are closed here once they are sent.
    func send(_ flows: [MovedFlow], ofWorker worker: Int, closing: Bool) {
        if flows.isEmpty { return }
        let listeners = services.publication.listenerKeys
        let registrations = services.registry.groups.values.flatMap(\.registrations)
        let targets = Dictionary(registrations.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var known: [(memory: FlowMemory, socket: Int32)] = []
        known.reserveCapacity(flows.count)
        for flow in flows {
            // One that drains has no place in the new process: its clients begin anew there.
            guard let listener = listeners[flow.listener], let target = targets[flow.target] else {
                if closing { flow.socket.close() }
                continue
            }
            let memory = FlowMemory(flow, listener: listener, group: target.group.name, target: target.key)
            known.append((memory, flow.socket.descriptor))
        }
        for part in known.parts(of: Limits.upgradeFlowsPerMessage) {
            connection.send(.flows(part.map(\.memory), worker: worker), part.map(\.socket), closing: closing)
        }
    }

    /// Sends the numbers of flows of a worker that have ended since they were sent.
    func send(ended: [Int], ofWorker worker: Int) {
        for part in ended.parts(of: Limits.upgradeNumbersPerMessage) {
            connection.send(.endedFlows(Array(part), worker: worker))
        }
    }

    /// Sends what has happened to flows of a worker since they were sent.
    func send(_ changes: [FlowChange], ofWorker worker: Int) {
        for part in changes.parts(of: Limits.upgradeChangesPerMessage) {
            connection.send(.flowChanges(Array(part), worker: worker))
        }
    }
}

extension Array {
    /// The elements in pieces of so many.
    fileprivate func parts(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
