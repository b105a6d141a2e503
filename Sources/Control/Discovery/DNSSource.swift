import Core
import DNS
import Model

/// Targets that the records of a domain name are: looked up, and again when these are too old.
///
/// The name servers are asked one after the other until one answers all; the one that did is the first to be asked the
/// next time.
///
/// Shape: one object of the control thread. The file of this host's name servers is read by a thread that may wait for
///        a disk, before each look, since it changes with the network.
final class DNSSource: DiscoverySource, PollHandler {
    let kind = "dns"
    let place: String
    private(set) var record = SourceRecord()
    private let settings: DNSDiscovery
    private let loop: ControlLoop
    private let disk: DiskThread
    private weak var observer: (any DiscoveryObserver)?
    private var token = Token.none
    private var backoff = Backoff()
    /// The server that is asked first.
    private var firstServer: SocketAddress?
    /// Those that this look has not asked yet.
    private var serversLeft: ArraySlice<SocketAddress> = []
    private var lookup: DNSLookup?
    private var resolution: DNSResolution?
    /// What the servers of this look have not answered as they should.
    private var reasons: [String] = []
    /// What one of them has answered all the same.
    private var partial: DNSResolution.Outcome?
    /// When it was said first that there are no records, since there were some.
    private var emptySince: Instant?
    /// The addresses that hosts of the service have.
    private var known: [String: [IPAddress]]

    /// The name of `settings`. `known` is what is in force of it.
    init(_ settings: DNSDiscovery, known: [Discovered.Target], loop: ControlLoop, disk: DiskThread) {
        self.settings = settings
        self.loop = loop
        self.disk = disk
        place = "\(settings.name) (\(settings.type.rawValue))"
        self.known = Dictionary(grouping: known, by: \.name).mapValues { targets in
            Set(targets.compactMap { IPAddress($0.target.id) }).sorted {
                $0.bytes.lexicographicallyPrecedes($1.bytes)
            }
        }
    }

    func start(_ observer: any DiscoveryObserver, now: Instant) {
        self.observer = observer
        token = loop.add(self, descriptor: nil)
        look()
    }

    func stop() {
        observer = nil
        endLookup()
        loop.remove(token)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) { look() }

    // MARK: Servers

    private func look() {
        guard settings.resolvers.isEmpty else {
            return ask(
                settings.resolvers.compactMap { SocketAddress(literal: $0.host.description, port: UInt16($0.port)) })
        }
        disk.run(within: Limits.fileTimeout, { Self.serversOfHost() }) { [weak self] result in
            guard let self, observer != nil else { return }
            switch result {
            case .success(let servers)?: ask(servers)
            case .failure(let error)?: fail("\(ResolverFile.path) cannot be read: \(error.reason)")
            case nil: fail("\(ResolverFile.path) could not be read in time")
            }
        }
    }

    private static func serversOfHost() -> Result<[SocketAddress], SystemError> {
        do throws(SystemError) { return .success(ResolverFile.servers(in: try readFile(ResolverFile.path))) } catch {
            return .failure(error)
        }
    }

    private func ask(_ servers: [SocketAddress]) {
        guard !servers.isEmpty else {
            return fail("\(ResolverFile.path) names no name server: write some into it, or into resolvers")
        }
        let first = firstServer.flatMap { servers.firstIndex(of: $0) } ?? 0
        serversLeft = servers[first...] + servers[..<first]
        reasons = []
        partial = nil
        askNext()
    }

    private func askNext() {
        guard let server = serversLeft.popFirst() else { return conclude(.failed("")) }
        let resolution = DNSResolution(settings, known: known)
        let lookup = DNSLookup(of: server, loop: loop) { [weak self] answer, question in
            self?.take(answer, question, of: server)
        }
        self.resolution = resolution
        self.lookup = lookup
        lookup.ask([resolution.question])
    }

    private func take(
        _ answer: DNSResolution.Answer, _ question: DNSResolution.Question, of server: SocketAddress
    ) {
        guard let next = resolution?.take(answer, to: question) else { return }
        if !next.isEmpty { lookup?.ask(next) }
        guard let resolution, let outcome = resolution.outcome else { return }
        endLookup()
        switch outcome {
        case .failed(let reason), .empty(let reason): reasons.append("\(server) \(reason)")
        case .found: break
        }
        if resolution.hasServersFault {
            if case .found = outcome { partial = outcome }
            if !serversLeft.isEmpty { return askNext() }
        } else {
            firstServer = server
        }
        conclude(outcome)
    }

    private func endLookup() {
        lookup?.cancel()
        (lookup, resolution) = (nil, nil)
    }

    // MARK: What was heard

    private func conclude(_ outcome: DNSResolution.Outcome) {
        var outcome = outcome
        if case .failed = outcome, let partial { outcome = partial }
        switch outcome {
        case .found(let found, let seconds, let addresses):
            emptySince = nil
            known = addresses
            hear(found, for: Double(seconds))
        case .empty:
            let since = emptySince ?? loop.now
            emptySince = since
            if loop.now.since(since) >= Limits.dnsEmptyTime {
                known = [:]
                return hear(FoundTargets(), for: 0)
            }
            fail(
                "\(place): \(reasons.joined(separator: "; ")). If it still says so after "
                    + "\(Limits.dnsEmptyTime / 1_000_000_000) s, all targets are taken out")
        case .failed: fail("\(place): \(reasons.joined(separator: "; "))")
        }
    }

    private func hear(_ found: FoundTargets, for seconds: Double) {
        guard let observer else { return }
        backoff.reset()
        record.heard(found)
        let kept = settings.timeKept(secondsToLive: seconds)
        // Not all at once, where many ask the same server.
        loop.schedule(token, at: loop.now + .random(in: kept...kept + kept / 10))
        observer.changed(self)
    }

    private func fail(_ reason: String) {
        guard let observer else { return }
        record.failed("\(reason).", now: loop.now)
        loop.schedule(token, at: loop.now + backoff.next())
        observer.changed(self)
    }
}

extension DNSDiscovery {
    /// How long an answer is kept.
    func timeKept(secondsToLive: Double) -> Nanoseconds {
        Nanoseconds(seconds: max(ttlSecondsMin, min(secondsToLive, ttlSecondsMax)))
    }
}
