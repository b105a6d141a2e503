import Core

/// The condition `source-ip` with `ipAddressType`: the family of the client's address.
public struct SourceFamilyCondition: Equatable, Sendable {
    private let family: SocketAddress.Family

    /// A condition with this family.
    public init(_ family: SocketAddress.Family) { self.family = family }

    /// Whether it holds.
    func matches(_ facts: borrowing RuleFacts) -> Bool { facts.client.family == family }
}
