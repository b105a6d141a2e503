import Core
import Routing
import Telemetry

/// Eviction: which client connections, and which connections to targets, are ended so that new ones can be accepted or
/// opened.
extension Worker {
    // MARK: Client connections

    /// Ends a client connection so that another may begin: a flow of datagrams whose client address is unverified, else
    /// the oldest connection that never sent anything, else the one that has been idle between requests for the longest
    /// time. Tunnels and connections with requests in progress are kept. Returns false if there is none.
    mutating func makeRoom() -> Bool { endUnverifiedFlow() || evictSilent() || evictIdle() }

    /// Records a client connection that was just accepted.
    mutating func noteArrival(_ token: Token) {
        arrivals.append(token)
        guard arrivals.count > 2 * clientCount + Limits.arrivalsSlack else { return }
        let slab = slab
        arrivals.keep { Self.isSilent(slab.resolve($0)) }
    }

    /// Ends the oldest client connection that never sent anything.
    mutating func evictSilent() -> Bool {
        while let token = arrivals.takeFirst() {
            let occupant = slab.resolve(token)
            guard Self.isSilent(occupant) else { continue }
            switch occupant {
            case .client(let client): close(client)
            case .http2Client(let connection): endIdle(connection)
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
                    endIdle(connection)
                default: continue
                }
                counters.connectionsEvicted.add(.idle)
                return true
            }
            guard findIdleClients() else { return false }
        }
    }

    /// Ends a connection without requests after telling the client with a GOAWAY.
    private mutating func endIdle(_ connection: HTTP2ClientConnection) {
        connection.announceEnd()
        connection.writeLastFrames(&resources)
        endConnection(connection)
    }

    /// Collects the idle connections of all, the longest idle last. Returns false if there is none, or if the last walk
    /// over all connections was less than `Limits.walkInterval` ago: clients must not make the worker walk again and
    /// again.
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

    /// Frees the memory that is kept for reuse.
    mutating func returnMemory() {
        resources.buffers.removeFree()
        resources.heads.removeAll()
        freeExchanges.removeAll(keepingCapacity: true)
        idleClients = []
    }

    // MARK: Connections to targets

    /// How many more connections to targets may be opened.
    private var descriptorsLeft: Int {
        configuration.descriptorsMax - clientCount - flowCount - Int(counters.targetConnectionsActive.value)
    }

    /// How many connections to targets one client connection may have at once: at least one, and a share of those that
    /// are idle or may still be opened, without the reserve for new clients. So some are left however many clients use
    /// all of their share.
    var targetShare: Int {
        let reserve = configuration.descriptorsMax / Limits.descriptorReserveDivisor
        let available = descriptorsLeft + Int(counters.targetConnectionsIdle.value)
        return max(1, (available - reserve) / Limits.targetShareDivisor)
    }

    /// Whether a connection to a target may be opened; closes another one for it if the limit is reached.
    mutating func hasDescriptor() -> Bool { descriptorsLeft > 0 || freeDescriptor() }

    /// Queues an exchange until a descriptor is free.
    mutating func awaitDescriptor(_ exchange: Exchange) {
        exchange.descriptorTicket = descriptorQueue.append(exchange, for: [])
        counters.descriptorWaits.add()
    }

    /// Takes an exchange out of the queue for descriptors, if it is there.
    mutating func leaveDescriptorQueue(_ exchange: Exchange) {
        guard let ticket = exchange.descriptorTicket.take() else { return }
        descriptorQueue.remove(ticket: ticket)
    }

    /// Resumes exchanges that wait for a descriptor, as long as descriptors are free.
    mutating func serveDescriptorQueue() {
        while let exchange = descriptorQueue.first(for: []), hasDescriptor() {
            leaveDescriptorQueue(exchange)
            let client = exchange.client
            forward(exchange)
            resources.deferToNextPass(client)
        }
    }

    /// Frees the descriptor of a connection to a target: of an idle one, else of one whose client does not read its
    /// response. Returns false if there are none.
    mutating func freeDescriptor() -> Bool { closeIdleTarget() || endStalled() }

    /// Frees a descriptor for a client that connects: that of a silent client, else as `freeDescriptor` does. Idle
    /// clients that have sent requests are kept, and so is the last idle connection to a target, which may serve them:
    /// other workers may have more to free.
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

    /// Ends exchanges whose clients have not read their waiting response for a while, those that waited longest first.
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
            // The kernel may hold much for a client that reads it steadily; such a client is not stalled.
            guard let exchange = client.exchange, !client.hasTakenMore() else { continue }
            count += 1
            counters.connectionsEvicted.add(.stalled)
            abandonExchange(exchange, reasonCode: "ResponseNotTaken")
        }
        return count > 0
    }
}
