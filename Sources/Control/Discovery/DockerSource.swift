import Core
import Model
import Routing

/// Containers of a Docker daemon, listed, then followed by its events; a `ContainerChoice` says what they are here.
///
/// Of the daemon's API it asks `GET /version`, `/events`, `/containers/json` and `/containers/{id}/json`, and nothing
/// else. Events are subscribed to before anything is listed, so that none is missed; what they tell of comes into force
/// before the daemon is asked about it where that is enough: a signal that ends a container, its end, its health. A
/// container of which the daemon says nothing that can be read stays what it was, and is asked about again.
///
/// Shape:  one object of the control thread; a connection for the events, and a few for questions while there are some.
/// Limits: `Limits.containersMax` containers; an answer and an event have their own limits of bytes and time.
/// Source: Docker Engine API, version 1.24 and later.
final class DockerSource: DiscoverySource, PollHandler {
    let kind: String
    let place: String
    private(set) var record = SourceRecord()
    private let choice: any ContainerChoice
    private let loop: ControlLoop
    private let parser: DiskThread
    private weak var observer: (any DiscoveryObserver)?
    private var token = Token.none
    private var backoff = Backoff()
    /// Since when all that was listed in this attempt has been asked about; nil before that.
    private var followsSince: Instant?
    /// When the last event was that has come, by the daemon's clock.
    private var eventTime: Int?
    /// Grows with every attempt to follow the daemon: answers to earlier ones are dropped.
    private var attempt = 0
    /// Whether all that was listed in this attempt was asked about: from then on what is known is what there is.
    private var isFollowing = false
    /// The events as they come; nil while there is no connection.
    private var events: ControlRequest?
    private var lines = DockerEventLines()
    /// The question for the version, or for the list.
    private var question: ControlRequest?
    /// Whether a list was asked for, or is being gone through.
    private var isListing = false
    /// When the next list is due.
    private var listAt = Instant(nanoseconds: 0)
    /// Whether an event was skipped since the list was asked for.
    private var isListStale = false
    /// What was listed and is not asked about yet; nil when no list is being gone through.
    private var listed: Set<String>?
    /// What events have told of since the list was asked for.
    private var touched: Set<String> = []
    private var inspections = DockerInspections()
    /// Those that the group wants and that run.
    private var containers: [String: DockerContainer] = [:]
    /// Those that were told to end, with when they were started; empty for a life of which that is not known.
    private(set) var ending: [String: String]
    /// Those of which the daemon says nothing that can be read.
    private var unreadable: [String: ConfigError] = [:]
    /// What was in force before this source was heard.
    private let memory: ContainerMemory
    /// Of that, by the ids of containers, what the daemon has not said anything about since.
    private var unconfirmed: Set<String>
    /// When those that are unreadable are asked about again; nil while that is not decided.
    private var retryAt: Instant?
    private var retries = Backoff()
    /// How many containers the list had beyond the limit.
    private var surplusCount = 0
    /// Those beyond it that were asked about since.
    private var surplusIDs: Set<String> = []
    /// Where containers were that have ended, until somebody asks.
    private var ended: Set<EndedTarget> = []
    private var isReportWaiting = false

    /// Containers of the daemon at the socket `place`, for `choice`; `memory` is what was known of them before. What is
    /// long is read by `parser`.
    init(
        _ choice: any ContainerChoice, at place: String, after memory: ContainerMemory, loop: ControlLoop,
        parser: DiskThread
    ) {
        self.choice = choice
        self.place = place
        kind = choice.kind
        self.memory = memory
        ending = memory.ending
        unconfirmed = memory.containerIDs
        self.loop = loop
        self.parser = parser
    }

    func start(_ observer: any DiscoveryObserver, now: Instant) {
        self.observer = observer
        token = loop.add(self, descriptor: nil)
        connect()
    }

    func stop() {
        observer = nil
        disconnect()
        loop.remove(token)
    }

    func takeEnded() -> Set<EndedTarget> {
        let all = ended
        ended = []
        return all
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        guard events != nil else { return connect() }
        if let retryAt, retryAt <= now {
            self.retryAt = nil
            for id in unreadable.keys { _ = inspections.add(id, isRetry: true) }
            startInspections()
        }
        if !isListing, listAt <= now { list() } else { schedule() }
    }

    /// Sets the timer for what is due next while there is a connection.
    private func schedule() {
        guard let next = [isListing ? nil : listAt, retryAt].compactMap(\.self).min() else { return }
        loop.schedule(token, at: next)
    }

    // MARK: Connection

