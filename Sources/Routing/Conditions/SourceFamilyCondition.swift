import Core

/// The condition `source-ip` with `ipAddressType`: the family of the client's address.
public struct SourceFamilyCondition: Equatable, Sendable {
    /// All addresses of the family.
    let network: AddressRange

    /// A condition with this family.
    public init(_ family: SocketAddress.Family) { network = AddressRange(all: family) }

    /// Whether it holds.
    func matches(_ facts: borrowing RuleFacts) -> Bool { network.contains(facts.client) }
}
