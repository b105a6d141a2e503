import Core
import Telemetry

extension Worker {
    // MARK: Deadlines

    /// Leaves a tunnel until its next event: sets its timer if its next deadline is before the one that is set.
    mutating func finishTurn(_ tunnel: Tunnel) {
        let deadline = nextDeadline(of: tunnel)
        setTimer(of: &tunnel.client.transport, at: deadline)
    }

    private func nextDeadline(of tunnel: Tunnel) -> Instant {
        switch tunnel.phase {
        case .proxyHeader(let until), .clientHello(let until), .handshake(let until): until
        case .connecting: min(connectDeadline(of: tunnel), tunnel.attempts.nextAt)
        case .open: tunnel.lastActivity + (tunnel.listener.plan.flows?.idleTimeout ?? 0)
        case .closed: .distantFuture
        }
    }

    /// When the oldest of its attempts has taken too long.
    private func connectDeadline(of tunnel: Tunnel) -> Instant {
        guard let oldest = tunnel.attempts.pending.first, let group = tunnel.group else { return .distantFuture }
        return oldest.beganAt + group.plan.connectTimeout
    }

    /// The tunnel's timer has fired: acts on the deadline that has come, or sets the timer again.
    mutating func tunnelTimerFired(_ tunnel: Tunnel) {
        tunnel.client.transport.timer = .distantFuture
        guard nextDeadline(of: tunnel) <= now else { return finishTurn(tunnel) }
        switch tunnel.phase {
        case .proxyHeader:
            tunnel.record.reason = "timeout"
            endTunnel(tunnel, .proxyHeader, by: .apus)
        case .clientHello: clientHelloTimedOut(tunnel)
        case .handshake:
            counters.timeouts.add(.tlsHandshake)
            counters.tlsFailures.add(.timeout)
            tunnel.record.reason = "timeout"
            endTunnel(tunnel, .clientTLS, by: .apus)
        case .connecting: connectTimerFired(tunnel)
        case .open:
            guard !isTaking(tunnel) else { return finishTurn(tunnel) }
            counters.timeouts.add(.flowIdle)
            endTunnel(tunnel, .idle, by: .apus)
        case .closed: preconditionFailure("tunnel: a timer after closed")
        }
    }

    /// Whether the kernel's send buffer of a side still drains; then the tunnel counts as active.
    private func isTaking(_ tunnel: Tunnel) -> Bool {
        guard let target = tunnel.target else { return false }
        let isTaking = [tunnel.client, target].contains { $0.transport.hasTakenMore(than: &$0.takenAtLastLook) }
        if isTaking { tunnel.lastActivity = now }
        return isTaking
    }

    // MARK: The end

    /// Ends a tunnel: unless both sides had finished, both are reset, so that neither takes what it got for the
    /// whole.
    mutating func endTunnel(_ tunnel: Tunnel, _ ending: FlowEnding, by party: FlowParty) {
        tunnel.record.ending = ending
        tunnel.record.endedBy = party
        let isReset = ending != .finished
        withdrawAttempts(tunnel, isCut: ending == .deregistration)
        if isReset, tunnel.target != nil || ending != .clientTLS { counters.flowResets.add(party) }
        if tunnel.record.target == nil { counters.flowsRejected.add(tunnel.record.kind) }
        counters.flowEndings.add(ending)
        counters.flowsEnded.add(tunnel.record.kind)
        countCut(ending)
        log(tunnel)
        tunnel.enter(.closed)
        if let target = tunnel.target { close(target, reset: isReset) }
        // A failed handshake has left an alert for the client, which a reset would overtake.
        if ending == .clientTLS { leaveAlert(tunnel.client) }
        close(tunnel.client, reset: isReset && ending != .clientTLS)
        tunnel.group?.plan.counters.flowsActive.subtract()
        if let pool = tunnel.pool.take() { endCount(pool, cut: ending == .deregistration) }
        reserve.restore()
        clientCount -= 1
        counters.connectionsActive.subtract()
    }

    /// Reads what the client has sent behind what TLS has refused: with it unread, closing would be a reset.
    private mutating func leaveAlert(_ client: TunnelSide) {
        client.transport.endTLS(&resources)
        client.transport.shutdownWrite(&resources)
        let rest = resources.buffers.acquireLarge()
        _ = client.transport.receive(into: rest, &resources)
        resources.buffers.release(rest)
    }

    private mutating func log(_ tunnel: Tunnel) {
        guard connectionLog != nil || accessLog != nil else { return }
        tunnel.record.duration = now.since(tunnel.beganAt)
        tunnel.record.listener = tunnel.localAddress
        var name = tunnel.serverName
        if let tls = tunnel.client.transport.tls { name = Array(copying: tls.serverName) }
        let group = tunnel.group?.logName ?? []
        let loadBalancer = tunnel.listener.logName
        let names = FlowRecord.Names(
            loadBalancer: loadBalancer.span, targetGroup: group.span, serverName: name.span)
        connectionLog?.write(tunnel.record, names: names)
        // Access logs have no line for what was not looked into. Source: docs/elbv2.md, "Flow log".
        guard let accessLog, let tls = tunnel.client.transport.tls else { return }
        tunnel.record.alert = tls.alert
        let isAgreed = tunnel.record.handshakeTime != nil
        let offered = tls.offeredProtocols
        let certificate = tls.certificateName
        accessLog.write(
            tunnel.record, names: names,
            tls: FlowRecord.TLSNames(
                certificate: certificate.span, cipher: isAgreed ? tls.cipherName : Span(),
                version: isAgreed ? tls.version.networkName : "",
                keyExchange: isAgreed ? tls.keyExchangeName : Span(),
                clientProtocol: tls.applicationProtocol?.logName ?? "",
                targetProtocol: tunnel.target?.transport.tls?.applicationProtocol?.logName ?? "",
                offeredProtocols: offered.span))
    }

    /// Gives back everything that a side has.
    mutating func close(_ side: TunnelSide, reset: Bool) {
        if let waiting = side.waiting.take() { resources.buffers.release(waiting) }
        if side.transport.otherSide == .target {
            if let pool = side.pool { keepResumption(of: side.transport, pool) }
            counters.targetConnectionsActive.subtract()
        }
        timers.cancel(side.transport.token)
        slab.remove(side.transport.token)
        side.transport.close(reset: reset, &resources)
        side.tunnel = nil
    }

    /// Every tunnel there is.
    func tunnels() -> [Tunnel] {
        (0..<slab.slotCount).compactMap { index in
            guard case .tunnelSide(let side) = slab.occupant(at: index), let tunnel = side.tunnel,
                side === tunnel.client
            else { return nil }
            return tunnel
        }
    }
}
