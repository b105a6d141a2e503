import Core
import HTTP1
import HTTP2
import Telemetry

/// HTTP/2 connections in a worker's turns: reading what has come and acting on it, and writing at the end of the pass.
extension Worker {
    /// Reads and acts as long as there is something and the turn is not over.
    mutating func serve(_ connection: HTTP2Connection) {
        connection.session.beginTurn(HTTP2.Limits.turnWorkMax / turnDivisor)
        if let unread = connection.unread.take() {
            takeFrames(unread.bytes, connection)
            resources.buffers.release(unread)
        }
        let input = resources.frames
        while !connection.session.isTurnOver {
            guard !connection.isClosed, !connection.isFailed else { return }
            input.removeAll()
            switch connection.transport.receive(into: input, &resources) {
            case .got: takeFrames(input.bytes, connection)
            case .nothing: return resources.markDirty(connection)
            case .ended, .failed: return endConnection(connection)
            }
        }
        delay(connection)
        resources.markDirty(connection)
    }

    /// Hands bytes that were read to the connection's session and acts on what it makes of them.
    mutating func takeFrames(_ input: Span<UInt8>, _ connection: HTTP2Connection) {
        let takenCount = connection.takeFrames(input, &resources)
        handleEvents(of: connection, input)
        if !connection.blocked.isEmpty { connection.resumeBlocked(&resources) }
        resources.markDirty(connection)
        connection.keepUnread(input.extracting(takenCount...), &resources)
    }

    /// Acts on what the session says since it was asked last. `input` is what was handed to it last.
    private mutating func handleEvents(of connection: HTTP2Connection, _ input: Span<UInt8>) {
        switch connection.role {
        case .client(let client): handleEvents(of: client, input)
        case .target(let target): handleEvents(of: target, input)
        }
    }

    /// The other side has ended or broken the connection: so do all its streams.
    mutating func endConnection(_ connection: HTTP2Connection) {
        switch connection.role {
        case .client(let client): endConnection(client)
        case .target(let target): endConnection(target)
        }
    }

    /// Has every connection write that has something to say.
    mutating func flushDirtyConnections() {
        guard !resources.dirtyConnections.isEmpty else { return }
        // The lists change places: emptying one that has another name costs an allocation.
        swap(&resources.dirtyConnections, &flushingConnections)
        for index in flushingConnections.indices {
            let connection = flushingConnections[index]
            connection.isDirty = false
            if !connection.isClosed { writeFrames(of: connection) }
        }
        flushingConnections.removeAll(keepingCapacity: true)
    }

    private mutating func writeFrames(of connection: HTTP2Connection) {
        let result = connection.writeFrames(&resources)
        if result == .failed { return readLast(connection) }
        let nothing = InlineArray<0, UInt8>(repeating: 0)
        handleEvents(of: connection, nothing.span)
        if result == .done && connection.isFull { connection.resumeBlocked(&resources) }
        guard !connection.isClosed else { return }
        switch connection.role {
        case .client(let client): finishTurn(client)
        case .target(let target): finishTurn(target)
        }
    }

    /// The connection takes nothing any more. What came before it broke still counts: a GOAWAY tells which requests
    /// were never seen, and may be sent again.
    private mutating func readLast(_ connection: HTTP2Connection) {
        connection.transport.isReadable = true
        for _ in 0..<Limits.lastTurnsMax where connection.mayRead && !connection.isClosed { serve(connection) }
        endConnection(connection)
    }

    /// Gives back what a connection has, and closes its socket.
    mutating func releaseConnection(_ connection: HTTP2Connection, reset: Bool = false) {
        timers.cancel(connection.transport.token)
        slab.remove(connection.transport.token)
        connection.close(reset: reset, &resources)
        reserve.restore()
    }
}
