import Core
import Telemetry

/// Connections with more to do than one turn allows. They go on one after the other at the end of a pass, all of them
/// together for a few milliseconds, and do nothing before: so however many there are, those with little to do wait for
/// no more than that.
extension Worker {
    /// Who goes on.
    enum Backlogged {
        case client(ClientSide)
        case http2(HTTP2Connection)
        case tunnel(Tunnel)
    }

    /// Has a client's side go on when it is its turn.
    mutating func delay(_ client: ClientSide) {
        guard !client.isBacklogged else { return }
        client.isBacklogged = true
        backlog.append(.client(client))
    }

    /// Has an HTTP/2 connection be read on when it is its turn.
    mutating func delay(_ connection: HTTP2Connection) {
        guard !connection.isBacklogged else { return }
        connection.isBacklogged = true
        backlog.append(.http2(connection))
    }

    /// Has a tunnel go on when it is its turn.
    mutating func delay(_ tunnel: Tunnel) {
        guard !tunnel.isBacklogged else { return }
        tunnel.isBacklogged = true
        backlog.append(.tunnel(tunnel))
    }

    /// What a turn is divided by: those in the backlog have whole ones, all others a part, so that a crowd of new
    /// connections is no more of a burden than the backlog.
    var turnDivisor: Int { isServingBacklog ? 1 : Limits.turnDivisor }

    /// Gives a turn to each in the backlog, or to as many as the pass has time for, and to one at least.
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