    private func disconnect() {
        attempt += 1
        // A daemon that ends each connection after a moment is not asked as if it had answered well.
        if let followsSince { backoff.ended(after: loop.now.since(followsSince)) }
        (isFollowing, isListing, isListStale) = (false, false, false)
        (followsSince, retryAt) = (nil, nil)
        events?.cancel()
        question?.cancel()
        (events, question, listed) = (nil, nil, nil)
        inspections.cancel()
        lines = DockerEventLines()
        touched = []
    }

    private func fail(_ reason: String) {
        guard observer != nil else { return }
        disconnect()
        record.failed("Docker at \(place) \(reason)", now: loop.now)
        loop.schedule(token, at: loop.now + backoff.next())
        observer?.changed(self)
    }

    /// Asks for what is at `target`; the answer comes as a whole, unless this attempt has failed by then.
    private func ask(
        _ target: String, bytesMax: Int, within timeout: Nanoseconds = Limits.discoveryAnswerTime,
        _ take: @escaping (Result<(status: UInt16, body: [UInt8]), DockerFailure>) -> Void
    ) -> ControlRequest {
        let attempt = attempt
        return ControlRequest(
            .init(target: target, host: "docker"), of: .unix(path: place), within: timeout, bytesMax: bytesMax,
            loop: loop
        ) { [weak self] event in
            guard let self, self.attempt == attempt else { return }
            switch event {
            case .answer(let status, _, let body): take(.success((status, body)))
            case .failed(let reason): take(.failure(DockerFailure(reason: reason)))
            case .head, .piece: break
            }
        }
    }

    /// Has `bytes` read by a thread that may take its time, unless this attempt has failed by then.
    private func read<Outcome: Sendable>(
        _ bytes: [UInt8], _ make: @escaping @Sendable (Value) -> Outcome?, _ take: @escaping (Outcome?) -> Void
    ) {
        let attempt = attempt
        parser.run(within: Limits.discoveryAnswerTime, { (try? Value.parse(json: bytes)).flatMap(make) }) {
            [weak self] outcome in
            if let self, self.attempt == attempt { take(outcome ?? nil) }
        }
    }

    private func connect() {
        question = ask("/version", bytesMax: Limits.containerBytesMax) { [unowned self] result in
            question = nil
            switch result {
            case .failure(let failure): fail(failure.reason)
            case .success((200, let body)):
                guard let version = try? Value.parse(json: body), version["ApiVersion"]?.string != nil else {
                    return fail("does not say which version of the API it has")
                }
                subscribe()
            case .success((let status, _)): fail("answers /version with status \(status)")
            }
        }
    }

    private func subscribe() {
        let attempt = attempt
        // What has happened since the last connection is told first, as far as the daemon still knows.
        let since = eventTime.map { "since=\(DockerEvent.text(time: $0 + 1))&" } ?? ""
        let target = "/events?\(since)filters=" + percentEncoded(DockerEvent.filters.json())
        events = ControlRequest(
            .init(target: target, host: "docker"), of: .unix(path: place), within: Limits.discoveryAnswerTime,
            bytesMax: nil, loop: loop
        ) { [weak self] event in
            guard let self, self.attempt == attempt else { return }
            switch event {
            case .head(200): list()
            case .head(let status): fail("answers /events with status \(status)")
            case .piece(let bytes): take(bytes)
            case .failed(let reason): fail(reason)
            case .answer: break
            }
        }
    }

    // MARK: The list

    private func list() {
        touched = []
        (isListing, isListStale) = (true, false)
        let labels = choice.labels.sorted { $0.key < $1.key }.map { Value.string("\($0.key)=\($0.value)") }
        let filters: Value = ["label": .array(labels), "status": ["running"]]
        let choice = choice
        let target = "/containers/json?filters=" + percentEncoded(filters.json())
        question = ask(target, bytesMax: Limits.discoveryBytesMax) { [unowned self] result in
            question = nil
            switch result {
            case .failure(let failure): fail(failure.reason)
            case .success((200, let body)):
                read(body, { Self.ids($0, choice) }) { [unowned self] ids in
                    if let ids { take(ids) } else { fail("does not answer /containers/json with a list of containers") }
                }
            case .success((let status, _)): fail("answers /containers/json with status \(status)")
            }
        }
    }

    /// The ids of those containers in a list that may be wanted; nil if it is no list of containers.
    private static func ids(_ list: Value, _ choice: any ContainerChoice) -> [String]? {
        guard let elements = list.array else { return nil }
        let all = elements.compactMap { element -> (id: String, isWanted: Bool)? in
            guard let id = element["Id"]?.string, DockerContainer.isID(id) else { return nil }
            let labels = element["Labels"]?.members.map { DockerContainer.texts($0) }
            return (id, labels.map(choice.wants) ?? true)
        }
        return all.count == elements.count ? all.filter(\.isWanted).map(\.id) : nil
    }

