import Model
import Routing

/// What is known of the containers of a source before their daemon was heard.
struct ContainerMemory {
    /// The targets that are in force; with a port, or that of their group.
    var targets: [DiscoveredMemory] = []
    /// What is in force of what containers ask for by their labels.
    var claims: [FoundTargets.FoundClaim] = []
    /// The containers that were told to end, with when they were started; see `DockerSource`.
    var ending: [String: String] = [:]
    /// The port of targets that have none of their own.
    var groupPort = 0

    /// Of which containers that is.
    var containerIDs: Set<String> {
        Set(targets.map(\.found.containerID) + claims.compactMap { $0.claim.target?.containerID })
    }

    /// The same, with when they were started.
    var identities: Set<String> { Set(targets.map(\.found.identity) + claims.compactMap { $0.claim.target?.identity }) }

    /// Where the container with this id is; nil if that is not known.
    func place(of id: String) -> EndedTarget? {
        if let one = targets.first(where: { $0.found.containerID == id }) {
            return EndedTarget(group: nil, key: key(of: one.found.target))
        }
        guard let claim = claims.first(where: { $0.claim.target?.containerID == id })?.claim,
            let target = claim.target?.target
        else { return nil }
        return EndedTarget(group: claim.group, key: key(of: target))
    }

    fileprivate func key(of target: TargetDescription) -> TargetKey {
        TargetKey(id: target.id, port: target.port ?? groupPort)
    }
}

extension FoundTargets {
    /// Adds what `memory` has of those containers whose id `isKept`.
    mutating func add(_ memory: ContainerMemory, where isKept: (String) -> Bool) {
        for one in memory.targets where isKept(one.found.containerID) {
            targets.append(one.found)
            if one.container != .passing { containers[memory.key(of: one.found.target)] = one.container }
        }
        claims += memory.claims.filter { $0.claim.target.map { isKept($0.containerID) } ?? false }
    }
}

extension DockerContainer {
    /// What it is, which another life of it is not.
    var identity: String { "\(id) \(startedAt)" }
}

extension Discovered.Target {
    /// The id of the container that it is, if it is one.
    var containerID: String { String(identity.prefix { $0 != " " }) }
}
