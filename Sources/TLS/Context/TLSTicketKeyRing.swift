/// The ticket keys of one worker, referenced by all its server contexts.
///
/// Shape:  current key, and the one before it for tickets that are still out. Control sends both to each worker; a
///         ticket that one worker sealed opens at every other.
/// Limits: a ticket of a key that is neither is not accepted: the handshake is a full one.
///
/// `@unchecked Sendable`: control makes it and hands it to exactly one worker, the only one to read and change the keys
/// afterwards. Control may keep a reference to give it to further contexts of that worker; they look at `lifetime`.
public final class TLSTicketKeyRing: @unchecked Sendable {
    /// Seals new tickets, and opens its own.
    public private(set) var current: TLSTicketKey
    /// Opens its own tickets, which are then renewed.
    public private(set) var previous: TLSTicketKey?
    /// Seconds for which a ticket may be used, 1 to `Limits.ticketLifetimeMax`.
    public let lifetime: Int

    public init(current: TLSTicketKey, previous: TLSTicketKey? = nil, lifetime: Int) {
        self.current = current
        self.previous = previous
        self.lifetime = min(max(lifetime, 1), Limits.ticketLifetimeMax)
    }

    /// Replaces the keys, as of the next handshake.
    public func adopt(current: TLSTicketKey, previous: TLSTicketKey?) {
        self.current = current
        self.previous = previous
    }
}