    private func take(_ ids: [String]) {
        surplusCount = max(0, ids.count - Limits.containersMax)
        let known = Set(ids.prefix(Limits.containersMax))
        for id in containers.keys where !known.contains(id) && !touched.contains(id) { containers[id] = nil }
        unreadable = unreadable.filter { known.contains($0.key) || touched.contains($0.key) }
        unconfirmed = unconfirmed.filter { known.contains($0) || touched.contains($0) }
        ending = ending.filter { known.contains($0.key) || touched.contains($0.key) }
        surplusIDs = []
        // Those that do not answer must not hold up the others.
        listed = known.subtracting(unreadable.keys)
        for id in ids.prefix(Limits.containersMax) {
            if unreadable[id] == nil { inspect(id) } else { _ = inspections.add(id, isRetry: true) }
            if listed == nil { return }
        }
        startInspections()
        endListIfDone()
    }

    private func endListIfDone() {
        guard listed?.isEmpty == true else { return }
        (listed, isListing) = (nil, false)
        touched = []
        isFollowing = true
        if followsSince == nil { followsSince = loop.now }
        listAt = loop.now + (isListStale ? Limits.containerRelistTime : Limits.containerListTime)
        schedule()
        reportSoon()
    }

    // MARK: Containers

    private func inspect(_ id: String) {
        guard inspections.add(id) else { return fail("tells of more than \(Limits.containersMax) containers at once") }
        startInspections()
    }

    private func startInspections() {
        while let (id, number) = inspections.next() {
            let request = ask(
                "/containers/\(id)/json", bytesMax: Limits.containerBytesMax, within: Limits.containerAnswerTime
            ) { [unowned self] result in
                switch result {
                case .success((404, _)): inspected(id, number) { forget(id) }
                case .success((200, let body)):
                    read(body, { DockerContainer($0) }) { [unowned self] container in
                        inspected(id, number) { take(container, id) }
                    }
                case .success((let status, _)):
                    inspected(id, number) { noteUnreadable(id, "that it answers with status \(status)") }
                case .failure(let failure): inspected(id, number) { noteUnreadable(id, "that it \(failure.reason)") }
                }
            }
            inspections.began(number, request)
        }
    }

    /// A question about a container has its answer, which `take` looks at unless it is out of date.
    private func inspected(_ id: String, _ number: Int, _ take: () -> Void) {
        if inspections.ended(id, number) {
            take()
            if unreadable.isEmpty { retries.reset() }
            listed?.remove(id)
            reportSoon()
        }
        startInspections()
        endListIfDone()
    }

    private func take(_ container: DockerContainer?, _ id: String) {
        guard let container, container.id == id else { return noteUnreadable(id, "something else") }
        unreadable[id] = nil
        unconfirmed.remove(id)
        guard container.isRunning, choice.wants(container.labels) else {
            containers[id] = nil
            return
        }
        guard containers[id] != nil || containers.count < Limits.containersMax else {
            if surplusIDs.count < Limits.containersMax { surplusIDs.insert(id) }
            return
        }
        if let startedAt = ending[id] {
            // A signal that came before anything was known of the container was meant for this life of it.
            let isThisLife = startedAt.isEmpty || startedAt == container.startedAt
            ending[id] = isThisLife ? container.startedAt : nil
        }
        containers[id] = container
    }

    /// The container does not run, and what was known of this life of it is out of date.
    private func forget(_ id: String) {
        (containers[id], unreadable[id], ending[id]) = (nil, nil, nil)
        unconfirmed.remove(id)
        surplusIDs.remove(id)
    }

    /// What was known of the container stays, and it is asked about again.
    private func noteUnreadable(_ id: String, _ found: String) {
        if retryAt == nil {
            retryAt = loop.now + retries.next()
            schedule()
        }
        guard unreadable.count < Limits.containersMax else { return }
        unreadable[id] = ConfigError(
            expected: "Docker must say what container \(id.prefix(12)) is", found: found,
            remedy: "See what \"docker inspect\" says of it.")
    }

    // MARK: Events

    private func take(_ bytes: [UInt8]) {
        for line in lines.take(bytes) {
            switch line {
            case .event(let event): take(event: event)
            case .skipped:
                isListStale = true
                listAt = min(listAt, loop.now + Limits.containerRelistTime)
                schedule()
            case .endless: fail("sends an event that is too long")
            }
            if events == nil { return }
        }
    }

