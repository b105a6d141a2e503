import Core
import Telemetry

// Flows of datagrams that go from one process to the one that takes over, in two steps. First the new process is told
// of all flows and gets their sockets, while the old one goes on with them (`copyFlows`); that may take seconds. Then
// the old process receives no datagram any more, and tells what has become of them since (`handOver`): a few. The new
// one receives none before it knows that; what arrives in between waits in the sockets.
extension Worker {
    // MARK: The old process

    /// Tells control of all flows of datagrams, and goes on with them.
    mutating func copyFlows(to process: Int32) {
        var copy = FlowCopy()
        for listener in datagramListeners {
            // The longest idle first, so that they are told apart in the same order afterwards.
            for flow in listener.all.sorted(by: { $0.lastActivity < $1.lastActivity }) {
                var told = MovedFlow(flow)
                told.number = copy.told.count
                flow.number = told.number
                copy.told.append(told)
            }
        }
        control.send(.copiedFlows(worker: configuration.index, process: process, flows: copy.told))
        flowCopy = copy
    }

    /// The process that was to take over does not.
    mutating func endFlowCopy() {
        guard let copy = flowCopy.take() else { return }
        copy.close()
        for flow in datagramFlows() { flow.number = nil }
    }

    /// Closes the socket of a flow that has ended; later, if it is on its way to another process.
    mutating func closeSocket(of flow: DatagramFlow) {
        guard let number = flow.number, flowCopy != nil else { return flow.socket.close() }
        // Closing it would not end the watch where another process has it as well.
        poller.remove(flow.socket.descriptor)
        flowCopy?.end(number, flow.socket)
    }

    /// Stops listening, hands over the flows of datagrams, and lets everything else finish until `deadline`.
    mutating func handOver(_ deadline: Instant) {
        isSucceeded = true
        let listeners = datagramListeners
        datagramListeners = []
        let copy = flowCopy.take() ?? FlowCopy()
        // The longest idle first, as above.
        let flows = listeners.flatMap { $0.all.sorted(by: { $0.lastActivity < $1.lastActivity }) }
        var moved: [MovedFlow] = []
        var changes: [FlowChange] = []
        for flow in flows {
            guard let number = flow.number else {
                poller.remove(flow.socket.descriptor)
                moved.append(MovedFlow(flow))
                continue
            }
            if let change = FlowChange(flow, since: copy.told[number]) { changes.append(change) }
        }
        control.send(
            .handedOver(worker: configuration.index, flows: moved, ended: copy.ended, changes: changes))
        // Datagrams have waited for that; what follows may take its time.
        for flow in flows {
            forget(flow)
            guard flow.number != nil else { continue }
            poller.remove(flow.socket.descriptor)
            flow.socket.close()
        }
        for listener in listeners { close(listener) }
        copy.close()
        beginToFinish(deadline)
    }

    // MARK: The new process

    /// Takes flows that another process has begun, and ends those of `ended`, by number, which it has ended since.
    /// Flows whose listener or target is not there any more end as well. With `isLast` datagrams are received from now
    /// on.
    mutating func adoptFlows(_ flows: [MovedFlow], ended: [Int] = [], isLast: Bool) {
        for number in ended {
            guard let flow = adoptedFlow(number) else { continue }
            forget(flow)
            flow.socket.close()
        }
        for moved in flows {
            let flow = adopt(moved)
            if flow == nil { moved.socket.close() }
            guard let number = moved.number else { continue }
            while adoptedFlows.count <= number { adoptedFlows.append(nil) }
            adoptedFlows[number] = flow
        }
        guard isLast else { return }
        for listener in datagramListeners where listener.awaitsFlows {
            listener.awaitsFlows = false
            poller.add(listener.socket.descriptor, token: listener.token, interest: .readable)
            if listener.isTimed { timers.schedule(listener.token, at: now + Limits.timerPause) }
            for flow in listener.all { poller.add(flow.socket.descriptor, token: flow.token, interest: .readable) }
        }
    }

    /// Takes over what has happened to flows that were taken, while the other process had them still. With `isLast` no
    /// more is to come.
    mutating func adoptChanges(_ changes: [FlowChange], isLast: Bool) {
        for change in changes {
            guard let flow = adoptedFlow(change.number) else { continue }
            flow.listener.adopt(change, of: flow)
        }
        if isLast { adoptedFlows = [] }
    }

    /// The flow that was taken with this number; nil if it has ended.
    private func adoptedFlow(_ number: Int) -> DatagramFlow? {
        guard adoptedFlows.indices.contains(number), let flow = adoptedFlows[number],
            flow.listener.flow(flow.key) === flow
        else { return nil }
        return flow
    }

    private mutating func adopt(_ moved: MovedFlow) -> DatagramFlow? {
        guard finishDeadline == nil,
            let listener = datagramListeners.first(where: { $0.listener.plan.id == moved.listener }),
            moved.group < groups.count, let group = groups[moved.group], moved.target < pools.count,
            let pool = pools[moved.target]
        else { return nil }
        let key = DatagramFlow.Key(client: moved.client, local: moved.local, serverID: moved.serverID)
        guard listener.flow(key) == nil else { return nil }
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
        return flow
    }
}
