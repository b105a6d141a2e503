import Core
import Routing
import Telemetry

// The way of datagrams: `receive` → `flow` → `beginFlow`, once → `forward`; and back: `returnDatagrams`.
extension Worker {
    /// Passes on datagrams that have come to a listener; what is left makes another event.
    mutating func receiveDatagrams(_ listener: DatagramListener) {
        if listener.listener.isQUIC { return receiveQUIC(listener) }
        let datagrams = datagrams
        for _ in 0..<Limits.datagramBatchesPerTurnMax {
            guard case .messages(let count) = datagrams.receive(from: listener.socket) else { return }
            var index = 0
            while index < count {
                let run = datagrams.run(from: index)
                index = run.upperBound
                let message = datagrams[run.lowerBound]
                let key = DatagramFlow.Key(client: message.source, local: message.destination)
                let known = listener.flow(key)
                guard known != nil || admits(run, listener), let flow = known ?? beginFlow(key, listener) else {
                    continue
                }
                listener.clientSent(flow, now: now)
                forward(run, of: flow)
            }
            if count < datagrams.capacity { return }
        }
    }

    /// Whether the sender of these messages may begin a flow. Datagrams of one that the listener denies are counted.
    mutating func admits(_ messages: Range<Int>, _ listener: DatagramListener) -> Bool {
        guard let access = listener.listener.accessAtConnect else { return true }
        let client = datagrams[messages.lowerBound].source
        if access.admits(client) { return true }
        for index in messages { access.denials.datagrams.add(UInt64(datagrams[index].datagramCount)) }
        access.denials.lastClient.note(client)
        noteDropped(messages)
        return false
    }

    /// Begins a flow to the target that the rules and the hash of addresses find. Nil without a target or without room.
    private mutating func beginFlow(_ key: DatagramFlow.Key, _ listener: DatagramListener) -> DatagramFlow? {
        let noName: [UInt8] = []
        guard let (group, hash) = route(listener.listener, key.client, serverName: noName.span),
            let pool = group.pick(hash: hash, mayTry: false, now: now)
        else { return refuseFlow(listener.kind) }
        return beginFlow(key, listener, group: group, pool: pool)
    }

    /// Begins a flow to a target: opens a socket to it. Nil if there is no room.
    mutating func beginFlow(
        _ key: DatagramFlow.Key, _ listener: DatagramListener, group: Group, pool: TargetPool
    ) -> DatagramFlow? {
        guard finishDeadline == nil, makeRoom(listener), let socket = openSocket(to: pool.address) else {
            return refuseFlow(listener.kind)
        }
        let flow = DatagramFlow(
            key, listener, socket, token: slab.nextToken, group: group, pool: pool, now: now,
            timeOfDay: timeOfDay)
        flow.record.trace = (random.next(), random.next())
        add(flow)
        if group.isFailOpen {
            counters.failOpenFlows.add()
            group.plan.counters.failOpenRequests.add()
        }
        return flow
    }

    /// Watches and counts a flow whose token is the next one.
    mutating func add(_ flow: DatagramFlow) {
        let listener = flow.listener
        let token = slab.insert(.datagramFlow(flow))
        // The other process reads from there until it has handed over all.
        if !listener.awaitsFlows { poller.add(flow.socket.descriptor, token: token, interest: .readable) }
        listener.add(flow)
        flow.pool.begin()
        flowCount += 1
        resources.buffers.charge(Limits.datagramFlowBytes)
        counters.flows.add(flow.record.kind)
        flow.group.plan.counters.flows.add()
        flow.group.plan.counters.flowsActive.add()
        if !listener.isTimed {
            listener.isTimed = true
            let due = flow.lastActivity + idleTimeout(of: listener)
            timers.schedule(listener.token, at: max(due, now + Limits.timerPause))
        }
    }

