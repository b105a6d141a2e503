import Core
import Logging
import Model
import Proxy
import Routing

/// What a source is followed for.
enum DiscoverySubject: Hashable, Comparable {
    /// What containers ask for by their labels.
    case labels
    /// The targets of a group.
    case group(String)

    /// The name of the group; nil if it is for no one group.
    var group: String? { if case .group(let name) = self { name } else { nil } }

    /// As logs name it.
    var text: String { group ?? "labels" }
}

/// What routes of the admin socket and the metrics see of discovery.
struct DiscoveryStatus {
    /// The group; nil for the labels of containers.
    let group: String?
    /// What kind of source it has.
    let kind: String
    /// Where that is.
    let place: String
    /// What was heard of it.
    let record: SourceRecord
    /// What it has named; until it has spoken, what another process had heard of it.
    let targets: [Discovered.Target]
    /// How many there are, those that ask by their labels among them.
    var count: Int { targets.count + (record.found?.claims.count ?? 0) }
    /// What was heard and is not used, with the reason.
    let refusals: [FoundTargets.Refusal]
}

/// Follows the sources of all groups that have discovery, and puts in force what they say: all that is heard within
/// `Limits.discoveryBatchTime` at once, in turn with the changes.
///
/// What a source says is a layer of the document (`Discovered`), which no failure takes anything from: only another
/// answer of the source does. A target that cannot be one is refused alone.
///
/// Shape:  one object of the control thread; a source for each group and one for labels, made and ended as documents
///         come into force.
/// Limits: `Model.Limits.discoveringGroupsMax` groups.
final class TargetDiscovery: DiscoveryObserver, PublicationObserver {
    /// What a source was made of.
    private enum Settings: Equatable {
        case group(Discovery, port: Int)
        case labels(socket: String, DockerDiscovery.Address, network: String?)
    }

    /// A source.
    private struct Follow {
        /// What it was made of.
        let settings: Settings
        let source: any DiscoverySource
        /// Whether it was said that the source is away.
        var isToldAway = false
        /// Whether it was said that it is away for long.
        var isToldLate = false
    }

    private let store: DocumentStore
    private let queue: ChangeQueue
    private let publication: Publication
    private let registry: TargetRegistry
    private let preparation: Preparation
    private let workers: WorkerSet
    private let disk: DiskThread
    private let parser: DiskThread
    private let loop: ControlLoop
    private let events: EventLog
    private let logger: Logger
    private var follows: [DiscoverySubject: Follow] = [:]
    /// What was asked for by labels; nil until that is heard.
    private var claimHistory: ClaimHistory?
    private var timer: DiscoveryTimer?
    /// Whether a batch waits for its time or its turn.
    private var isBatchWaiting = false
    private var batchAt = Instant(nanoseconds: 0)
    /// Those whose replies would not come back to this host.
    private var unreachable: [Discovered.Refusal] = []
    private var toldRefusals: Set<Discovered.Refusal> = []
    /// The groups whose local addresses were told, with the kind of these.
    private var toldRemarks: Set<[String]> = []
    /// How many were told since when.
    private var refusalsTold = (count: 0, since: Instant(nanoseconds: 0))
    /// The groups whose sources could not be read in full.
    private var partial: Set<String> = []
    /// Where targets have ended that may be registered still.
    private var ended: [String: Set<TargetKey>] = [:]
    /// The containers that were told to end before the source of their group was followed.
    private var endingBefore: [String: [String: String]]
    /// Batches that changed something.
    private(set) var batchesCount: UInt64 = 0

