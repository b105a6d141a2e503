import Core
import TLS
import Telemetry

extension Worker {
    /// Accepts waiting connections until none waits, at most `most`.
    mutating func acceptClients(_ listening: ListenerSocket, most: Int = Limits.acceptsPerTurnMax) {
        for _ in 0..<most {
            switch listening.socket.accept() {
            case .accepted(let socket, let address):
                guard let address else { preconditionFailure("accept: a TCP listener without an address") }
                admit(socket, address, listening.listener)
            case .wouldBlock: return
            case .aborted: continue
            case .outOfDescriptors:
                if freeDescriptorForClient() { continue }
                refuseForDescriptors(listening)
                return
            }
        }
    }

    private mutating func admit(_ socket: Socket, _ address: SocketAddress, _ listener: WorkerListener) {
        // First of all: who is denied must not take the place of anybody.
        if let access = listener.accessAtConnect, !access.admits(address) {
            noteDenied(address, access)
            if listener.plan.flows != nil { counters.flowsRejected.add(listener.flowKind) }
            return socket.closeWithReset()
        }
        guard clientCount + flowCount < configuration.connectionsMax || makeRoom() else {
            return refuse(socket, listener, .connectionLimit)
        }
        guard !resources.buffers.isExhausted else { return refuse(socket, listener, .memoryBudget) }
        guard listener.mayConnect(address) else { return refuse(socket, listener, .untrustedNetwork) }
        clientCount += 1
        counters.connectionsAccepted.add()
        counters.connectionsActive.add()
        noteArrival(slab.nextToken)
        if listener.plan.flows != nil { return beginTunnel(socket, address, listener) }
        var transport = Transport(token: slab.nextToken, socket: socket, to: .client)
        if let context = listener.tls { transport.tls = TLSSession(context, wire: resources.wire) }
        let client = ClientConnection(transport: transport, address: address, listener: listener, now: now)
        client.trace = (random.next(), random.next())
        let token = slab.insert(.client(client))
        poller.add(socket.descriptor, token: token, interest: .edges)
        // Most clients have sent their request by now, so reading at once usually saves a wait, at the cost of one
        // call.
        advance(client)
    }

    /// Counts a connection that the listener's lists of addresses do not allow.
    func noteDenied(_ client: SocketAddress, _ access: AccessPlan) {
        counters.connectionsRejected.add(.deniedAddress)
        access.denials.connections.add()
        access.denials.lastClient.note(client)
    }

    private func refuse(_ socket: Socket, _ listener: WorkerListener, _ reason: RejectionReason) {
        counters.connectionsRejected.add(reason)
        reject(socket, listener)
    }

    private func reject(_ socket: Socket, _ listener: WorkerListener) {
        if listener.plan.flows != nil { counters.flowsRejected.add(listener.flowKind) }
        socket.close()
    }

    /// Out of descriptors: uses the reserve to reject one connection, and pauses accepting, so that the level-triggered
    /// listener does not spin.
    private mutating func refuseForDescriptors(_ listening: ListenerSocket) {
        counters.connectionsRejected.add(.descriptorLimit)
        if reserve.release() {
            if case .accepted(let socket, _) = listening.socket.accept() { reject(socket, listening.listener) }
            reserve.restore()
        }
        guard !listening.isPaused else { return }
        listening.isPaused = true
        poller.remove(listening.socket.descriptor)
        timers.schedule(listening.token, at: now + Limits.acceptPause)
    }

    /// Watches a listener again after a pause.
    mutating func resumeAccepting(_ listening: ListenerSocket) {
        guard listening.isPaused else { return }
        listening.isPaused = false
        poller.add(listening.socket.descriptor, token: listening.token, interest: .readable)
    }

    /// Watches a listening socket that control has opened.
    mutating func open(_ socket: Socket, for listener: WorkerListener) {
        listener.recordAddress(of: socket)
        let listening = ListenerSocket(listener: listener, socket: socket, token: slab.nextToken)
        let token = slab.insert(.listener(listening))
        poller.add(socket.descriptor, token: token, interest: .readable)
        listenerSockets.append(listening)
    }

    /// Stops listening where `isGone` says so. Connections in the accept queue are served first, since their handshake
    /// is complete.
    mutating func closeListeners(where isGone: (WorkerListener) -> Bool) {
        let gone = listenerSockets.filter { isGone($0.listener) }
        listenerSockets.removeAll { isGone($0.listener) }
        for listening in gone {
            acceptClients(listening, most: Int(Core.Limits.listenBacklog))
            timers.cancel(listening.token)
            // Closing it would not end the watch where another process, or a passed socket, shares it.
            if !listening.isPaused { poller.remove(listening.socket.descriptor) }
            slab.remove(listening.token)
            listening.socket.close()
        }
    }
}
