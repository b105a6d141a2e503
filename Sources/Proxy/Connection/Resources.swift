import Core
import RegularExpressions
import TLS
import Telemetry

/// The resources of a thread that transports, sides and protocol sessions use: memory, time and counters.
///
/// A worker has one, and so has every other thread that drives a `Transport`, such as control for health checks. Code
/// that takes `Resources` does not depend on `Worker`, and can be tested without one.
///
/// Shape:  owned by one thread and passed `inout`. The buffers and heads in it serve one call after the other: nothing
///         is kept in them when a call returns.
/// Limits: `buffers` counts what is held against `bufferBytesMax`; its owner acts when that is exceeded.
package struct Resources: ~Copyable {
    /// What is counted.
    package let counters: WorkerCounters
    /// One reading of the clock for everything that is done until the next: its owner takes it after each wait.
    package var now: Instant
    /// Buffers for what waits.
    package var buffers: BufferPool
    /// Where all TLS sessions of the thread read and write.
    package let wire = TLSWire()
    /// Where regular expressions are matched.
    let matchSpace = MatchSpace()
    /// Ciphertext that is just being opened.
    let ciphertext = Buffer(capacity: Core.Limits.largeBufferBytes)
    /// Free heads.
    let heads = HeadPool()
    /// A response head is read, changed and written within one turn, so one serves all exchanges.
    var response = Head()
    /// The same for the trailers of either direction.
    var trailers = Head()
    /// HTTP/2 frames that were just read, of whichever connection.
    let frames = Buffer(capacity: Core.Limits.largeBufferBytes)
    /// HTTP/2 connections that have frames to write at the end of the pass, for their owner to drain.
    var dirtyConnections: [HTTP2Connection] = []
    /// Clients' sides for which something has come that is acted on in the next pass, for their owner to drain.
    var deferredClients: [ClientSide] = []
    /// Streams that are just being given another chance to write (`HTTP2Connection.resumeBlocked`). It swaps its memory
    /// with a connection's list: emptying a list while another name holds it would cost an allocation.
    var resumingStreams: [Side] = []

    /// `bufferBytesMax` is the budget of all buffers together.
    package init(counters: WorkerCounters, bufferBytesMax: Int, now: Instant) {
        self.counters = counters
        self.now = now
        buffers = BufferPool(bytesMax: bufferBytesMax)
    }

    /// Has a connection's frames written at the end of the pass.
    mutating func markDirty(_ connection: HTTP2Connection) {
        guard !connection.isDirty, !connection.isClosed else { return }
        connection.isDirty = true
        dirtyConnections.append(connection)
    }

    /// Resumes a client's side in the next pass.
    mutating func deferToNextPass(_ client: ClientSide) {
        guard !client.isDeferred else { return }
        client.isDeferred = true
        deferredClients.append(client)
    }

    func countReceived(from otherSide: Transport.OtherSide, _ count: Int) {
        switch otherSide {
        case .client: counters.clientBytesReceived.add(UInt64(count))
        case .target: counters.targetBytesReceived.add(UInt64(count))
        }
    }

    func countSent(to otherSide: Transport.OtherSide, _ count: Int) {
        switch otherSide {
        case .client: counters.clientBytesSent.add(UInt64(count))
        case .target: counters.targetBytesSent.add(UInt64(count))
        }
    }

    /// Counts why a TLS connection failed.
    func countTLSFailure(_ failure: TLSFailure, at otherSide: Transport.OtherSide) {
        let reason = TLSFailureReason(failure)
        switch otherSide {
        case .client: counters.tlsFailures.add(reason)
        case .target: counters.targetTLSFailures.add(reason)
        }
    }
}
