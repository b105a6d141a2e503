import Core
import Routing
import TLS
import Telemetry

// The way of a connection that is passed on: `admit` (Worker+Accept) → `beginTunnel` → `proceed` → `choose` →
// `connect` → `open` → `relay` (Worker+TunnelRelay) → `end` (Worker+TunnelEnd).
extension Worker {
    /// Begins a tunnel for a client that has connected.
    mutating func beginTunnel(_ socket: Socket, _ address: SocketAddress, _ listener: Listener) {
        let transport = Transport(token: slab.nextToken, socket: socket, to: .client)
        let settings = listener.settings
        let phase: Tunnel.Phase
        if !settings.trustedProxies.isEmpty {
            phase = .proxyHeader(until: now + settings.proxyHeaderTimeout)
        } else {
            phase = firstPhase(listener)
        }
        let tunnel = Tunnel(transport, address, listener, phase: phase, now: now)
        tunnel.record.trace = (random.next(), random.next())
        let token = slab.insert(.tunnelSide(tunnel.client))
        poller.add(socket.descriptor, token: token, interest: .edges)
        counters.flows.add(tunnel.record.kind)
        proceed(tunnel)
    }

    /// What is awaited of a client behind its PROXY header, if there is one.
    private func firstPhase(_ listener: Listener) -> Tunnel.Phase {
        let until = now + listener.settings.handshakeTimeout
        if listener.tls != nil { return .handshake(until: until) }
        if listener.plan.flows?.rules.needsServerName ?? false { return .clientHello(until: until) }
        return .connecting(until: .distantFuture)
    }

    /// Goes on with a tunnel as far as it goes without waiting.
    mutating func proceed(_ tunnel: Tunnel) {
        while true {
            switch tunnel.phase {
            case .proxyHeader:
                guard readProxyHeader(tunnel) else { return rest(tunnel) }
                tunnel.enter(firstPhase(tunnel.listener))
            case .clientHello:
                guard readClientHello(tunnel) else { return rest(tunnel) }
                return choose(tunnel)
            case .handshake:
                guard shakeHands(tunnel) else { return rest(tunnel) }
                return choose(tunnel)
            case .connecting:
                if tunnel.target == nil { choose(tunnel) }
                return
            case .open: return relay(tunnel, from: tunnel.client)
            case .closed: return
            }
        }
    }

    /// Goes on with the client's TLS handshake. Returns false if it is not done.
    private mutating func shakeHands(_ tunnel: Tunnel) -> Bool {
        if tunnel.client.transport.tls == nil, let context = tunnel.listener.tls {
            tunnel.client.transport.tls = TLSSession(context, wire: wire)
        }
        guard let tls = tunnel.client.transport.tls else { preconditionFailure("tunnel: a handshake without TLS") }
        switch tunnel.client.transport.shakeHands(tls, &self) {
        case .waiting: return false
        case .done:
            counters.tlsHandshakes.add(tls.isResumed ? .resumed : .full)
            tunnel.record.handshakeTime = now.since(tunnel.beganAt)
            return true
        case .failed(let failure):
            countTLSFailure(failure, at: .client)
            tunnel.record.reason = TLSFailureReason(failure).label
            end(tunnel, .clientTLS, by: .client)
            return false
        case .closed:
            counters.tlsFailures.add(.connectionClosed)
            tunnel.record.reason = TLSFailureReason.connectionClosed.label
            end(tunnel, .clientTLS, by: .client)
            return false
        }
    }

