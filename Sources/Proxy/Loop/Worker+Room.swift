import Core
import Routing
import Telemetry

/// Making room: which client connections, and which connections to targets, end so that others may begin.
extension Worker {
    // MARK: Client connections

    /// Ends a client connection so that another may begin: a flow of datagrams whose client may be nobody, else the
    /// oldest of those that never said anything, else the one that has been between requests for the longest time.
    /// Connections with requests under way and tunnels stay. Returns false if there is none.
    mutating func makeRoom() -> Bool { endUnverifiedFlow() || evictSilent() || evictIdle() }

    /// Notes a client connection that was just accepted.
    mutating func noteArrival(_ token: Token) {
        arrivals.append(token)
        guard arrivals.count > 2 * clientCount + Limits.arrivalsSlack else { return }
        let slab = slab
        arrivals.keep { Self.isSilent(slab.resolve($0)) }
    }

    /// Ends the oldest client connection that never said anything.
    mutating func evictSilent() -> Bool {
        while let token = arrivals.takeFirst() {
            let occupant = slab.resolve(token)
            guard Self.isSilent(occupant) else { continue }
            switch occupant {
            case .client(let client): close(client)
            case .http2Client(let connection): sendAway(connection)
            case .tunnelSide(let side): if let tunnel = side.tunnel { endTunnel(tunnel, .memory, by: .apus) }
            default: continue
            }
            counters.connectionsEvicted.add(.silent)
            return true
        }
        return false
    }

    private static func isSilent(_ occupant: Occupant?) -> Bool {
        switch occupant {
        case .client(let client): client.isSilent
        case .http2Client(let connection): connection.isSilent
        case .tunnelSide(let side): side.tunnel?.isSilent ?? false
        default: false
        }
    }

    private mutating func evictIdle() -> Bool {
        while true {
            while let next = idleClients.popLast() {
                switch slab.resolve(next.token) {
                case .client(let client):
                    guard client.isIdle, client.lastActivity == next.since else { continue }
                    close(client)
                case .http2Client(let connection):
                    guard connection.isIdle, connection.idleSince == next.since else { continue }
                    sendAway(connection)
                default: continue
                }
                counters.connectionsEvicted.add(.idle)
                return true
            }
            guard findIdleClients() else { return false }
        }
    }

    /// Ends a connection without requests, of which the client is told.
    private mutating func sendAway(_ connection: HTTP2ClientConnection) {
        connection.announceEnd()
        connection.writeLastFrames(&resources)
        endConnection(connection)
    }

    /// Walks all connections for those that are idle, the idlest last. Returns false if there is none, or if the last
    /// walk was so short a time ago that clients could make us walk on and on.
    private mutating func findIdleClients() -> Bool {
        guard now >= nextWalkAt else { return false }
        nextWalkAt = now + Limits.walkInterval
        for index in 0..<slab.slotCount {
            switch slab.occupant(at: index) {
            case .client(let client) where client.isIdle:
                idleClients.append((client.transport.token, client.lastActivity))
            case .http2Client(let connection) where connection.isIdle:
                idleClients.append((connection.transport.token, connection.idleSince))
            default: continue
            }
        }
        idleClients.sort { $0.since > $1.since }
        return !idleClients.isEmpty
    }

    /// Lets go of what is kept for reuse.
    mutating func returnMemory() {
        resources.buffers.removeFree()
        resources.heads.removeAll()
        freeExchanges.removeAll(keepingCapacity: true)
        idleClients = []
    }

    // MARK: Connections to targets

    /// Descriptors that are left for connections to targets.
    private var descriptorsLeft: Int {
        configuration.descriptorsMax - clientCount - flowCount - Int(counters.targetConnectionsActive.value)
    }

    /// How many connections to targets one client connection may have at once: one, and a share of those that are idle
    /// or left beyond what is kept for clients to come. So however many clients take all they may, there are some for
    /// others.
    var targetShare: Int {
        let reserve = configuration.descriptorsMax / Limits.descriptorReserveDivisor
        let available = descriptorsLeft + Int(counters.targetConnectionsIdle.value)
        return max(1, (available - reserve) / Limits.targetShareDivisor)
    }

    /// Whether a connection to a target may be opened; ends another one for it if none is left.
    mutating func hasDescriptor() -> Bool { descriptorsLeft > 0 || freeDescriptor() }

    /// Has an exchange wait until a descriptor is free.
    mutating func awaitDescriptor(_ exchange: Exchange) {
        exchange.descriptorTicket = descriptorQueue.append(exchange, for: [])
        counters.descriptorWaits.add()
    }

    /// An exchange ends that waited for a descriptor.
    mutating func leaveDescriptorQueue(_ exchange: Exchange) {
        guard let ticket = exchange.descriptorTicket.take() else { return }
        descriptorQueue.remove(ticket: ticket)
    }

    /// Goes on with the exchanges that wait for a descriptor, as far as there are some.
    mutating func serveDescriptorQueue() {
        while let exchange = descriptorQueue.first(for: []), hasDescriptor() {
            leaveDescriptorQueue(exchange)
            let client = exchange.client
            forward(exchange)
            resources.deferToNextPass(client)
        }
    }

    /// Frees a descriptor of a connection to a target: of one that is idle, else of those whose clients take nothing of
    /// their responses. Returns false if there are none.
    mutating func freeDescriptor() -> Bool { closeIdleTarget() || endStalled() }

    /// Frees a descriptor for a client that connects: of a silent one, else as `freeDescriptor` does. Who has asked for
    /// something stays, and so does a last idle connection that may serve it: other workers may have more to give.
    mutating func freeDescriptorForClient() -> Bool {
        evictSilent() || counters.targetConnectionsIdle.value > 1 && closeIdleTarget() || endStalled()
    }

    private mutating func closeIdleTarget() -> Bool {
        for pool in pools {
            guard let pool, let oldest = pool.takeExcess(over: max(0, pool.idle.count - 1)) else { continue }
            counters.targetConnectionsIdle.subtract()
            close(oldest)
            return true
        }
        return false
    }

    /// Ends exchanges whose clients have taken nothing for a while though a response waits for them, longest first.
    private mutating func endStalled() -> Bool {
        guard now >= nextStalledWalkAt else { return false }
        nextStalledWalkAt = now + Limits.walkInterval
        var stalled = clientSides().filter { client in
            guard let exchange = client.exchange, exchange.target != nil, exchange.state.phase != .tunnelling else {
                return false
            }
            return now.since(client.lastActivity) >= Limits.stalledTime && (!client.isWritable || !client.isFlushed)
        }
        stalled.sort { $0.lastActivity < $1.lastActivity }
        var count = 0
        for client in stalled where count < Limits.stalledPerWalkMax {
            // The kernel may hold much for a client that takes it steadily.
            guard let exchange = client.exchange, !client.hasTakenMore() else { continue }
            count += 1
            counters.connectionsEvicted.add(.stalled)
            giveUp(exchange, reasonCode: "ResponseNotTaken")
        }
        return count > 0
    }
}
