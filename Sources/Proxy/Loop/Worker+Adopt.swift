import Core
import Routing
import Telemetry

/// Configuration changes, between two batches of events. The state of what keeps its name is kept: pools, turns,
/// connections.
extension Worker {
    /// Uses `snapshot` from now on. A plan that is the same object as before changes nothing.
    mutating func adopt(_ snapshot: Snapshot, opened: [OpenedListener]) {
        // Their writers are woken for the lines of this pass, of which the new logs know nothing.
        accessLog?.flush()
        connectionLog?.flush()
        accessLog = snapshot.accessLog.map { AccessLog(format: $0, sink: log, counters: counters) }
        connectionLog = snapshot.connectionLog.map {
            ConnectionLog(format: $0, sink: connectionLogSink, counters: counters)
        }
        adoptGroups(snapshot.groups)
        adoptListeners(snapshot.listeners)
        for opened in opened {
            guard let listener = listeners[opened.id] else { preconditionFailure("adopt: a socket for no listener") }
            if let socket = opened.socket { open(socket, for: listener) }
            if let datagrams = opened.datagrams { open(datagrams, for: listener, awaitsFlows: opened.awaitsFlows) }
        }
        control.send(.adopted(worker: configuration.index, generation: snapshot.generation))
    }

    private mutating func adoptGroups(_ plans: [GroupPlan]) {
        var left: [TargetPool] = []
        var isPlanned = [Bool](repeating: false, count: groups.count)
        for plan in plans {
            if plan.id < isPlanned.count { isPlanned[plan.id] = true }
            while groups.count <= plan.id { groups.append(nil) }
            guard let group = groups[plan.id], group.plan.name == plan.name else {
                if let replaced = groups[plan.id] { left += dissolve(replaced) }
                groups[plan.id] = Group(plan, pools: plan.targets.map { pool(for: $0) }, random: random.next())
                continue
            }
            guard group.plan !== plan else { continue }
            let before = group.pools
            group.adopt(plan, pools: plan.targets.map { pool(for: $0) })
            if group.isAwaited { serveLater(group) }
            let stays = Set(plan.targets.map(\.id))
            left += before.filter { !stays.contains($0.id) }
        }
        for id in isPlanned.indices where !isPlanned[id] {
            if let group = groups[id] { left += dissolve(group) }
            groups[id] = nil
        }
        for pool in left { drain(pool) }
    }

    private mutating func dissolve(_ group: Group) -> [TargetPool] {
        let pools = group.pools
        group.dissolve()
        if group.isAwaited { serveLater(group) }
        return pools
    }

    private mutating func pool(for plan: TargetPlan) -> TargetPool {
        while pools.count <= plan.id { pools.append(nil) }
        if let pool = pools[plan.id] { return pool }
        let pool = TargetPool(plan)
        pools[plan.id] = pool
        return pool
    }

    /// A target has left its group: its idle connections are closed, and control is told when its last exchange has
    /// ended.
    private mutating func drain(_ pool: TargetPool) {
        pool.drain()
        releaseConnects(to: pool)
        releaseOwnWaits(pool)
        while let idle = pool.takeIdle() {
            counters.targetConnectionsIdle.subtract()
            close(idle)
        }
        for connection in pool.connections where !connection.isConnecting { resources.markDirty(connection) }
        reportIfDrained(pool)
    }

    /// Tells control once a draining target has no exchange left, and forgets the target.
    ///
    /// A target of QUIC is found by its server id until its deregistration delay is over: a client that has been silent
    /// or has moved has no flow, and yet a connection.
    mutating func reportIfDrained(_ pool: TargetPool) {
        guard pool.inFlight == 0, pool.serverID == nil else { return }
        forget(pool)
    }

    /// Tells control what has become of a draining target, and forgets it. What is still in flight continues without
    /// being counted.
    private mutating func forget(_ pool: TargetPool) {
        guard let draining = pool.endDraining() else { return }
        pools[pool.id] = nil
        if pool.serverID != nil {
            for group in groups { group?.forget(pool) }
        }
        control.send(
            .drained(
                worker: configuration.index, target: pool.id, finished: draining.finished, cut: draining.cut,
                left: pool.inFlight))
    }

    /// The deregistration delay of a target is over, but its tunnels continue.
    mutating func detachTunnels(of targetID: Int) {
        guard targetID < pools.count, let pool = pools[targetID] else { return }
        forget(pool)
    }

