import Core
import Routing
import TLS
import Telemetry

// The way of a connection that is passed on: `admit` (Worker+Accept) → `beginTunnel` → `proceed` → `choose` →
// `beginAttempt` → `open` → `relay` (Worker+TunnelRelay, Tunnel+Relay) → `endTunnel` (Worker+TunnelEnd).
extension Worker {
    /// Begins a tunnel for a client that has connected.
    mutating func beginTunnel(_ socket: Socket, _ address: SocketAddress, _ listener: WorkerListener) {
        let transport = Transport(token: slab.nextToken, socket: socket, to: .client)
        let settings = listener.settings
        let phase: Tunnel.Phase
        if !settings.trustedProxies.isEmpty {
            phase = .proxyHeader(until: now + settings.proxyHeaderTimeout)
        } else {
            phase = firstPhase(listener)
        }
        let tunnel = Tunnel(transport, address, listener, phase: phase, now: now, timeOfDay: timeOfDay)
        tunnel.record.trace = (random.next(), random.next())
        let token = slab.insert(.tunnelSide(tunnel.client))
        poller.add(socket.descriptor, token: token, interest: .edges)
        counters.flows.add(tunnel.record.kind)
        proceed(tunnel)
    }

    /// What is awaited of a client behind its PROXY header, if there is one.
    private func firstPhase(_ listener: WorkerListener) -> Tunnel.Phase {
        let until = now + listener.settings.handshakeTimeout
        if listener.tls != nil { return .handshake(until: until) }
        if listener.plan.table.needsServerName { return .clientHello(until: until) }
        return .connecting
    }

    /// Advances a tunnel as far as possible without waiting.
    mutating func proceed(_ tunnel: Tunnel) {
        while true {
            switch tunnel.phase {
            case .proxyHeader:
                guard readProxyHeader(tunnel) else { return finishTurn(tunnel) }
                tunnel.enter(firstPhase(tunnel.listener))
            case .clientHello:
                guard readClientHello(tunnel) else { return finishTurn(tunnel) }
                return choose(tunnel)
            case .handshake:
                // The most expensive thing that can be asked for.
                guard isServingBacklog else {
                    delay(tunnel)
                    return finishTurn(tunnel)
                }
                guard continueHandshake(tunnel) else { return finishTurn(tunnel) }
                return choose(tunnel)
            case .connecting:
                if tunnel.group == nil { choose(tunnel) }
                return
            case .open: return relay(tunnel, from: tunnel.client)
            case .closed: return
            }
        }
    }

    /// Continues the client's TLS handshake. Returns false if it is not done.
    private mutating func continueHandshake(_ tunnel: Tunnel) -> Bool {
        if tunnel.client.transport.tls == nil, let context = tunnel.listener.tls {
            tunnel.client.transport.tls = TLSSession(context, wire: resources.wire)
        }
        guard let tls = tunnel.client.transport.tls else { preconditionFailure("tunnel: a handshake without TLS") }
        switch tunnel.client.transport.handshake(tls, &resources) {
        case .waiting: return false
        case .done:
            counters.tlsHandshakes.add(tls.isResumed ? .resumed : .full)
            tunnel.record.handshakeTime = now.since(tunnel.beganAt)
            return true
        case .failed(let failure):
            resources.countTLSFailure(failure, at: .client)
            tunnel.record.reason = tls.verifyFailure?.reasonCode ?? TLSFailureReason(failure).label
            endTunnel(tunnel, .clientTLS, by: .client)
            return false
        case .closed:
            counters.tlsFailures.add(.connectionClosed)
            tunnel.record.reason = TLSFailureReason.connectionClosed.label
            endTunnel(tunnel, .clientTLS, by: .client)
            return false
        }
    }

    /// Looks at the client's ClientHello, where it stays, for the name it asks for. Returns false if there is none yet.
    /// What does not begin with TLS asks for no name.
    private mutating func readClientHello(_ tunnel: Tunnel) -> Bool {
        let scratch = resources.buffers.acquireLarge()
        defer { resources.buffers.release(scratch) }
        switch tunnel.client.transport.peek(into: scratch) {
        case .got: break
        case .nothing: return false
        case .ended, .failed:
            endTunnel(tunnel, .clientHello, by: .client)
            return false
        }
        switch ClientHello.read(scratch.bytes) {
        case .needMore:
            // What is there was seen: the next byte makes an event.
            tunnel.client.transport.isReadable = false
            if tunnel.client.transport.isEndAnnounced { endTunnel(tunnel, .clientHello, by: .client) }
            return false
        case .hello(let name): tunnel.serverName = name
        case .notTLS: tunnel.serverName = []
        case .malformed, .tooLong:
            tunnel.record.reason = "malformed"
            endTunnel(tunnel, .clientHello, by: .client)
            return false
        }
        return true
    }