    /// Nothing is followed before `publication` has put a document in force. Files are read by `disk`, long answers by
    /// `parser`. `ending` are the containers, by group, that another process knows to have been told to end.
    init(
        _ store: DocumentStore, _ queue: ChangeQueue, _ publication: Publication, _ registry: TargetRegistry,
        _ preparation: Preparation, _ workers: WorkerSet, disk: DiskThread, parser: DiskThread, loop: ControlLoop,
        ending: [String: [String: String]] = [:], events: EventLog, logger: Logger
    ) {
        endingBefore = ending
        self.store = store
        self.queue = queue
        self.publication = publication
        self.registry = registry
        self.preparation = preparation
        self.workers = workers
        self.disk = disk
        self.parser = parser
        self.loop = loop
        self.events = events
        self.logger = logger
        publication.observer = self
    }

    /// The process begins to end: no source is followed any more.
    func stop() {
        for follow in follows.values { follow.source.stop() }
        follows = [:]
        timer?.remove()
        timer = nil
    }

    /// The containers that were told to end and have not, by group, with when they were started.
    /// Those that labels are followed for have an empty name.
    var ending: [String: [String: String]] {
        Dictionary(follows.map { ($0.key.group ?? "", $0.value.source.ending) }) { first, _ in first }
            .filter { !$0.value.isEmpty }
    }

    /// The sources by their groups, sorted.
    var statuses: [DiscoveryStatus] {
        let refusals = Dictionary(grouping: store.refusals + unreachable, by: \.group)
        return follows.sorted { $0.key < $1.key }.map { subject, follow in
            let own = follow.source.record.found?.refusals ?? []
            let others = refusals[subject.group] ?? []
            return DiscoveryStatus(
                group: subject.group, kind: follow.source.kind, place: follow.source.place,
                record: follow.source.record,
                targets: follow.source.record.found?.targets
                    ?? subject.group.flatMap { store.discovered.groups[$0] } ?? [],
                refusals: own + others.map { FoundTargets.Refusal(name: $0.name, mistake: $0.mistake) })
        }
    }

    // MARK: Which sources are followed

    /// Follows the sources of `document`, which has come into force.
    func published(_ document: Document) {
        guard !queue.isStopping else { return }
        var groups: [DiscoverySubject: TargetGroup] = [:]
        var wanted: [DiscoverySubject: Settings] = [:]
        for group in document.targetGroups {
            guard let settings = group.discovery else { continue }
            groups[.group(group.name)] = group
            wanted[.group(group.name)] = .group(settings, port: group.port)
        }
        if let labels = document.discovery?.docker {
            wanted[.labels] = .labels(socket: labels.socket, labels.address, network: labels.network)
        }
        for (subject, follow) in follows where wanted[subject] != follow.settings {
            endingBefore[subject.group ?? ""] = follow.source.ending
            follow.source.stop()
            follows[subject] = nil
        }
        forgetContainers(exceptOf: document)
        for (subject, settings) in wanted where follows[subject] == nil {
            let source =
                if let group = groups[subject] {
                    group.discovery.flatMap { makeSource($0, of: group) }
                } else { document.discovery?.docker.map(makeSource) }
            guard let source else { continue }
            follows[subject] = Follow(settings: settings, source: source)
            source.start(self, now: loop.now)
        }
        endingBefore = [:]
        // What is refused may have to do with what else there is.
        if !store.refusals.isEmpty || !toldRefusals.isEmpty { tellRefusals() }
        if timer == nil, !follows.isEmpty { timer = DiscoveryTimer(self, loop) }
    }

    private func makeSource(_ settings: Discovery, of group: TargetGroup) -> (any DiscoverySource)? {
        if let dns = settings.dns {
            return DNSSource(dns, known: store.discovered.groups[group.name] ?? [], loop: loop, disk: disk)
        }
        if let docker = settings.docker {
            return DockerSource(
                GroupContainers(docker, of: group), at: docker.socket, after: memory(of: group), loop: loop,
                parser: parser)
        }
        if let file = settings.file {
            let folder = CertificateStore.folder(of: store.file)
            return FileSource(file, folder: folder, loop: loop, disk: disk)
        }
        if let http = settings.http {
            let certificates = preparation.certificates
            return HTTPSource(http, fields: { certificates.fields(of: http) }, loop: loop, parser: parser)
        }
        return nil
    }

