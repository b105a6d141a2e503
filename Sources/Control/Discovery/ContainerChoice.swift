import Model
import Routing

/// Which containers of a daemon are looked at, and what they are here.
protocol ContainerChoice: Sendable {
    /// The kind of the source, as in `docker`.
    var kind: String { get }
    /// Labels, with their values, that the daemon looks for: of others it tells nothing.
    var labels: [String: String] { get }
    /// Whether a container with these labels is wanted.
    func wants(_ labels: [String: String]) -> Bool
    /// What those are that run, in the order of their names.
    /// `before` are the targets that they were.
    func found(in containers: [DockerContainer], before: [Discovered.Target]) -> FoundTargets
    /// Where this one was; nil if it was no target.
    func target(of container: DockerContainer, before: [Discovered.Target]) -> EndedTarget?
}

/// The containers whose labels ask for requests.
struct LabelledContainers: ContainerChoice {
    let kind = "labels"
    /// Any of several labels would do, which the daemon cannot be asked for.
    let labels: [String: String] = [:]
    private let settings: LabelDiscovery

    /// Those of `settings`.
    init(_ settings: LabelDiscovery) { self.settings = settings }

    func wants(_ labels: [String: String]) -> Bool { ContainerLabels.areIn(labels.keys) }

    func found(in containers: [DockerContainer], before: [Discovered.Target]) -> FoundTargets {
        var found = FoundTargets()
        for container in containers {
            do throws(ConfigErrors) {
                guard let claim = try claim(of: container) else { continue }
                found.claims.append(.init(claim: claim, health: container.health))
            } catch {
                for mistake in error.all.prefix(Model.Limits.labelMistakesMax) {
                    found.refusals.append(.init(name: container.name, mistake: mistake))
                }
            }
        }
        return found
    }

    func target(of container: DockerContainer, before: [Discovered.Target]) -> EndedTarget? {
        guard let claim = (try? claim(of: container)) ?? nil, let target = claim.target?.target, let port = target.port
        else { return nil }
        return EndedTarget(group: claim.group, key: TargetKey(id: target.id, port: port))
    }

    private func claim(of container: DockerContainer) throws(ConfigErrors) -> Claim? {
        guard let labels = try container.request.get() else { return nil }
        var target = try container.target(by: settings, port: labels.port)
        target.weight = labels.weight
        return Claim(
            container: container.name, labels: labels,
            target: Discovered.Target(target, name: container.name, identity: container.identity),
            since: container.startedAt.hasSuffix("Z") ? String(container.startedAt.dropLast()) : container.startedAt)
    }
}

extension DockerContainer {
    /// The target that it is by its labels, at `port` or the one that it exposes.
    ///
    /// Errors: what it lacks, and what to do about it.
    fileprivate func target(by settings: LabelDiscovery, port: Int?) throws(ConfigErrors) -> TargetDescription {
        let ports = exposedPorts("tcp")
        guard let port = port ?? (ports.count == 1 ? ports[0] : nil) else {
            throw ConfigErrors(
                ConfigError(
                    expected: "a container must have the label apus.port, or expose one port",
                    found: ports.isEmpty
                        ? "neither" : "the ports \(ports.sorted().prefix(8).map(String.init).joined(separator: ", "))",
                    remedy: "Write the one to use, as in apus.port=\(ports.min() ?? 8080)."))
        }
        var choice = DockerDiscovery()
        (choice.port, choice.address, choice.network) = (.number(port), settings.address, settings.network)
        return try target(by: choice, groupPort: port, isDatagram: false)
    }
}