    /// A client that has said nothing waits for its server to speak first: it asks for no name. One that has begun to
    /// speak is too slow.
    mutating func clientHelloTimedOut(_ tunnel: Tunnel) {
        let scratch = resources.buffers.acquireLarge()
        tunnel.client.transport.isReadable = true
        let peeked = tunnel.client.transport.peek(into: scratch)
        resources.buffers.release(consume scratch)
        if peeked == .nothing { return choose(tunnel) }
        tunnel.record.reason = "timeout"
        endTunnel(tunnel, .clientHello, by: .apus)
    }

    /// Finds the rule of a connection, and of its groups the one whose turn it is.
    private mutating func choose(_ tunnel: Tunnel) {
        let name = tunnel.serverName
        guard let (group, hash) = route(tunnel.listener, tunnel.record.client, serverName: name.span) else {
            return endTunnel(tunnel, .noWeight, by: .apus)
        }
        tunnel.group = group
        tunnel.hash = hash
        tunnel.lastActivity = now
        group.plan.counters.flows.add()
        group.plan.counters.flowsActive.add()
        connect(tunnel)
    }

    /// The group of a flow by the listener's rules and weights, and the hash that finds its target there. Nil if all
    /// weights are zero.
    func route(
        _ listener: WorkerListener, _ client: SocketAddress, serverName: Span<UInt8>
    ) -> (group: Group, hash: UInt64)? {
        let rule = listener.plan.table.firstMatch(RuleFacts(client: client, serverName: serverName))
        guard case .forward(let forward) = listener.actions[rule ?? listener.actions.count - 1] else {
            preconditionFailure("flow: an action that is not forward")
        }
        var hash = FlowHash()
        hash.add(client)
        guard let group = forward.next(source: hash.value) else { return nil }
        if !(group.plan.flows?.isSticky ?? false) {
            // The listener's address is the same for all of its flows: it tells none apart.
            hash.add(UInt64(client.port) << 16 | UInt64(listener.plan.port))
        }
        return (group, hash.value)
    }

    /// Connects to the flow's target, or to the next one that was not tried.
    private mutating func connect(_ tunnel: Tunnel) {
        tunnel.enter(.connecting)
        while tunnel.attempts.mayBegin, let pool = nextTarget(tunnel) {
            if tunnel.attempts.count > 0 { counters.retries.add() }
            if beginAttempt(tunnel, on: pool) { return finishTurn(tunnel) }
        }
        if tunnel.attempts.count == 0 { return endTunnel(tunnel, .noTargets, by: .apus) }
        endTunnel(
            tunnel, tunnel.attempts.lastFailure == .connectTimedOut ? .connectTimeout : .connectFailed, by: .target)
    }

    private func nextTarget(_ tunnel: Tunnel) -> TargetPool? {
        // A group whose load balancer has changed its type serves requests by now, and no flow that waited meanwhile.
        guard let group = tunnel.group, group.plan.flows != nil else { return nil }
        return group.pick(hash: tunnel.hash, tried: tunnel.attempts.tried, now: now)
    }

    /// The targets in the race have had their head start, or one of them has failed: another one joins.
    private mutating func joinRace(_ tunnel: Tunnel) {
        tunnel.attempts.nextAt = .distantFuture
        while tunnel.attempts.mayBegin, let pool = nextTarget(tunnel) {
            counters.connectRaces.add()
            if beginAttempt(tunnel, on: pool) { break }
        }
        finishTurn(tunnel)
    }

