import Core
import Telemetry

// Flows of datagrams that go from one process to the one that takes over. The old process receives no datagram any more
// before the flows leave it, and the new one none before all have come; what arrives in between waits in the sockets.
extension Worker {
    /// Stops listening, hands over the flows of datagrams, and lets everything else finish until `deadline`.
    mutating func handOver(_ deadline: Instant) {
        isSucceeded = true
        let listeners = datagramListeners
        datagramListeners = []
        var moved: [MovedFlow] = []
        for listener in listeners {
            // The longest idle first, so that they are told apart in the same order afterwards.
            for flow in listener.all.sorted(by: { $0.lastActivity < $1.lastActivity }) {
                moved.append(MovedFlow(flow))
                poller.remove(flow.socket.descriptor)
                forget(flow)
            }
            close(listener)
        }
        beginToFinish(deadline)
        control.send(.handedOver(worker: configuration.index, flows: moved))
    }

    /// Continues flows that another process has begun; those whose listener or target is not there any more end.
    mutating func adoptFlows(_ flows: [MovedFlow], isLast: Bool) {
        for flow in flows where !adopt(flow) { flow.socket.close() }
        guard isLast else { return }
        for listener in datagramListeners where listener.awaitsFlows {
            listener.awaitsFlows = false
            poller.add(listener.socket.descriptor, token: listener.token, interest: .readable)
        }
    }

    private mutating func adopt(_ moved: MovedFlow) -> Bool {
        guard finishDeadline == nil,
            let listener = datagramListeners.first(where: { $0.listener.plan.id == moved.listener }),
            moved.group < groups.count, let group = groups[moved.group], moved.target < pools.count,
            let pool = pools[moved.target]
        else { return false }
        let key = DatagramFlow.Key(client: moved.client, local: moved.local, serverID: moved.serverID)
        guard listener.flow(key) == nil else { return false }
        let flow = DatagramFlow(
            key, listener, moved.socket, token: slab.nextToken, group: group, pool: pool, now: moved.beganAt,
            timeOfDay: moved.acceptedAt)
        flow.lastActivity = moved.lastActivity
        flow.isAnswered = moved.isAnswered
        flow.isVerified = moved.isVerified
        flow.record.trace = moved.trace
        flow.record.receivedBytes = moved.receivedBytes
        flow.record.sentBytes = moved.sentBytes
        add(flow)
        if moved.takesHandshakes { listener.addHandshake(flow) }
        return true
    }
}