    /// Looks at the client's ClientHello, where it stays, for the name it asks for. Returns false if there is none yet.
    /// What does not begin with TLS asks for no name.
    private mutating func readClientHello(_ tunnel: Tunnel) -> Bool {
        let scratch = buffers.acquireLarge()
        defer { buffers.release(scratch) }
        switch tunnel.client.transport.peek(into: scratch) {
        case .got: break
        case .nothing: return false
        case .ended, .failed:
            end(tunnel, .clientHello, by: .client)
            return false
        }
        switch ClientHello.read(scratch.bytes) {
        case .needMore:
            // What is there was seen: the next octet makes an event.
            tunnel.client.transport.isReadable = false
            if tunnel.client.transport.isEndAnnounced { end(tunnel, .clientHello, by: .client) }
            return false
        case .hello(let name): tunnel.serverName = name
        case .notTLS: tunnel.serverName = []
        case .malformed, .tooLong:
            tunnel.record.reason = "malformed"
            end(tunnel, .clientHello, by: .client)
            return false
        }
        return true
    }

    /// Finds the rule of a connection, and of its groups the one whose turn it is.
    private mutating func choose(_ tunnel: Tunnel) {
        let name = tunnel.serverName
        guard let (group, hash) = route(tunnel.listener, tunnel.record.client, serverName: name.span) else {
            return end(tunnel, .noWeight, by: .apus)
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
        _ listener: Listener, _ client: SocketAddress, serverName: Span<UInt8>
    ) -> (group: Group, hash: UInt64)? {
        guard let flows = listener.plan.flows else { preconditionFailure("flow: on a listener of requests") }
        let rule = flows.rules.firstMatch(source: client, serverName: serverName)
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
        guard let group = tunnel.group else { preconditionFailure("tunnel: connecting without a group") }
        while tunnel.tried.count < Limits.connectAttemptsMax,
            let pool = group.pick(flow: tunnel.hash, tried: tunnel.tried)
        {
            if !tunnel.tried.isEmpty { counters.retries.add() }
            if !pool.cell.isHealthy {
                counters.failOpenFlows.add()
                group.plan.counters.failOpenRequests.add()
            }
            let socket: Socket
            do { socket = try targetSocket(tunnel, group, pool.address) } catch {
                // Without ports or descriptors of our own nothing is said about the target.
                noteConnectFailure(tunnel, pool, isVerdict: isVerdict(error.code))
                continue
            }
            var transport = Transport(token: slab.nextToken, socket: socket, to: .target)
            transport.endsWithoutNotice = true
            transport.isReadable = false
            transport.isWritable = false
            if let context = group.tls {
                transport.tls = TLSSession(
                    context, serverName: serverName(tunnel, group, pool).span, resuming: pool.resumption,
                    offering: tunnel.client.transport.tls?.applicationProtocol, wire: wire)
            }
            let target = TunnelSide(transport)
            target.tunnel = tunnel
            tunnel.target = target
            hold(pool, for: tunnel)
            tunnel.record.target = pool.address
            register(transport, as: .tunnelSide(target))
            tunnel.enter(.connecting(until: now + group.plan.connectTimeout))
            return rest(tunnel)
        }
        if tunnel.tried.isEmpty { return end(tunnel, .noTargets, by: .apus) }
        end(tunnel, tunnel.hasTimedOut ? .connectTimeout : .connectFailed, by: .target)
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

    /// Counts the tunnel as in flight for `pool`'s target, instead of the one it had before.
    private mutating func hold(_ pool: TargetPool, for tunnel: Tunnel) {
        releasePool(tunnel, cut: false)
        tunnel.pool = pool
        pool.begin()
    }

    /// Ends the tunnel's count for its target, and tells control when it was the last of a draining one.
    mutating func releasePool(_ tunnel: Tunnel, cut: Bool) {
        guard let pool = tunnel.pool else { return }
        tunnel.pool = nil
        pool.end(cut: cut)
        reportIfDrained(pool)
    }

    private mutating func noteConnectFailure(_ tunnel: Tunnel, _ pool: TargetPool, isVerdict: Bool) {
        tunnel.tried.append(pool)
        if isVerdict, pool.complainedAt.map({ now.since($0) >= Limits.connectComplaintInterval }) ?? true {
            pool.complainedAt = now
            control.send(.connectFailed(target: pool.id))
        }
        counters.targetConnectFailures.add()
        tunnel.group?.plan.counters.connectionErrors.add()
    }

    /// A connection to a target was refused, took too long, or failed in its TLS handshake.
    mutating func connectFailed(_ tunnel: Tunnel, timedOut: Bool) {
        guard let target = tunnel.target, let pool = tunnel.pool else {
            preconditionFailure("tunnel: no connection to fail")
        }
        tunnel.hasTimedOut = timedOut
        // What a TLS handshake is about the client has a say in: that must not make a target unhealthy.
        noteConnectFailure(tunnel, pool, isVerdict: !target.transport.isConnected)
        drop(target, of: tunnel)
        connect(tunnel)
    }

    /// The target of a connection that is being opened is not to be used any more. Returns false if there is no other.
    mutating func connectElsewhere(_ tunnel: Tunnel) -> Bool {
        guard let target = tunnel.target, let pool = tunnel.pool else {
            preconditionFailure("tunnel: no connection to give up")
        }
        tunnel.tried.append(pool)
        guard tunnel.tried.count < Limits.connectAttemptsMax,
            tunnel.group?.pick(flow: tunnel.hash, tried: tunnel.tried) != nil
        else { return false }
        drop(target, of: tunnel)
        connect(tunnel)
        return true
    }

    private mutating func drop(_ target: TunnelSide, of tunnel: Tunnel) {
        tunnel.target = nil
        close(target, reset: true)
    }

    /// The target has taken the connection.
    private mutating func open(_ tunnel: Tunnel) {
        tunnel.record.connectTime = now.since(tunnel.lastActivity)
        tunnel.enter(.open)
        tunnel.lastActivity = now
        tunnel.tried = []
        relay(tunnel, from: tunnel.client)
    }

    /// Sends the PROXY header, where the group has one, as soon as a target's connection is there: before TLS, which is
    /// inside. False if it could not be sent.
    private mutating func introduce(_ target: TunnelSide, _ ready: Poller.Ready, _ tunnel: Tunnel) -> Bool {
        guard let flows = tunnel.group?.plan.flows, flows.sendsProxyHeader, !target.transport.isConnected,
            ready.isWritable, !ready.isDead
        else { return true }
        let own = tunnel.destination ?? tunnel.client.transport.socket.localAddress ?? .unspecified
        let header = buffers.acquireSmall()
        defer { buffers.release(header) }
        ProxyHeader.write(source: tunnel.record.client, destination: own, into: header)
        guard case .bytes = target.transport.socket.write(header), header.isEmpty else { return false }
        return true
    }

    /// Acts on one of a tunnel's sockets.
    mutating func sideReady(_ side: TunnelSide, _ ready: Poller.Ready) {
        guard let tunnel = side.tunnel else { preconditionFailure("tunnel: an event after closed") }
        switch tunnel.phase {
        case .connecting where side === tunnel.target:
            if !introduce(side, ready, tunnel) { return connectFailed(tunnel, timedOut: false) }
            switch side.transport.connect(ready, &self) {
            case .waiting: return
            case .failed(let timedOut): connectFailed(tunnel, timedOut: timedOut)
            case .connected: open(tunnel)
            }
        case .open:
            side.transport.note(ready)
            // What waits for the other side keeps the end of this one from being read; and behind an end that was read
            // nothing is read that would say that the connection was reset afterwards.
            if ready.isDead, side.transport.isEnded || tunnel.other(than: side)?.isBlocked ?? false,
                side.transport.socket.takeError() != 0
            {
                return sideBroke(side, tunnel)
            }
            relay(tunnel, from: side)
        case .connecting:
            side.transport.note(ready)
            if ready.isDead { end(tunnel, .reset, by: .client) }
        case .proxyHeader, .clientHello, .handshake:
            side.transport.note(ready)
            proceed(tunnel)
        case .closed: preconditionFailure("tunnel: an event after closed")
        }
    }
}