    /// Resets the tunnels to a target. Those that it has not accepted yet go to another target.
    mutating func endTunnels(of targetID: Int, _ ending: FlowEnding) {
        guard targetID < pools.count, let pool = pools[targetID] else { return }
        for tunnel in tunnels() {
            if tunnel.pool === pool {
                endTunnel(tunnel, ending, by: .apus)
            } else {
                abandonConnect(to: pool, tunnel, ending)
            }
        }
    }

    /// The deregistration delay of a target is over: answers its exchanges with 502, or cuts them if their response has
    /// begun. Source: docs/elbv2.md, "Status codes".
    mutating func cutExchanges(of targetID: Int) {
        for client in clientSides() {
            guard let exchange = client.exchange else { continue }
            guard isHeld(exchange, by: targetID) else {
                // Another target serves it, or may still be connected to.
                if targetID < pools.count, let pool = pools[targetID], let attempt = exchange.attempts.take(pool) {
                    withdraw(attempt, .cut, exchange.group)
                }
                continue
            }
            counters.exchangesCutByDeregistration.add()
            handle(exchange, .cut)
            advance(client)
        }
        guard targetID < pools.count, let pool = pools[targetID] else { return }
        for flow in datagramFlows() where flow.pool === pool { endFlow(flow, .deregistration, by: .apus) }
        endTunnels(of: targetID, .deregistration)
        if pool.serverID != nil { forget(pool) }
    }

    /// Whether the target serves the exchange, or is the only one that it waits for.
    private func isHeld(_ exchange: Exchange, by targetID: Int) -> Bool {
        if let pool = exchange.pool { return pool.id == targetID }
        let pending = exchange.attempts.pending
        return !pending.isEmpty && pending.allSatisfy { $0.pool.id == targetID }
    }

    // MARK: Listeners

    private mutating func adoptListeners(_ plans: [ListenerPlan]) {
        var isPlanned = [Bool](repeating: false, count: listeners.count)
        for plan in plans {
            if plan.id < isPlanned.count { isPlanned[plan.id] = true }
            while listeners.count <= plan.id { listeners.append(nil) }
            if let listener = listeners[plan.id] {
                if listener.plan !== plan || hasReplacedGroup(listener) {
                    listener.adopt(plan, actions: actions(of: plan, after: listener), tickets: tickets)
                }
            } else {
                listeners[plan.id] = WorkerListener(plan, actions: actions(of: plan, after: nil), tickets: tickets)
            }
        }
        for id in isPlanned.indices where !isPlanned[id] {
            listeners[id]?.isRemoved = true
            listeners[id] = nil
        }
        closeListeners { $0.isRemoved }
        closeDatagramListeners { $0.isRemoved }
    }

    /// Whether a group that the listener forwards to was removed and made again under the same id.
    private func hasReplacedGroup(_ listener: WorkerListener) -> Bool {
        listener.actions.contains { action in
            guard case .forward(let forward) = action else { return false }
            return !forward.isCurrent(in: groups)
        }
    }

    private mutating func actions(of plan: ListenerPlan, after old: WorkerListener?) -> [WorkerListener.Action] {
        (plan.rules.map(\.action) + [plan.defaultAction]).enumerated().map { index, action in
            switch action {
            case .fixedResponse(let plan): .fixedResponse(plan)
            case .redirect(let plan): .redirect(plan)
            case .forward(let forward):
                .forward(self.forward(forward, after: old?.forward(priority: plan.priority(ofAction: index))))
            }
        }
    }

    /// A forward action that continues with the turns of the same rule in the last snapshot.
    private mutating func forward(_ plan: ForwardPlan, after old: Forward?) -> Forward {
        let groups = plan.groups.map { id in
            guard let group = self.groups[id] else { preconditionFailure("adopt: a forward to no group") }
            return group
        }
        var turns: SmoothWeights
        if let old {
            turns = old.turns
            let previous = plan.groups.map { old.plan.groups.firstIndex(of: $0) }
            turns.adopt(weights: plan.weights, previousIndexOfEach: previous)
        } else {
            turns = SmoothWeights(weights: plan.weights, startingAt: random.next(below: 256), of: 256)
        }
        return Forward(plan, groups: groups, turns: turns)
    }

    // MARK: Shutdown

