import Core
import HTTP1
import HTTP2
import Telemetry

/// HTTP/2 connections in a worker's turns: reading and handling frames, and writing at the end of the pass.
extension Worker {
    /// Reads and handles frames until nothing is left to read or the turn is over.
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

    /// Passes bytes that were read to the connection's session and handles the events that result.
    mutating func takeFrames(_ input: Span<UInt8>, _ connection: HTTP2Connection) {
        let takenCount = connection.takeFrames(input, &resources)
        handleEvents(of: connection, input)
        if !connection.blocked.isEmpty { connection.resumeBlocked(&resources) }
        resources.markDirty(connection)
        connection.keepUnread(input.extracting(takenCount...), &resources)
    }

    /// Handles the session's events since the last call. `input` is what was last passed to the session.
    private mutating func handleEvents(of connection: HTTP2Connection, _ input: Span<UInt8>) {
        switch connection.role {
        case .client(let client): handleEvents(of: client, input)
        case .target(let target): handleEvents(of: target, input)
        }
    }

    /// Ends a connection that the other side has ended or broken, with all its streams.
    mutating func endConnection(_ connection: HTTP2Connection) {
        switch connection.role {
        case .client(let client): endConnection(client)
        case .target(let target): endConnection(target)
        }
    }

    /// Has every connection write that has frames to send.
    mutating func flushDirtyConnections() {
        guard !resources.dirtyConnections.isEmpty else { return }
        // The lists are swapped: emptying a list that is referenced twice would allocate.
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

    /// The connection can no longer be written to. What arrived before it broke is still read: a GOAWAY tells which
    /// requests were never processed and may be sent again.
    private mutating func readLast(_ connection: HTTP2Connection) {
        connection.transport.isReadable = true
        for _ in 0..<Limits.lastTurnsMax where connection.mayRead && !connection.isClosed { serve(connection) }
        endConnection(connection)
    }

    /// Releases what a connection holds, and closes its socket.
    mutating func releaseConnection(_ connection: HTTP2Connection, reset: Bool = false) {
        timers.cancel(connection.transport.token)
        slab.remove(connection.transport.token)
        connection.close(reset: reset, &resources)
        reserve.restore()
    }
}