    private func makeSource(_ labels: LabelDiscovery) -> any DiscoverySource {
        DockerSource(
            LabelledContainers(labels), at: labels.socket, after: memoryOfLabels, loop: loop, parser: parser)
    }

    /// What was said of containers is forgotten with the groups that they are in.
    private func forgetContainers(exceptOf document: Document) {
        let names = Set(document.targetGroups.map(\.name))
        let containers = registry.containers.filter { names.contains($0.key) }
        if containers.count != registry.containers.count { registry.take(containers, now: loop.now) }
    }

    /// What is known of the containers of a group whose source begins to be followed.
    private func memory(of group: TargetGroup) -> ContainerMemory {
        let containers = registry.containers[group.name] ?? [:]
        let targets = (store.discovered.groups[group.name] ?? []).map { one in
            DiscoveredMemory(one, container: containers[group.key(of: one.target)] ?? .passing)
        }
        return ContainerMemory(targets: targets, ending: endingBefore[group.name] ?? [:], groupPort: group.port)
    }

    /// What is known of the containers whose labels ask for requests.
    private var memoryOfLabels: ContainerMemory {
        let claims = store.discovered.claims.map { claim in
            let health = claim.target.flatMap { found in
                found.target.port.flatMap {
                    registry.containers[claim.group]?[TargetKey(id: found.target.id, port: $0)]
                }
            }
            return FoundTargets.FoundClaim(claim: claim, health: health ?? .passing)
        }
        return ContainerMemory(claims: claims, ending: endingBefore[""] ?? [:])
    }

    // MARK: What they say

    func changed(_ source: any DiscoverySource) {
        guard let subject = follows.first(where: { $0.value.source === source })?.key else { return }
        tell(of: source, subject)
        takeEnds(source, subject)
        if let group = subject.group { takeHealth(source, group) }
        requestBatch()
    }

    /// The health of a target of `group` has changed, by which others may come into use.
    func healthChanged(inGroup group: String) {
        if follows[.group(group)]?.source.record.found?.priorities.isEmpty == false { requestBatch() }
    }

    private func requestBatch() {
        guard !isBatchWaiting else { return }
        isBatchWaiting = true
        let at = batchAt + Limits.discoveryBatchTime
        if loop.now >= at { loop.afterBatch { [weak self] in self?.takeTurn() } } else { timer?.schedule(batchAt: at) }
    }

    /// That containers have ended counts at once, whatever the changes wait for: nothing that waits for them is ever
    /// answered.
    private func takeEnds(_ source: any DiscoverySource, _ subject: DiscoverySubject) {
        for one in source.takeEnded() {
            guard let name = one.group ?? subject.group else { continue }
            var gone = registry.draining(one.key, inGroup: name)
            if let registration = registry.groups[name]?.byKey[one.key] {
                gone.append(registration)
                // Told again when it has left the group: until then what waits may come to it again.
                ended[name, default: []].insert(one.key)
            }
            for registration in gone { workers.sendToAll(.unhealthy(target: registration.id)) }
        }
    }

    /// So does the health of those that are registered.
    private func takeHealth(_ source: any DiscoverySource, _ name: String) {
        guard let group = registry.groups[name] else { return }
        let before = registry.containers[name] ?? [:]
        guard let found = source.record.found, found.containers != before else { return }
        // Those that are named no more stay what they were until they have left.
        let named = Set(found.targets.map { group.configuration.key(of: $0.target) })
        var containers = registry.containers
        containers[name] = found.containers.merging(before.filter { !named.contains($0.key) }) { new, _ in new }
        registry.take(containers, now: loop.now)
    }