    /// Stops listening, and lets what is in flight finish until `deadline`.
    mutating func beginToFinish(_ deadline: Instant) {
        guard finishDeadline == nil else { return finishDeadline = min(deadline, finishDeadline ?? deadline) }
        finishDeadline = deadline
        closeListeners { _ in true }
        for client in clients() { rearm(client) }
        for connection in http2Clients() { beginShutdown(connection) }
        for listener in datagramListeners where listener.isTimed {
            timers.schedule(listener.token, at: now + Limits.finishIdleTime)
        }
    }

    /// The last step of a worker: cuts what did not finish in time, and reports it to control.
    mutating func stop() {
        let cutBefore = counters.connectionsCutByConfiguration.value
        for client in clients() {
            if let exchange = client.exchange { cutForShutdown(exchange) } else { close(client) }
        }
        for connection in http2Clients() {
            for case let stream? in connection.streams {
                if let exchange = stream.exchange { cutForShutdown(exchange) }
            }
            connection.announceEnd()
            connection.writeLastFrames(&resources)
            endConnection(connection)
        }
        for tunnel in tunnels() { endTunnel(tunnel, .shutdown, by: .apus) }
        for flow in datagramFlows() { endFlow(flow, .shutdown, by: .apus) }
        closeTargets()
        accessLog?.flush()
        connectionLog?.flush()
        let cut = counters.connectionsCutByConfiguration.value - cutBefore
        control.send(.stopped(worker: configuration.index, cut: Int(cut)))
    }

    private mutating func cutForShutdown(_ exchange: Exchange) {
        counters.connectionsCutByConfiguration.add()
        handle(exchange, .stopped)
    }

    /// Counts a tunnel or a flow of datagrams that a configuration change or a shutdown has cut.
    func countCut(_ ending: FlowEnding) {
        switch ending {
        case .listenerRemoved, .shutdown: counters.connectionsCutByConfiguration.add()
        case .deregistration: counters.exchangesCutByDeregistration.add()
        case .finished, .reset, .idle, .connectFailed, .connectTimeout, .noTargets, .noWeight, .clientTLS, .targetTLS,
            .proxyHeader, .denied, .clientHello, .unhealthy, .unreachable, .memory:
            break
        }
    }

    /// Closes the remaining connections to targets: idle ones, and those that no exchange waits for any more.
    private mutating func closeTargets() {
        for pool in pools {
            while let idle = pool?.takeIdle() {
                counters.targetConnectionsIdle.subtract()
                close(idle)
            }
        }
        for index in 0..<slab.slotCount {
            switch slab.occupant(at: index) {
            case .target(let target): close(target, reset: true)
            case .http2Target(let connection): closeUnused(connection)
            default: continue
            }
        }
    }

    /// The worker's buffers hold more than its budget: closes the connections that hold the most until they do not
    /// (ARCHITECTURE.md, "Memory").
    mutating func shed() {
        var hungry: [(held: Int, occupant: Occupant)] = clients().map { ($0.chargedByteCount, .client($0)) }
        hungry += http2Clients().map { ($0.chargedByteCount, .http2Client($0)) }
        hungry += tunnels().map { ($0.heldByteCount, .tunnelSide($0.client)) }
        hungry.sort { $0.held > $1.held }
        for (held, occupant) in hungry {
            guard resources.buffers.bytesHeld > resources.buffers.bytesMax, held > 0 else { return }
            counters.connectionsShed.add()
            switch occupant {
            case .client(let client):
                if let exchange = client.exchange {
                    abandonExchange(exchange, reasonCode: "MemoryBudget")
                } else {
                    close(client)
                }
            case .http2Client(let connection): endConnection(connection)
            case .tunnelSide(let side): if let tunnel = side.tunnel { endTunnel(tunnel, .memory, by: .apus) }
            case .mailbox, .listener, .target, .http2Target, .datagramListener, .datagramFlow:
                preconditionFailure("shed: not a client")
            }
        }
    }

    private func clients() -> [ClientConnection] {
        (0..<slab.slotCount).compactMap { index in
            guard case .client(let client) = slab.occupant(at: index) else { return nil }
            return client
        }
    }

    private func http2Clients() -> [HTTP2ClientConnection] {
        (0..<slab.slotCount).compactMap { index in
            guard case .http2Client(let client) = slab.occupant(at: index) else { return nil }
            return client
        }
    }

    func clientSides() -> [ClientSide] {
        clients() + http2Clients().flatMap { $0.streams.compactMap { $0 } }
    }
}