    private func take(event line: [UInt8]) {
        let event: DockerEvent
        do throws(ConfigErrors) {
            guard let read = try DockerEvent(line) else { return }
            event = read
        } catch { return fail("sends an event that cannot be read: \(error.first.message)") }
        if let time = event.time, time > 0, time < Int.max { eventTime = time }
        let known = containers[event.id]
        // Of those that are not the group's nothing is kept; what a network does says nothing of who that is.
        let isAsked = inspections.has(event.id) || unreadable[event.id] != nil
        guard known != nil || isAsked || event.labels.map(choice.wants) ?? false else { return }
        if isListing, touched.count < Limits.containersMax { touched.insert(event.id) }
        switch event.kind {
        case .changed(let isNew):
            if isNew {
                ending[event.id] = nil
                unconfirmed.remove(event.id)
            }
            inspect(event.id)
        case .networkChanged: inspect(event.id)
        case .signalled(let signal):
            guard known?.isEnd(signal) ?? [2, 3, 9, 15].contains(signal), ending.count < Limits.containersMax
            else { return }
            ending[event.id] = known?.startedAt ?? ""
        case .ended, .paused:
            if event.kind == .ended, let target = target(event.id) { ended.insert(target) }
            inspections.forget(event.id)
            listed?.remove(event.id)
            forget(event.id)
        case .health(let health):
            containers[event.id]?.health = health
            // What is being asked about may have been told before.
            if known == nil || inspections.has(event.id) { inspect(event.id) }
        }
        reportSoon()
        endListIfDone()
    }

    // MARK: What they are

    /// The targets that are in force by this source, or were before it was heard.
    private var inForce: [Discovered.Target] { record.found?.targets ?? memory.targets.map(\.found) }

    /// Where a container is, or was before it was told to end.
    private func target(_ id: String) -> EndedTarget? {
        if let known = containers[id] { return choice.target(of: known, before: inForce) }
        return unconfirmed.contains(id) ? memory.place(of: id) : nil
    }

    /// Tells what is known now, once for all that comes in this pass.
    private func reportSoon() {
        guard !isReportWaiting else { return }
        isReportWaiting = true
        loop.afterBatch { [weak self] in
            self?.isReportWaiting = false
            self?.report()
        }
    }

    private func report() {
        // The first time all must be known: what is not told would be deregistered.
        guard observer != nil, isFollowing || record.found != nil else { return }
        let running = containers.values.filter { ending[$0.id] == nil }
        var found = choice.found(in: running.sorted { ($0.name, $0.id) < ($1.name, $1.id) }, before: inForce)
        found.add(memory) { unconfirmed.contains($0) && unreadable[$0] != nil && ending[$0] == nil }
        for (id, mistake) in unreadable.sorted(by: { $0.key < $1.key }) {
            found.refusals.append(.init(name: String(id.prefix(12)), mistake: mistake))
        }
        if surplusCount + surplusIDs.count > 0 { found.refusals.append(surplus) }
        found.isPartial = !unreadable.isEmpty || surplusCount + surplusIDs.count > 0 || found.isAllRefused
        if found.isAllRefused {
            keepThoseThatRun(found)
        } else if isFollowing {
            record.heard(found)
        } else {
            record.update(found)
        }
        observer?.changed(self)
    }

    /// None of them can be a target, so that something is wrong with all of it: those that were, and run, still are.
    private func keepThoseThatRun(_ refused: FoundTargets) {
        var found = refused
        let before = ContainerMemory(
            targets: record.found.map { found in found.targets.map { DiscoveredMemory($0, container: .passing) } }
                ?? memory.targets, claims: record.found?.claims ?? memory.claims)
        found.add(before) { id in
            ending[id] == nil
                && (containers[id].map { before.identities.contains($0.identity) } ?? (unreadable[id] != nil))
        }
        for one in found.targets {
            guard let container = containers[one.containerID], container.health != .passing else { continue }
            if let key = choice.target(of: container, before: [one])?.key { found.containers[key] = container.health }
        }
        record.update(found)
        let first = refused.refusals[0]
        let reason = "Docker at \(place) has no container that can be a target: \(first.name): \(first.mistake)"
        if record.reason != reason { record.failed(reason, now: loop.now) }
    }

    private var surplus: FoundTargets.Refusal {
        .init(
            name: counted(surplusCount + surplusIDs.count, "container"),
            mistake: ConfigError(
                expected: "at most \(Limits.containersMax) containers are looked at",
                found: "\(surplusCount + surplusIDs.count + Limits.containersMax)", remedy: "Choose fewer by labels."))
    }
}

/// Why a question to a daemon has no answer.
struct DockerFailure: Error {
    /// In words that follow a subject.
    let reason: String
}
