import Core

/// What the data plane caps, why, and what happens at the cap. Message sizes are in `HTTP1.Limits`.
enum Limits {
    /// Connections accepted per ready listener and pass. More wait in the kernel, so that those already here have
    /// their turn.
    static let acceptsPerTurnMax = 64
    /// Pause of a listener when no descriptor is left. Until then the kernel queues; nothing spins.
    static let acceptPause = Nanoseconds(100_000_000)
    /// Bytes that the header changes of a rule may add to a request, and as many to its response: each of 32 may hold
    /// the whole query. A response head of 32 KiB, these, and what a listener sets have to fit a buffer. Beyond it: 500
    /// `HeaderChangesTooLong`.
    static let fieldChangesBytesMax = 8 * 1024
    /// Requests of one connection answered in one turn. A client that pipelines more waits for the next pass.
    static let requestsPerTurnMax = 32
    /// Tokens that `Worker.arrivals` holds beyond twice the connections that there are, before it is cleaned.
    static let arrivalsSlack = 1024
    /// From one walk through all connections, for those that may make room, to the next: 10 ms. A walk takes less than
    /// one, so that clients that cause such walks cost less than a tenth of the worker.
    static let walkInterval = Nanoseconds(10_000_000)
    /// A client connection has at most this part of the descriptors that are left for further connections to targets.
    static let targetShareDivisor = 4
    /// This part of all descriptors is kept for clients to come.
    static let descriptorReserveDivisor = 4
    /// For how long a client must have taken nothing of its response before its exchange may end for want of
    /// descriptors.
    static let stalledTime = Nanoseconds(1_000_000_000)
    /// Such exchanges that end at once. More would be more than is needed.
    static let stalledPerWalkMax = 64
    /// Bytes of requests that one HTTP/1 connection brings in one turn, a body's included. A head costs as much as
    /// several small requests. The rest waits for the next pass.
    static let requestBytesPerTurnMax: UInt64 = 512 * 1024
    /// Reads of one connection in one turn that are thrown away, since its client was answered and is to close.
    static let readsPerTurnMax = 16
    /// Turns that an HTTP/2 connection has at once when it takes nothing any more: what came before it broke counts,
    /// and fits in what a kernel holds.
    static let lastTurnsMax = 64
    /// Requests on one HTTP/2 connection; then GOAWAY, and the client opens another. Bounds what a connection gathers.
    static let http2RequestsMax = 10_000
    /// How long after the first GOAWAY the second follows, if the client does not acknowledge the PING between them.
    static let goAwayTime = Nanoseconds(1_000_000_000)
    /// Silence of a target after which an HTTP/2 connection is asked for a sign of life, if something was written to it
    /// and nothing came back. A dead host is found earlier, by what it does not acknowledge; this is for programs that
    /// stand still.
    static let targetSilenceMax = Nanoseconds(10_000_000_000)
    /// How long the answer to such a PING may take. Then the target is suspect, and no new stream is opened there.
    static let pingTimeout = Nanoseconds(5_000_000_000)
    /// From one such PING to the next, at least. Servers of gRPC end connections that ask more often.
    /// Source: gRPC proposal A8, "Client-side Keepalive", server enforcement.
    static let pingInterval = Nanoseconds(300_000_000_000)
    /// How often one request may be given back by connections that its target ends, without that counting as an
    /// attempt. nginx ends each after so many requests, and many may be on their way.
    static let retirementsMax = 8
    /// HTTP/2 connections to one target for one name, of one worker. Reason: a target that allows one stream on each is
    /// given as many connections as there are requests, but not all descriptors. Beyond, requests wait.
    static let http2ConnectionsPerTargetMax = 1024
    /// From one connection to the next that is opened to an HTTP/2 target which allows no streams: it may allow some on
    /// another one.
    static let emptyConnectionInterval = Nanoseconds(1_000_000_000)
    /// For how long a host may keep back the acknowledgement of what it has read. Source: RFC 9293 §3.8.6.3.
    static let acknowledgementDelayMax = Nanoseconds(500_000_000)
    /// From a target's FIN to the first look at whether its kernel acknowledges a request that was on its way then: a
    /// round trip of a near network. Each further look takes twice as long.
    static let acknowledgementLookInterval = Nanoseconds(1_000_000)
    /// For how many times `AttemptSettings.unacknowledgedMax` a request that must not be repeated waits for a target
    /// whose kernel acknowledges nothing. Then 504.
    static let unacknowledgedWaits: UInt64 = 10
    /// What is relayed of one body or tunnel in one turn: 1 MiB, and fewer if they come in small pieces. A fast pair of
    /// sockets must not keep the others waiting.
    static let relayWorkPerTurnMax = 1 << 20
    /// How many bytes the work for a piece of a body equals, such as a chunk: it is decoded and framed again.
    static let relayWorkPerPiece = 256
    /// By how much a turn is shorter for a connection that is not in the backlog: a connection with more work goes
    /// there.
    static let turnDivisor = 8
    /// Attempts in a row that a target may send away on one worker before it is suspect. Reason: one may be for the
    /// name that its client has asked for; a target that answers others in between is never suspect for it.
    static let rejectionsInARow = 3
    /// By how much later a request may have come than the oldest one that waits for a target, and go before it because
    /// it is on the worker that has freed the slot: 1 ms. Reason: to wake another worker for every slot costs more than
    /// that order is worth.
    static let queueOrderTolerance = Nanoseconds(1_000_000)
    /// How many that wait are looked at for one that has not tried the target with the free slot. Reason: each is a
    /// step for every slot that is freed; beyond them the oldest goes.
    static let queueLooksMax = 8
    /// For how long the connections in the backlog are served in one pass: 4 ms. Those with little to do wait for no
    /// more than that.
    static let backlogTimePerPass = Nanoseconds(4_000_000)
    /// Bytes up to which a piece of a body is copied behind the head, so that one write sends both. Above it the
    /// piece is written from where it lies: the copy would cost more than the second iovec.
    static let copiedBytesMax = 8 * 1024
    /// How long a connection that was answered early is read and thrown away, so that the answer is not lost to a
    /// reset that the unread rest of the request would cause. RFC 9112 §9.6.
    static let lingerTime = Nanoseconds(2_000_000_000)
    /// Flows of datagrams that end in one pass because they are idle: 256, each with a socket to close and a line to
    /// write. A flood leaves thousands that end together, and others should not wait for all of them.
    static let flowsExpiredPerTurnMax = 256
    /// How long a connection's timer rests at least before it fires again: a millisecond.
    static let timerPause = Nanoseconds(1_000_000)
    /// Bytes thrown away while lingering: 16 MiB, more than both kernels hold of a request that is being sent when its
    /// answer comes. Then the connection is closed.
    static let lingerBytesMax = 16 * 1024 * 1024
    /// How often control is told that a target takes no connections, or fails requests in a row: once a second, as
    /// often as checks can be made.
    static let connectWarningInterval = Nanoseconds(1_000_000_000)
    /// Batches of datagrams that are read from one listener in one turn. The rest makes another event.
    static let datagramBatchesPerTurnMax = 8
    /// What a flow of datagrams is charged with: the object, its places in tables, its log record.
    static let datagramFlowBytes = 512
    /// Bytes that may wait for a client when an interim response is passed on: 24 KiB, so that the final head still
    /// fits behind it, with the fields that a listener sets (ten of 1 KiB). Beyond it the interim response, which is
    /// only advice, is left out.
    static let interimBytesMax = 24 * 1024
    /// Interim responses relayed per exchange. A target that sends more is broken: 502.
    static let interimResponsesMax = 16
    /// Addresses in X-Forwarded-For. More get 463, as ALB answers. Source: docs/elbv2.md, "HTTP connections".
    static let forwardedAddressesMax = 30
    /// Bytes of X-Amzn-Trace-Id. Above it only Root is kept. Source: docs/elbv2.md, "Header fields".
    static let traceBytesMax = 7 * 1024
    /// Seconds after which browsers forget a cookie of stickiness that they did not get again: seven days, as those of
    /// ALB. For how long it counts, the configuration says, and Apus looks at. Source: docs/stickiness.md.
    static let cookieSeconds: UInt64 = 604_800
    /// Seconds for which a client may resume a session: a day, the time for which its ticket's key is kept by default.
    static let ticketLifetimeSeconds = 86_400
    /// Bytes of the buffer for a request's head that stay free when a client's certificate is put into it. A chain
    /// that does not fit is left out.
    static let fieldRoomBytes = 1024
    /// How long an idle client connection may still bring a request after the worker was told to finish.
    static let finishIdleTime = Nanoseconds(1_000_000_000)
    /// Exchanges kept for reuse with their arenas; more go back to the allocator.
    static let freeExchangesMax = 256
    /// Bytes of arena and field table up to which an exchange is kept for reuse: 16 KiB. One giant head must not stay.
    static let freeExchangeBytesMax = 16 * 1024
}