    /// Begins to connect to `pool`'s target. Returns false if that failed at once.
    private mutating func beginAttempt(_ tunnel: Tunnel, on pool: TargetPool) -> Bool {
        guard let group = tunnel.group else { preconditionFailure("tunnel: connecting without a group") }
        tunnel.attempts.begin()
        tunnel.record.target = pool.address
        if group.isFailOpen {
            counters.failOpenFlows.add()
            group.plan.counters.failOpenRequests.add()
        }
        _ = hasDescriptor()  // if none can be had, the kernel says so
        let socket: Socket
        do { socket = try targetSocket(tunnel, group, pool.address) } catch {
            countPortShortage(error.code)
            tunnel.attempts.exclude(pool)
            note(AttemptOutcome(connectEnding(error.code), duration: 0), of: pool, group)
            return false
        }
        var transport = Transport(token: slab.nextToken, socket: socket, to: .target)
        transport.endsWithoutNotice = true
        if let context = group.tls {
            transport.tls = TLSSession(
                context, serverName: serverName(tunnel, group, pool).span, resuming: pool.resumption,
                offering: tunnel.client.transport.tls?.applicationProtocol, wire: resources.wire)
        }
        let side = TunnelSide(transport, to: pool)
        side.tunnel = tunnel
        pool.begin()
        watchTarget(transport, as: .tunnelSide(side))
        tunnel.attempts.wait(for: pool, transport.token, now: now)
        tunnel.attempts.awaitNext(after: group.plan.attempts.raceDelay, now: now)
        return true
    }

    /// A socket that begins to connect to a target: from the client's address if the group wants that and it can be.
    private func targetSocket(
        _ tunnel: Tunnel, _ group: Group, _ target: SocketAddress
    ) throws(SystemError) -> Socket {
        let client = tunnel.record.client
        if group.plan.flows?.preservesClientIP ?? false, client.canBeSource(towards: target) {
            return try Socket.connect(to: target, from: client, keepsAlive: true)
        }
        return try Socket.connect(to: target, keepsAlive: true)
    }

    /// The name that the target is asked for by TLS: the group's, else what the client has asked for, else its address.
    private func serverName(_ tunnel: Tunnel, _ group: Group, _ pool: TargetPool) -> [UInt8] {
        if let name = group.plan.tls?.serverName, !name.isEmpty { return Array(name.utf8) }
        if let tls = tunnel.client.transport.tls, !tls.serverName.isEmpty { return Array(copying: tls.serverName) }
        let text = Buffer(capacity: 64)
        text.append(hostOf: pool.address)
        return Array(copying: text.bytes)
    }

    /// A connection to a target was refused, took too long, or failed in its TLS handshake: another target is tried.
    mutating func connectFailed(_ side: TunnelSide, _ tunnel: Tunnel, _ ending: AttemptOutcome.Ending) {
        tunnel.attempts.lastFailure = ending
        endAttempt(side, tunnel, ending)
        if tunnel.attempts.pending.isEmpty { connect(tunnel) } else { joinRace(tunnel) }
    }

    /// Ends the attempt of which `side` is the connection, before it was connected.
    private mutating func endAttempt(_ side: TunnelSide, _ tunnel: Tunnel, _ ending: AttemptOutcome.Ending) {
        guard let attempt = tunnel.attempts.take(side.transport.token) else {
            preconditionFailure("tunnel: no attempt to end")
        }
        note(AttemptOutcome(ending, duration: now.since(attempt.beganAt)), of: attempt.pool, tunnel.group)
        close(side, reset: true)
        endCount(attempt.pool, cut: ending == .cut)
    }

    /// Ends all attempts that are not connected, as `winner` is, or as the tunnel ends.
    mutating func withdrawAttempts(_ tunnel: Tunnel, wonBy winner: Attempts.Pending? = nil, isCut: Bool = false) {
        while let attempt = tunnel.attempts.pending.first {
            guard case .tunnelSide(let side) = slab.resolve(attempt.token) else {
                preconditionFailure("tunnel: an attempt without its connection")
            }
            let isOvertaken = winner.map { attempt.beganAt < $0.beganAt } ?? false
            endAttempt(side, tunnel, isCut ? .cut : isOvertaken ? .overtaken : .withdrawn)
        }
        tunnel.attempts.nextAt = .distantFuture
    }

    /// The target that `side` is being connected to is not used any more: the tunnel tries another target, if there is
    /// anywhere. Returns false if it has to wait on.
    @discardableResult mutating func leave(_ side: TunnelSide, _ tunnel: Tunnel) -> Bool {
        guard nextTarget(tunnel) != nil || tunnel.attempts.pending.count > 1 else { return false }
        tunnel.attempts.uncount()
        endAttempt(side, tunnel, .withdrawn)
        if tunnel.attempts.pending.isEmpty { connect(tunnel) } else { joinRace(tunnel) }
        return true
    }

