/// Which load balancer binds which address and port.
///
/// Shape: `0.0.0.0` stands for every IPv4 address and `::` for every IPv6 address, so each of them collides with every
///        address of its family. Our IPv6 sockets take no IPv4 connections, so the two families do not collide.
struct BoundPorts {
    private struct Place: Hashable {
        let address: String
        let port: Int
    }

    /// The listener that binds a port on an address.
    struct Owner {
        /// The address.
        let address: String
        /// Name of the load balancer.
        let loadBalancer: String
        /// The protocol of its listener.
        let `protocol`: TrafficProtocol
    }

    /// A port that two listeners would bind on the same address.
    struct Conflict {
        /// The address that was to be bound.
        let address: String
        /// The listener that binds it already.
        let owner: Owner
    }

    private var owners: [Place: Owner] = [:]
    /// The first owner of a port on any address of a family, by the family's unspecified address.
    private var firstOfFamily: [Place: Owner] = [:]

    /// Binds a listener's port on each address; returns the conflict on the first address where the port is bound
    /// already.
    mutating func bind(_ listener: Listener, on addresses: [String], for loadBalancer: String) -> Conflict? {
        var conflict: Conflict?
        for address in addresses {
            let place = Place(address: address, port: listener.port)
            let family = Place(address: Self.unspecified(like: address), port: listener.port)
            if let other = place == family ? firstOfFamily[family] : owners[place] ?? owners[family] {
                conflict = conflict ?? Conflict(address: address, owner: other)
                continue
            }
            let owner = Owner(address: address, loadBalancer: loadBalancer, protocol: listener.protocol)
            owners[place] = owner
            if firstOfFamily[family] == nil { firstOfFamily[family] = owner }
        }
        return conflict
    }

    /// A clause that explains why two different addresses collide: one of them is unspecified. Nil if they are equal or
    /// do not collide.
    static func inclusion(_ first: String, _ second: String) -> String? {
        guard first != second else { return nil }
        for (whole, part) in [(first, second), (second, first)] where whole == unspecified(like: part) {
            return "\(whole) is every \(part.contains(":") ? "IPv6" : "IPv4") address, so \(part) as well"
        }
        return nil
    }

    /// The address that stands for all of the family of `address`, which is in its canonical form.
    private static func unspecified(like address: String) -> String { address.contains(":") ? "::" : "0.0.0.0" }
}