    /// Tells that a source has come, or has gone away.
    private func tell(of source: any DiscoverySource, _ subject: DiscoverySubject) {
        let wasAway = follows[subject]?.isToldAway ?? false
        if let reason = source.record.reason {
            timer?.scheduleLook()
            guard !wasAway else { return }
            follows[subject]?.isToldAway = true
            events.post(.discoveryFailed(group: subject.group, source: source.kind, reason: reason))
            logger.warning(
                "a source of targets does not answer as it should: what was heard before stays in force",
                metadata: [
                    "group": "\(subject.text)", "source": "\(source.kind)", "place": "\(source.place)",
                    "reason": "\(reason)",
                ])
        } else {
            follows[subject]?.isToldAway = false
            follows[subject]?.isToldLate = false
            guard wasAway else { return }
            events.post(.discoveryRecovered(group: subject.group, source: source.kind))
            logger.notice(
                "a source of targets answers again",
                metadata: ["group": "\(subject.text)", "source": "\(source.kind)", "place": "\(source.place)"])
        }
    }

    /// Says once of each source that is away for long how old is what is in force.
    func look(now: Instant) {
        for (subject, follow) in follows {
            guard case .away(let since, let reason) = follow.source.record.state, !follow.isToldLate else { continue }
            guard now.since(since) >= Limits.discoveryAlarmTime else {
                timer?.scheduleLook()
                continue
            }
            follows[subject]?.isToldLate = true
            logger.error(
                "a source of targets is away for long: its targets may be others by now",
                metadata: [
                    "group": "\(subject.text)", "source": "\(follow.source.kind)", "place": "\(follow.source.place)",
                    "reason": "\(reason)",
                    "lastHeard": "\(follow.source.record.heardAt.map(utcText(nanoseconds:)) ?? "never")",
                ])
        }
    }

    // MARK: Putting it in force

    func takeTurn() {
        guard !queue.isStopping else { return }
        queue.take(.work(Adoption(discovery: self)))
    }

    /// A batch that waits for its turn among the changes.
    private struct Adoption: QueuedWork {
        let discovery: TargetDiscovery

        func begin() { discovery.adopt() }
        func refuse() {}
    }

    /// Puts in force what the sources say now. What is in force of a source that has said nothing stays.
    private func adopt() {
        isBatchWaiting = false
        batchAt = loop.now
        var groups: [String: [Discovered.Target]] = [:]
        var containers: [String: [TargetKey: ContainerHealth]] = [:]
        for case (.group(let name), let follow) in follows {
            groups[name] =
                follow.source.record.found?.targetsByPriority {
                    registry.state(of: $0, inGroup: name)?.isUsable ?? false
                } ?? store.discovered.groups[name]
            containers[name] = follow.source.record.found?.containers ?? registry.containers[name]
        }
        takeOutUnreachable(&groups)
        let claims = takeClaims(&containers)
        registry.take(containers, now: loop.now)
        let partial = Set(
            follows.filter { $0.value.source.record.found?.isPartial ?? false }.keys.compactMap(\.group))
        let isSame =
            groups == store.discovered.groups && claims == store.discovered.claims && partial == self.partial
        self.partial = partial
        if isSame {
            // A source that says the same again is not worth making the document anew.
            tellRefusals()
            tellRemarks()
            tellEnds()
            return
        }
        let before = store.committedDocument
        let renewed = store.stage(Discovered(groups, claims: claims), partial: partial)
        let write = store.writeOfStaged()
        store.commitStaged()
        tellRefusals()
        tellRemarks()
        if store.committedDocument != before || !renewed.isEmpty {
            batchesCount += 1
            publication.publish(deregistered: renewed)
        }
        tellEnds()
        // That something is not deregistered any more is not waited for: if it is lost, the next change writes it.
        guard let write else { return }
        queue.perform(write) { [logger] result in
            guard case .failure(let error) = result else { return }
            logger.error("the disk does not take the state", metadata: ["error": "\(error)"])
        }
    }

