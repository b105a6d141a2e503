import Core
import Model
import Routing

/// How the users of a forward action are divided among its groups.
///
/// A user's place is a hash between 0 and 1 of the key's value and the salt. The groups have the parts of that stretch
/// that their weights say, in their order: so with two groups a change of weights moves one boundary, and nobody leaves
/// the group that gets more.
///
/// Shape: made by control, one for each worker.
public final class CohortPlan: Sendable, Equatable {
    private let key: RequestHashKey
    private let salt: UInt64
    /// Hashes of pinned values, ascending, each with the place of its group in the action.
    private let pins: [Pin]

    private struct Pin: Equatable, Sendable {
        let hash: UInt64
        let group: Int
    }

    /// `cohorts` of an action with these groups, in their order.
    public init(_ cohorts: Cohorts, groups: [String]) {
        key = RequestHashKey(cohorts.key)
        var hash = FlowHash()
        hash.add(Array(cohorts.salt.utf8).span)
        salt = hash.value
        let key = key
        pins = groups.enumerated().flatMap { place, name in
            (cohorts.pins[name] ?? []).map { value in
                let address = cohorts.key == .sourceIP ? SocketAddress(literal: value, port: 0) : nil
                return Pin(hash: address.map(key.hash) ?? key.hash(ofValue: Array(value.utf8)), group: place)
            }
        }.sorted { $0.hash < $1.hash }
    }

    /// Where a request of `client` belongs: to the group with this index whatever the weights, or to the one whose part
    /// of the stretch has this place.
    func place(of request: Head, client: SocketAddress) -> (pinned: Int?, place: UInt64) {
        let hash = key.hash(request, client: client)
        var (low, high) = (0, pins.count)
        while low < high {
            let middle = (low + high) / 2
            if pins[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        if low < pins.count, pins[low].hash == hash { return (pins[low].group, 0) }
        var place = FlowHash(salt)
        place.add(hash)
        return (nil, place.value)
    }

    public static func == (left: CohortPlan, right: CohortPlan) -> Bool {
        left.key == right.key && left.salt == right.salt && left.pins == right.pins
    }
}
