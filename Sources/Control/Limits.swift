/// What Control caps, why, and what happens at the cap.
public enum Limits {
    // The admin socket.

    /// Clients of the admin socket at once. One more is answered 503 and closed, so that a script that forgets to close
    /// cannot use up the descriptors.
    static let adminClientsMax = 64
    /// Octets of one request body on the admin socket: a document with 50,000 targets. Beyond it the answer is 413.
    static let adminBodyBytesMax = 8 * 1024 * 1024
    /// Nanoseconds without an octet from or to a client of the admin socket, unless it waits for us. Then it is closed.
    static let adminIdleTimeout: UInt64 = 60 * 1_000_000_000
    /// Octets of answer kept for a subscriber of events that does not read. What happens beyond it, it is told only
    /// the number of.
    static let eventBytesMax = 256 * 1024
    /// Nanoseconds between two signs of life to a subscriber when nothing happens, so that both ends notice a dead one.
    static let eventHeartbeat: UInt64 = 15 * 1_000_000_000
    /// Events remembered for new subscribers. Older ones are forgotten.
    static let eventsKeptMax = 512
}