    /// What containers ask for by their labels now, and what is said of them.
    private func takeClaims(_ containers: inout [String: [TargetKey: ContainerHealth]]) -> [Claim] {
        guard let source = follows[.labels]?.source else {
            claimHistory = nil
            return []
        }
        let before = store.discovered.claims
        guard let found = source.record.found?.claims else {
            for claim in before { containers[claim.group] = registry.containers[claim.group] }
            return before
        }
        for one in found where one.health != .passing {
            guard let target = one.claim.target?.target, let port = target.port else { continue }
            containers[one.claim.group, default: [:]][TargetKey(id: target.id, port: port)] = one.health
        }
        var history = claimHistory ?? ClaimHistory(before)
        let claims = history.take(found.map(\.claim), now: loop.now)
        claimHistory = history
        timer?.schedule(emptyEndAt: history.nextEnd)
        return claims
    }

    /// Forgets the groups whose containers have been gone for long; not while nobody can tell whether they are.
    func forgetEmpty(now: Instant) {
        guard let source = follows[.labels]?.source, var history = claimHistory else { return }
        if source.record.state != .following { history.holdEmpty(now: now) }
        let isOther = history.forgetEmpty(now: now)
        claimHistory = history
        if isOther { takeTurn() } else { timer?.schedule(emptyEndAt: history.nextEnd) }
    }

    /// Takes out new targets of groups that preserve client addresses where replies would be lost.
    private func takeOutUnreachable(_ groups: inout [String: [Discovered.Target]]) {
        unreachable = []
        let document = store.effective
        for group in document.targetGroups where group.preservesClientIP {
            guard let found = groups[group.name] else { continue }
            let known = Set(store.discovered.groups[group.name] ?? [])
            groups[group.name] = found.filter { one in
                guard !known.contains(one),
                    let mistake = preparation.mistake(of: one.target, in: group, instances: document.instances)
                else { return true }
                unreachable.append(Discovered.Refusal(group: group.name, name: one.name, mistake: mistake))
                return false
            }
        }
    }

    /// Has what waits for targets that have ended go elsewhere. They have left their groups by now.
    private func tellEnds() {
        for (name, keys) in ended {
            for registration in keys.flatMap({ registry.draining($0, inGroup: name) }) {
                workers.sendToAll(.unhealthy(target: registration.id))
            }
        }
        ended = [:]
    }

    /// Tells once of what is used and should be known.
    private func tellRemarks() {
        var all: Set<[String]> = []
        for case (.group(let group), let follow) in follows {
            for remark in follow.source.record.found?.remarks ?? [] {
                guard all.insert([group, remark.kind.rawValue]).inserted,
                    !toldRemarks.contains([group, remark.kind.rawValue])
                else { continue }
                events.post(
                    .discoveryLocalAddress(
                        group: group, name: remark.name, kind: remark.kind.rawValue, address: remark.address))
                logger.warning(
                    "discovery has found addresses that are local: they are used",
                    metadata: [
                        "group": "\(group)", "name": "\(remark.name)", "kind": "\(remark.kind.rawValue)",
                        "address": "\(remark.address)",
                    ])
            }
        }
        toldRemarks = all
    }

    private func tellRefusals() {
        let own = follows.flatMap { subject, follow in
            follow.source.record.found?.refusals.map {
                Discovered.Refusal(group: subject.group, name: $0.name, mistake: $0.mistake)
            } ?? []
        }
        let all = store.refusals + unreachable + own
        let new = all.filter { !toldRefusals.contains($0) }
        toldRefusals = Set(all)
        if loop.now.since(refusalsTold.since) >= Limits.discoveryRefusalsToldTime { refusalsTold = (0, loop.now) }
        for refusal in new.prefix(Limits.discoveryRefusalsToldMax - refusalsTold.count) {
            refusalsTold.count += 1
            events.post(
                .discoveryRefused(group: refusal.group, name: refusal.name, reason: "\(refusal.mistake)"))
            logger.warning(
                "something that discovery has found cannot be a target",
                metadata: [
                    "group": "\(refusal.group ?? "labels")", "name": "\(refusal.name)", "reason": "\(refusal.mistake)",
                ])
        }
    }
}