    /// A socket towards a target. Each takes a port of ours, and a flood may have taken all there are: then the longest
    /// idle flow with an unverified client address is ended for its port.
    private mutating func openSocket(to target: SocketAddress) -> DatagramSocket? {
        do { return try DatagramSocket.connect(to: target) } catch {
            countPortShortage(error.code)
            guard !isUnreachable(error.code), endUnverifiedFlow() || freeDescriptor() else { return nil }
            return try? DatagramSocket.connect(to: target)
        }
    }

    func refuseFlow(_ kind: FlowKind) -> DatagramFlow? {
        counters.flowsRejected.add(kind)
        return nil
    }

    /// Whether another flow may begin, for which another one ends if there are enough.
    private mutating func makeRoom(_ listener: DatagramListener) -> Bool {
        guard clientCount + flowCount >= configuration.connectionsMax || resources.buffers.isExhausted else {
            return true
        }
        if endUnverifiedFlow() || evictSilent() { return true }
        guard let idlest = listener.idlestVerified else { return false }
        evict(idlest)
        return true
    }

    /// Ends the longest idle of all flows with an unverified client address, on whichever listener: a flood at one
    /// listener must not keep clients from another. Returns false if there is none.
    mutating func endUnverifiedFlow() -> Bool {
        var idlest: DatagramFlow?
        for listener in datagramListeners {
            guard let flow = listener.oldestUnverified else { continue }
            if idlest.map({ flow.lastActivity < $0.lastActivity }) ?? true { idlest = flow }
        }
        guard let idlest else { return false }
        evict(idlest)
        return true
    }

    private mutating func evict(_ flow: DatagramFlow) {
        counters.flowsEvicted.add()
        endFlow(flow, .memory, by: .apus)
    }

    /// Sends datagrams of the client to the target. What the kernel does not take is lost, as datagrams are.
    mutating func forward(_ run: Range<Int>, of flow: DatagramFlow) {
        let datagrams = datagrams
        var rest = run
        while !rest.isEmpty {
            switch datagrams.forward(rest, over: flow.socket) {
            case .messages(let sent):
                for index in rest.prefix(sent) {
                    flow.record.receivedBytes += note(datagrams[index], of: flow)
                }
                rest = rest.dropFirst(sent)
            case .wouldBlock: return noteDropped(rest)
            case .failed(let code):
                if isUnreachable(code) {
                    noteDropped(rest)
                    return endFlow(flow, .unreachable, by: .target)
                }
                noteDropped(rest.prefix(1))
                rest = rest.dropFirst()
            }
        }
    }

    /// Counts the datagrams of messages that cannot be passed on.
    private mutating func noteDropped(_ messages: Range<Int>) {
        for index in messages { counters.datagramsDropped.add(UInt64(datagrams[index].datagramCount)) }
    }

    /// Counts a message that was passed on, and returns its bytes.
    private func note(_ message: DatagramBatch.Message, of flow: DatagramFlow) -> UInt64 {
        counters.datagrams.add(UInt64(message.datagramCount))
        counters.flowBytes.add(flow.record.kind, UInt64(message.byteCount))
        return UInt64(message.byteCount)
    }

    /// Passes on what a flow's target has sent.
    mutating func returnDatagrams(_ flow: DatagramFlow) {
        let datagrams = datagrams
        switch datagrams.receive(from: flow.socket) {
        case .wouldBlock: return
        case .failed(let code): return isUnreachable(code) ? endFlow(flow, .unreachable, by: .target) : ()
        case .messages(let count):
            flow.listener.targetSent(flow, now: now)
            var rest = 0..<count
            while !rest.isEmpty {
                switch datagrams.forward(
                    rest, over: flow.listener.socket, to: flow.key.client, from: flow.key.local)
                {
                case .messages(let sent):
                    for index in rest.prefix(sent) { flow.record.sentBytes += note(datagrams[index], of: flow) }
                    rest = rest.dropFirst(sent)
                case .wouldBlock: return noteDropped(rest)
                case .failed:
                    noteDropped(rest.prefix(1))
                    rest = rest.dropFirst()
                }
            }
        }
    }

    // MARK: The end