    /// The target is being reset or cut: a tunnel that waits for a connection to it tries another target, or ends.
    mutating func abandonConnect(to pool: TargetPool, _ tunnel: Tunnel, _ ending: FlowEnding) {
        guard let attempt = tunnel.attempts.pending.first(where: { $0.pool === pool }),
            case .tunnelSide(let side) = slab.resolve(attempt.token)
        else { return }
        if !leave(side, tunnel) { endTunnel(tunnel, ending, by: .apus) }
    }

    /// A target has taken the connection; the others in the race have lost.
    private mutating func open(_ side: TunnelSide, _ tunnel: Tunnel) {
        guard let attempt = tunnel.attempts.take(side.transport.token) else {
            preconditionFailure("tunnel: connected without an attempt")
        }
        withdrawAttempts(tunnel, wonBy: attempt)
        note(AttemptOutcome(.answered, duration: now.since(attempt.beganAt)), of: attempt.pool, tunnel.group)
        tunnel.target = side
        tunnel.pool = attempt.pool
        tunnel.record.target = attempt.pool.address
        tunnel.record.connectTime = now.since(tunnel.lastActivity)
        tunnel.enter(.open)
        tunnel.lastActivity = now
        // Not `reset`: an open tunnel keeps no memory for attempts.
        tunnel.attempts = Attempts()
        relay(tunnel, from: tunnel.client)
    }

    /// The tunnel's timer has fired while it waits for a target.
    mutating func connectTimerFired(_ tunnel: Tunnel) {
        guard let group = tunnel.group else { return }
        if let oldest = tunnel.attempts.pending.first, oldest.beganAt + group.plan.connectTimeout <= now,
            case .tunnelSide(let side) = slab.resolve(oldest.token)
        {
            counters.timeouts.add(side.transport.connectTimeoutKind)
            return connectFailed(side, tunnel, .connectTimedOut)
        }
        if tunnel.attempts.nextAt <= now { joinRace(tunnel) } else { finishTurn(tunnel) }
    }

    /// Sends the PROXY header, where the group has one, as soon as a target's connection is there: before TLS, which is
    /// inside. False if it could not be sent.
    private mutating func sendProxyHeader(_ target: TunnelSide, _ ready: Poller.Ready, _ tunnel: Tunnel) -> Bool {
        guard let flows = tunnel.group?.plan.flows, flows.sendsProxyHeader, !target.transport.isConnected,
            ready.isWritable, !ready.isDead
        else { return true }
        let own = tunnel.destination ?? tunnel.localAddress
        let header = resources.buffers.acquireSmall()
        defer { resources.buffers.release(header) }
        ProxyHeader.write(source: tunnel.record.client, destination: own, into: header)
        guard case .bytes = target.transport.socket.write(header), header.isEmpty else { return false }
        return true
    }

    /// Acts on one of a tunnel's sockets.
    mutating func sideReady(_ side: TunnelSide, _ ready: Poller.Ready) {
        guard let tunnel = side.tunnel else { preconditionFailure("tunnel: an event after closed") }
        switch tunnel.phase {
        case .connecting where side !== tunnel.client:
            if !sendProxyHeader(side, ready, tunnel) { return connectFailed(side, tunnel, .connectFailed) }
            switch side.transport.continueConnecting(ready, &resources) {
            case .waiting: return
            case .failed(let ending): connectFailed(side, tunnel, ending)
            case .connected: open(side, tunnel)
            }
        case .open:
            side.transport.noteReady(ready)
            // What waits for the other side keeps the end of this one from being read; and behind an end that was read
            // nothing is read that would say that the connection was reset afterwards.
            if ready.isDead, side.transport.isEnded || tunnel.other(than: side)?.isBlocked ?? false,
                side.transport.socket.takeError() != 0
            {
                return sideBroke(side, tunnel)
            }
            if !tunnel.isBacklogged { relay(tunnel, from: side) }
        case .connecting:
            side.transport.noteReady(ready)
            if ready.isDead { endTunnel(tunnel, .reset, by: .client) }
        case .proxyHeader, .clientHello, .handshake:
            side.transport.noteReady(ready)
            proceed(tunnel)
        case .closed: preconditionFailure("tunnel: an event after closed")
        }
    }
}
