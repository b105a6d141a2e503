import Core

/// The condition `source-ip`: the client's address. It holds when any of its networks has the address.
public struct SourceIPCondition: Equatable, Sendable {
    /// The networks.
    let networks: [AddressRange]

    /// A condition with these networks.
    public init(_ networks: [AddressRange]) { self.networks = networks }

    /// Whether it holds.
    func matches(_ facts: borrowing RuleFacts) -> Bool {
        for network in networks where network.contains(facts.client) { return true }
        return false
    }
}
