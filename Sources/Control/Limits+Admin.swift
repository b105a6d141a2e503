import Core

/// The caps of the admin socket.
extension Limits {
    /// Clients of the admin socket at once. One more is answered 503 and closed, so that a script that forgets to close
    /// cannot use up the descriptors.
    static let adminClientsMax = 64
    /// Octets of one request body on the admin socket: room for a group with 100,000 targets. Beyond it the answer
    /// is 413.
    static let adminBodyBytesMax = 8 * 1024 * 1024
    /// Time without an octet from or to a client of the admin socket, unless it waits for our answer. Then it is
    /// closed. A minute, as a person at a keyboard needs.
    static let adminIdleTimeout: Nanoseconds = 60 * 1_000_000_000
    /// Time that a client has to take notice of the end of its connection, before it is closed whatever it still
    /// sends.
    static let adminFarewell: Nanoseconds = 2 * 1_000_000_000
    /// Octets of answer kept for a subscriber of events that does not read: some thousand events. What happens beyond
    /// them, it is told only the number of.
    static let eventBytesMax = 256 * 1024
    /// Time between two signs of life to a subscriber when nothing happens, so that both ends notice a dead one.
    static let eventHeartbeat: Nanoseconds = 15 * 1_000_000_000
    /// Events remembered for new subscribers. Older ones are forgotten.
    static let eventsKeptMax = 512
}