    private func idleTimeout(of listener: DatagramListener) -> Nanoseconds {
        let timeout = listener.listener.plan.flows?.datagramIdleTimeout ?? 0
        return finishDeadline == nil ? timeout : min(timeout, Limits.finishIdleTime)
    }

    /// Ends the flows of a listener that are idle, and looks again when the next can be.
    mutating func expireFlows(_ listener: DatagramListener) {
        // As long as it is the other process that ends flows, the timer is set again when that is over.
        guard !listener.awaitsFlows else { return }
        let timeout = idleTimeout(of: listener)
        let last = Instant(nanoseconds: now.nanoseconds - min(now.nanoseconds, timeout))
        var ended = 0
        while ended < Limits.flowsExpiredPerTurnMax, let flow = listener.idle(before: last) {
            endFlow(flow, .idle, by: .apus)
            ended += 1
        }
        listener.isTimed = listener.oldestUnverified != nil || listener.idlestVerified != nil
        guard listener.isTimed else { return }
        // A tenth of the time late at most, and not for each flow; or soon, if there may be more.
        let pause = ended == Limits.flowsExpiredPerTurnMax ? 0 : timeout / 10
        timers.schedule(listener.token, at: now + max(pause, Limits.timerPause))
    }

    /// Ends a flow: the next datagram of its client begins another.
    mutating func endFlow(_ flow: DatagramFlow, _ ending: FlowEnding, by party: FlowParty) {
        flow.record.ending = ending
        flow.record.endedBy = party
        flow.record.duration = now.since(flow.beganAt)
        let loadBalancer = flow.listener.listener.logName, group = flow.group.logName
        let nothing: [UInt8] = []
        connectionLog?.write(
            flow.record,
            names: FlowRecord.Names(
                loadBalancer: loadBalancer.span, targetGroup: group.span, serverName: nothing.span))
        counters.flowEndings.add(ending)
        countCut(ending)
        forget(flow, isCut: ending == .deregistration)
        closeSocket(of: flow)
    }

    /// Watches and counts a flow no longer. Its socket stays open.
    mutating func forget(_ flow: DatagramFlow, isCut: Bool = false) {
        flow.listener.remove(flow)
        slab.remove(flow.token)
        flowCount -= 1
        resources.buffers.charge(-Limits.datagramFlowBytes)
        counters.flowsEnded.add(flow.record.kind)
        flow.group.plan.counters.flowsActive.subtract()
        flow.pool.end(cut: isCut)
        reportIfDrained(flow.pool)
    }

    /// Watches a socket for datagrams that control has opened; with `awaitsFlows`, once the flows have come that
    /// another process has begun there.
    mutating func open(_ socket: DatagramSocket, for listener: WorkerListener, awaitsFlows: Bool) {
        let listening = DatagramListener(listener: listener, socket: socket, token: slab.nextToken)
        let token = slab.insert(.datagramListener(listening))
        listening.awaitsFlows = awaitsFlows
        if !awaitsFlows { poller.add(socket.descriptor, token: token, interest: .readable) }
        datagramListeners.append(listening)
    }

    /// Takes no more datagrams where `isGone` says so: answers could not be sent from there, so that flows end.
    mutating func closeDatagramListeners(where isGone: (WorkerListener) -> Bool) {
        let gone = datagramListeners.filter { isGone($0.listener) }
        datagramListeners.removeAll { isGone($0.listener) }
        for listening in gone {
            for flow in listening.all { endFlow(flow, .listenerRemoved, by: .apus) }
            close(listening)
        }
    }

    /// Closes a socket for datagrams that has no flows.
    mutating func close(_ listening: DatagramListener) {
        timers.cancel(listening.token)
        if !listening.awaitsFlows { poller.remove(listening.socket.descriptor) }
        slab.remove(listening.token)
        listening.socket.close()
    }

    /// Every flow of datagrams there is.
    func datagramFlows() -> [DatagramFlow] { datagramListeners.flatMap(\.all) }
}
