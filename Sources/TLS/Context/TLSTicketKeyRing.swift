/// The ticket keys of one worker, referenced by all its server contexts.
///
/// Shape:  the current key, and the previous one for tickets that are still in use. Control sends both to each worker,
///         so that a ticket of one worker is accepted by every other.
/// Limits: a ticket of any other key is ignored, and a full handshake follows.
///
/// `@unchecked Sendable`: control creates it and passes it to exactly one worker, which alone reads and changes the
/// keys afterwards. Control may keep a reference for further contexts of that worker, which read `lifetime`.
public final class TLSTicketKeyRing: @unchecked Sendable {
    /// Encrypts new tickets, and decrypts its own.
    public private(set) var current: TLSTicketKey
    /// Decrypts its own tickets, which are then renewed.
    public private(set) var previous: TLSTicketKey?
    /// Seconds during which a ticket may be used, 1 to `Limits.ticketLifetimeMax`.
    public let lifetime: Int

    public init(current: TLSTicketKey, previous: TLSTicketKey? = nil, lifetime: Int) {
        self.current = current
        self.previous = previous
        self.lifetime = min(max(lifetime, 1), Limits.ticketLifetimeMax)
    }

    /// Replaces the keys, from the next handshake on.
    public func adopt(current: TLSTicketKey, previous: TLSTicketKey?) {
        self.current = current
        self.previous = previous
    }
}
