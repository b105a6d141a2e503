import Model
import Routing

/// The containers that a target group finds, and the targets that they are for it.
struct GroupContainers: ContainerChoice {
    let kind = "docker"
    private let settings: DockerDiscovery
    private let groupPort: Int
    private let isDatagram: Bool

    /// Those that `settings` choose for `group`.
    init(_ settings: DockerDiscovery, of group: TargetGroup) {
        self.settings = settings
        groupPort = group.port
        isDatagram = group.protocol == .udp
    }

    var labels: [String: String] { settings.allLabels }

    func wants(_ labels: [String: String]) -> Bool { settings.allLabels.allSatisfy { labels[$0.key] == $0.value } }

    /// Under which address and port `target` is known in the group.
    private func key(of target: TargetDescription) -> TargetKey {
        TargetKey(id: target.id, port: target.port ?? groupPort)
    }

    /// Of two containers at one address the one that had it comes first, so that the other one is refused and says
    /// nothing of its health.
    func found(in containers: [DockerContainer], before: [Discovered.Target]) -> FoundTargets {
        let owners = Dictionary(before.map { (key(of: $0.target), $0.identity) }) { first, _ in first }
        let addresses = Dictionary(before.map { ($0.identity, $0.target.id) }) { first, _ in first }
        let present = Set(containers.map(\.identity))
        var found = FoundTargets()
        var taken: Set<TargetKey> = []
        func add(_ container: DockerContainer, _ target: TargetDescription) {
            found.targets.append(Discovered.Target(target, name: container.name, identity: container.identity))
            guard taken.insert(key(of: target)).inserted, container.health != .passing else { return }
            found.containers[key(of: target)] = container.health
        }
        var later: [(DockerContainer, TargetDescription)] = []
        for container in containers {
            guard let target = target(container, inUse: addresses[container.identity], &found) else { continue }
            if let owner = owners[key(of: target)], owner != container.identity, present.contains(owner) {
                later.append((container, target))
            } else {
                add(container, target)
            }
        }
        for (container, target) in later { add(container, target) }
        return found
    }

    func target(of container: DockerContainer, before: [Discovered.Target]) -> EndedTarget? {
        let target = found(in: [container], before: before).targets.first?.target
        return target.map { EndedTarget(group: nil, key: key(of: $0)) }
    }

    /// The target that a container is; nil if it cannot be one. One that gets an address in another network while it
    /// runs keeps the one in use.
    private func target(
        _ container: DockerContainer, inUse address: String?, _ found: inout FoundTargets
    ) -> TargetDescription? {
        do throws(ConfigErrors) {
            return try container.target(by: settings, groupPort: groupPort, isDatagram: isDatagram)
        } catch {
            let kept = try? container.target(
                by: settings, groupPort: groupPort, isDatagram: isDatagram, inUse: address)
            let name = kept == nil ? container.name : "another address of \(container.name)"
            found.refusals.append(.init(name: name, mistake: error.first))
            return kept
        }
    }
}
