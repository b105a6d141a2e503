import Core

/// The caps of the admin socket.
extension Limits {
    /// Clients of the admin socket at once. One more is answered 503 and closed, so that a script that forgets to close
    /// cannot use up the descriptors.
    static let adminClientsMax = 64
    /// Bytes of one request body on the admin socket: room for a group with 100,000 targets. Beyond it the answer
    /// is 413.
    static let adminBodyBytesMax = 8 * 1024 * 1024
    /// Time without a byte from or to a client of the admin socket, unless it waits for our answer. Then it is
    /// closed. A minute, as a person at a keyboard needs.
    static let adminIdleTimeout: Nanoseconds = 60 * 1_000_000_000
    /// Time that a client has to end its direction after we have ended ours: 2 s. Then the connection is closed,
    /// whatever it still sends.
    static let adminDrainTime: Nanoseconds = 2 * 1_000_000_000
    /// Waits for healthy targets at once. Each ends with the client that asked for it, so the socket's clients cannot
    /// bring about more than there may be of them; one more is answered 503.
    static let healthWaitsMax = 256
    /// Time that a registration waits for healthy targets if it does not say how long: two checks at the interval that
    /// Elastic Load Balancing has. Then the answer says what is wrong.
    static let healthWaitSeconds: Double = 60
    /// The longest time that a registration may ask to wait: an hour, as the longest deregistration delay.
    static let healthWaitSecondsMax: Double = 3600
    /// Clients of `admin.metrics` at once. Scrapers are few; each may hold a whole page that it does not read. At the
    /// cap the one that has been waited for longest is closed, so that silent clients cannot block a scraper; and
    /// counted.
    static let metricsClientsMax = 16
    /// Connections to `admin.metrics` that the kernel queues; beyond it their SYNs are dropped.
    static let metricsBacklog: Int32 = 64
    /// Time in which a client of `admin.metrics` must have sent its next request, and then taken the answer: longer
    /// than the 15 s that scrapers often pause. It is not put off by single bytes. Then it is closed, and counted.
    static let metricsTimeout: Nanoseconds = 20 * 1_000_000_000
    /// A page of metrics is shared by all clients over TCP for this many times the time that rendering it took.
    static let metricsPageShare: Nanoseconds = 9
    /// Clients that are accepted in one pass. More wait for the next, so that one that reconnects all the time does not
    /// keep the control thread from the rest.
    static let adminAcceptsMax = 64
    /// The same at `admin.metrics`: a quarter of its limit, so that no client is replaced by others of the same pass.
    static let metricsAcceptsMax = 4
    /// Steps that are made for one client in one pass: reads, and looks at what was read. The rest waits for the next.
    static let adminStepsPerTurnMax = 64
    /// Bytes of answer kept for a subscriber of events that does not read: some thousand events. Beyond it, events are
    /// dropped and only their number is reported.
    static let eventBytesMax = 256 * 1024
    /// Time between two signs of life to a subscriber when nothing happens, so that both ends notice a dead one.
    static let eventHeartbeat: Nanoseconds = 15 * 1_000_000_000
    /// Events remembered for new subscribers. Older ones are forgotten.
    static let eventsKeptMax = 512
}
