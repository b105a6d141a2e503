import Core
import Routing
import Telemetry

// The way of datagrams of QUIC: `receiveQUIC` → `quicFlow` → `beginFlow`, once → `forward`. Which target a datagram is
// for stands in its connection ID, so that any worker can pass it on, from whatever address it comes: a client that
// has moved gets a flow of its own, from another port of ours, which to the target is a client that has moved. The way
// back is that of other datagrams.
extension Worker {
    /// Passes on datagrams of QUIC that have come to a listener; what is left makes another event.
    mutating func receiveQUIC(_ listener: DatagramListener) {
        let datagrams = datagrams
        for _ in 0..<Limits.datagramBatchesPerTurnMax {
            guard case .messages(let count) = datagrams.receive(from: listener.socket) else { return }
            var index = 0
            while index < count {
                guard let flow = quicFlow(index, listener) else {
                    index += 1
                    continue
                }
                // Those behind it that have the same flow already go in the same call.
                var end = index + 1
                while end < count, knownFlow(end, of: datagrams, listener) === flow { end += 1 }
                listener.clientSent(flow, now: now)
                forward(index..<end, of: flow)
                index = end
            }
            if count < datagrams.capacity { return }
        }
    }

    /// The flow of a datagram, if it has begun.
    private func knownFlow(
        _ index: Int, of datagrams: DatagramBatch, _ listener: DatagramListener
    ) -> DatagramFlow? {
        let key = DatagramFlow.Key(client: datagrams[index].source, local: datagrams[index].destination)
        return switch QUICDestination(datagrams.bytes(index)) {
        case .malformed: nil
        case .short(let id): listener.flow(key.with(serverID: id))
        case .long(let id): id.flatMap { listener.flow(key.with(serverID: $0)) } ?? listener.handshake(key)
        }
    }

    /// The flow of a datagram, which begins if it has not begun. Nil if it cannot be passed on: then it is counted.
    private mutating func quicFlow(_ index: Int, _ listener: DatagramListener) -> DatagramFlow? {
        let message = datagrams[index]
        let key = DatagramFlow.Key(client: message.source, local: message.destination)
        let destination = QUICDestination(datagrams.bytes(index))
        switch destination {
        case .malformed:
            counters.datagramsDropped.add()
            return nil
        case .short(let id), .long(.some(let id)):
            let key = key.with(serverID: id)
            if let flow = listener.flow(key) { return flow }
            if let (group, pool) = listener.listener.target(serverID: id) {
                guard admits(index..<index + 1, listener) else { return nil }
                return beginFlow(key, listener, group: group, pool: pool)
            }
            guard case .long = destination else {
                counters.quicUnknownServerIDs.add()
                counters.datagramsDropped.add()
                return nil
            }
        case .long(.none): break
        }
        if let flow = listener.handshake(key) { return flow }
        return admits(index..<index + 1, listener) ? beginHandshake(key, listener) : nil
    }

    /// The flow of a client that does not know yet what its server calls itself: the rules and the hash of addresses
    /// find a target, as for UDP. Packets of the same client that name this target belong to the same flow, so that the
    /// target sees one address until the handshake is over. Source: RFC 9000 §9.
    private mutating func beginHandshake(_ key: DatagramFlow.Key, _ listener: DatagramListener) -> DatagramFlow? {
        let noName: [UInt8] = []
        guard let (group, hash) = route(listener.listener, key.client, serverName: noName.span),
            let pool = group.pick(hash: hash, mayTry: false, now: now), let id = pool.serverID
        else { return refuseFlow(.quic) }
        let key = key.with(serverID: id)
        guard let flow = listener.flow(key) ?? beginFlow(key, listener, group: group, pool: pool) else { return nil }
        listener.addHandshake(flow)
        return flow
    }
}
