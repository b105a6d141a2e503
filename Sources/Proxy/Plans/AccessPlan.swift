import Core
import Telemetry

/// Which clients a listener takes, by their addresses.
///
/// Shape:  the sets are the same objects for all workers, since each new connection reads them once; the counters are
///         the worker's own.
public final class AccessPlan: Sendable {
    private let allowed: AddressSet?
    private let denied: AddressSet?
    /// Whom it has not taken.
    public let denials: DenialCounters

    /// Takes those in `allowed`, or all without it, but for those in `denied`.
    public init(allowed: AddressSet?, denied: AddressSet?, denials: DenialCounters) {
        self.allowed = allowed
        self.denied = denied
        self.denials = denials
    }

    /// Whether a client with this address is taken.
    public func admits(_ client: SocketAddress) -> Bool {
        if denied?.contains(client) ?? false { return false }
        return allowed?.contains(client) ?? true
    }
}

/// What one worker counts of the clients that a listener does not take.
public final class DenialCounters: Sendable {
    /// Connections that were reset.
    public let connections = Counter()
    /// Datagrams that were dropped.
    public let datagrams = Counter()
    /// The client that was denied last.
    public let lastClient = SharedAddress()

    /// None so far.
    public init() {}
}
