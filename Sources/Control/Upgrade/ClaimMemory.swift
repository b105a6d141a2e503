import Model
import Routing

/// What a container asks for by its labels, as a process knows it, for the one that takes over.
///
/// Shape: a value.
struct ClaimMemory: Equatable, Sendable {
    /// What it asks for.
    let claim: Claim
    /// What is said of the container.
    let health: ContainerHealth

    /// A container's claim.
    init(_ claim: Claim, health: ContainerHealth) {
        self.claim = claim
        self.health = health
    }

    /// As it is sent.
    var value: Value {
        var value: Value = [
            "container": .string(claim.container), "labels": claim.labels.encoded(), "since": .string(claim.since),
        ]
        value["found"] = claim.target.map { DiscoveredMemory($0, container: health).value }
        return value
    }

    /// What was sent; nil if it cannot be understood.
    init?(_ value: Value) {
        guard let container = value["container"]?.string, let since = value["since"]?.string,
            let labels = value["labels"].flatMap(ContainerLabels.init(encoded:))
        else { return nil }
        let found = value["found"].flatMap(DiscoveredMemory.init)
        guard found != nil || value["found"] == nil else { return nil }
        claim = Claim(container: container, labels: labels, target: found?.found, since: since)
        health = found?.container ?? .passing
    }
}
