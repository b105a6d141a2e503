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
    func found(in containers: [DockerContainer]) -> FoundTargets
    /// Where this one was; nil if it was no target.
    func target(of container: DockerContainer) -> EndedTarget?
}

/// The containers of a target group.
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

    func found(in containers: [DockerContainer]) -> FoundTargets {
        var found = FoundTargets()
        for container in containers {
            do throws(ConfigErrors) {
                let target = try target(container)
                found.targets.append(Discovered.Target(target, name: container.name, identity: container.identity))
                guard container.health != .passing else { continue }
                found.containers[TargetKey(id: target.id, port: target.port ?? groupPort)] = container.health
            } catch {
                found.refusals.append(.init(name: container.name, mistake: error.first))
            }
        }
        return found
    }

    func target(of container: DockerContainer) -> EndedTarget? {
        guard let target = try? target(container) else { return nil }
        return EndedTarget(group: nil, key: TargetKey(id: target.id, port: target.port ?? groupPort))
    }

    private func target(_ container: DockerContainer) throws(ConfigErrors) -> TargetDescription {
        try container.target(by: settings, groupPort: groupPort, isDatagram: isDatagram)
    }
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

    func found(in containers: [DockerContainer]) -> FoundTargets {
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

    func target(of container: DockerContainer) -> EndedTarget? {
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
    /// What it is, which another life of it is not.
    fileprivate var identity: String { "\(id) \(startedAt)" }

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
