import Core
import Model
import Proxy

/// Compiles the lists of addresses of listeners. What several listeners say alike is compiled once.
///
/// Shape: one object for each document.
final class AccessCompiler {
    private let document: Document
    private var sets: [[AddressEntry]: AddressSet] = [:]

    /// Compiles what stands in `document`.
    init(_ document: Document) { self.document = document }

    /// Which clients `listener` takes, for each worker, whose counters are those of `last` if there are some. Nil for
    /// all clients.
    func plans(of listener: Listener, last: [DenialCounters], workers: Int) -> [AccessPlan]? {
        guard listener.allow != nil || listener.deny != nil else { return nil }
        let allowed = listener.allow.map(set), denied = listener.deny.map(set)
        let denials = last.isEmpty ? (0..<workers).map { _ in DenialCounters() } : last
        return denials.map { AccessPlan(allowed: allowed, denied: denied, denials: $0) }
    }

    private func set(of entries: [AddressEntry]) -> AddressSet {
        if let set = sets[entries] { return set }
        let set = AddressSet(document.networks(of: entries).map(AddressRange.init))
        sets[entries] = set
        return set
    }
}

/// What a listener's lists of addresses have done.
struct DenialFigures: Equatable {
    /// The listener.
    let name: Name
    /// Connections that were reset.
    var connections: UInt64
    /// Datagrams that were dropped.
    var datagrams: UInt64
    /// A client that was denied; one of the last, if there are several workers.
    var client: SocketAddress?

    /// What names a listener.
    struct Name: Hashable {
        let loadBalancer: String
        let port: Int
    }

    /// These figures of one listener.
    init(name: Name, connections: UInt64, datagrams: UInt64, client: SocketAddress?) {
        self.name = name
        self.connections = connections
        self.datagrams = datagrams
        self.client = client
    }

    /// What workers have counted of a listener at one of its addresses.
    init(_ key: ListenerKey, _ denials: [DenialCounters]) {
        name = Name(loadBalancer: key.loadBalancer, port: Int(key.address.port))
        connections = denials.reduce(0) { $0 &+ $1.connections.value }
        datagrams = denials.reduce(0) { $0 &+ $1.datagrams.value }
        client = denials.lazy.compactMap { $0.lastClient.value }.first
    }

    /// One for each listener, whatever addresses it has, in the order of their names.
    static func byListener(_ figures: [DenialFigures]) -> [DenialFigures] {
        let sums = figures.reduce(into: [Name: DenialFigures]()) { sums, one in
            guard var sum = sums[one.name] else { return sums[one.name] = one }
            sum.connections &+= one.connections
            sum.datagrams &+= one.datagrams
            sum.client = sum.client ?? one.client
            sums[one.name] = sum
        }
        return sums.values.sorted { ($0.name.loadBalancer, $0.name.port) < ($1.name.loadBalancer, $1.name.port) }
    }
}
