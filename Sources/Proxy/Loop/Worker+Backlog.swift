import Core
import Telemetry

/// The backlog: connections with more work than one turn allows. They resume one after the other at the end of a pass,
/// for a few milliseconds in all, and do nothing until then. So however many there are, connections with little work
/// wait only that long.
extension Worker {
    /// A connection in the backlog.
    enum Backlogged {
        case client(ClientSide)
        case http2(HTTP2Connection)
        case tunnel(Tunnel)
    }

    /// Puts a client's side into the backlog.
    mutating func delay(_ client: ClientSide) {
        guard !client.isBacklogged else { return }
        client.isBacklogged = true
        backlog.append(.client(client))
    }

    /// Puts an HTTP/2 connection into the backlog.
    mutating func delay(_ connection: HTTP2Connection) {
        guard !connection.isBacklogged else { return }
        connection.isBacklogged = true
        backlog.append(.http2(connection))
    }

    /// Puts a tunnel into the backlog.
    mutating func delay(_ tunnel: Tunnel) {
        guard !tunnel.isBacklogged else { return }
        tunnel.isBacklogged = true
        backlog.append(.tunnel(tunnel))
    }

    /// What the work of a turn is divided by. Connections in the backlog have whole turns, all others a part of one, so
    /// that a crowd of new connections costs no more time than the backlog does.
    var turnDivisor: Int { isServingBacklog ? 1 : Limits.turnDivisor }

    /// Gives a turn to every connection in the backlog, or to as many as the pass has time for, but at least to one.
    mutating func serveBacklog() {
        let end = now + Limits.backlogTimePerPass
        isServingBacklog = true
        for _ in 0..<backlog.count {
            guard let next = backlog.takeFirst() else { break }
            giveTurn(next)
            if Instant.now() >= end { break }
        }
        isServingBacklog = false
    }

    private mutating func giveTurn(_ next: Backlogged) {
        switch next {
        case .client(let client):
            client.isBacklogged = false
            if !client.isClosed { advance(client) }
        case .http2(let connection):
            connection.isBacklogged = false
            if !connection.isClosed, connection.mayRead { serve(connection) }
        case .tunnel(let tunnel):
            tunnel.isBacklogged = false
            resume(tunnel)
        }
    }
}
