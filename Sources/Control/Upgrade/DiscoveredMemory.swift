import Model
import Routing

/// What a process has from the source of a group, for the one that takes over: the target with its names, and what is
/// said of its container.
///
/// Shape: a value. What a target's health is stands in its `TargetMemory`.
struct DiscoveredMemory: Equatable, Sendable {
    /// The target, as its source has named it.
    let found: Discovered.Target
    /// What is said of its container.
    let container: ContainerHealth

    /// What was found.
    init(_ found: Discovered.Target, container: ContainerHealth) {
        self.found = found
        self.container = container
    }

    /// As it is sent.
    var value: Value {
        var value: Value = [
            "target": found.target.encoded(), "name": .string(found.name), "identity": .string(found.identity),
        ]
        switch container {
        case .passing: break
        case .starting: value["container"] = "starting"
        case .unhealthy: value["container"] = "unhealthy"
        }
        return value
    }

    /// What was sent; nil if it cannot be understood.
    init?(_ value: Value) {
        guard let sent = value["target"], let target = try? TargetDescription.list([sent]).first,
            let name = value["name"]?.string, let identity = value["identity"]?.string
        else { return nil }
        found = Discovered.Target(target, name: name, identity: identity)
        let known: [String: ContainerHealth] = ["starting": .starting, "unhealthy": .unhealthy]
        container = known[value["container"]?.string ?? ""] ?? .passing
    }
}
