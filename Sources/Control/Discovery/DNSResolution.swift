import Core
import DNS
import Model

/// What the answers of one name server make of a domain name: the questions that follow from them, and in the end its
/// targets.
///
/// Of a service the hosts are looked up as well: their IPv4 addresses, or those of IPv6 if they have none. A host of
/// which the server says nothing that can be used keeps the addresses that are known of it.
///
/// Shape:  a value, without sockets and time.
/// Limits: `Limits.dnsServicesMax` hosts and ports, `Limits.dnsTargetsMax` targets; beyond them the answer is refused
///         as a whole, since any part of it would be another one each time.
/// Source: RFC 2782.
struct DNSResolution {
    /// A question to a name server.
    struct Question: Hashable {
        var name: String
        var type: DNSRecordType
    }

    /// What came of a question.
    enum Answer: Equatable {
        case message(DNSMessage)
        /// Why there is none, in words that follow the server's name.
        case failed(String)
    }

    /// What came of all of them.
    enum Outcome: Equatable {
        /// The targets, and for how many seconds; of each host of a service its addresses.
        case found(FoundTargets, seconds: UInt32, addresses: [String: [IPAddress]])
        /// The zone says that there are none.
        case empty(String)
        /// Nothing that can be used: why, in words that follow the server's name.
        case failed(String)
    }

    /// The first question.
    let question: Question
    /// What came of it; nil while answers are missing.
    private(set) var outcome: Outcome?
    /// Whether the server did not answer something as it should, so that another one may know better.
    private(set) var hasServersFault = false
    /// The addresses of hosts that are known from earlier answers.
    private let known: [String: [IPAddress]]
    private var services: [DNSService] = []
    private var open: Set<Question> = []
    private var addresses: [String: [IPAddress]] = [:]
    /// Of which hosts nothing was found, and why.
    private var problems: [String: String] = [:]
    private var seconds = UInt32.max

    /// The resolution of `settings.name`. `known` are addresses of hosts.
    init(_ settings: DNSDiscovery, known: [String: [IPAddress]] = [:]) {
        let type: DNSRecordType =
            switch settings.type {
            case .a: .a
            case .aaaa: .aaaa
            case .srv: .srv
            }
        question = Question(name: settings.name, type: type)
        self.known = known
    }

    /// Takes the answer to a question that was asked once. Returns the questions that follow from it.
    mutating func take(_ answer: Answer, to asked: Question) -> [Question] {
        let answer = Self.read(answer, asked)
        if case .unusable(_, true) = answer { hasServersFault = true }
        if case .found(_, let seconds) = answer { self.seconds = min(self.seconds, seconds) }
        if asked != question { return takeHost(answer, asked) }
        switch answer {
        case .found(let records, _) where asked.type == .srv: return begin(records)
        case .found(let records, _): finish(addresses: Self.addresses(records))
        case .empty: outcome = .empty("answers that there are no \(asked.type.label) records")
        case .noSuchName: outcome = .failed("answers that there is no such name (NXDOMAIN)")
        case .unusable(let reason, _): outcome = .failed(reason)
        }
        return []
    }

    private static func read(_ answer: Answer, _ asked: Question) -> DNSAnswer {
        switch answer {
        case .message(let message): message.answer(to: asked.name, asked.type)
        case .failed(let reason): .unusable(reason, isServersFault: true)
        }
    }

    private static func addresses(_ records: [DNSRecord.Content]) -> [IPAddress] {
        var addresses: Set<IPAddress> = []
        for case .address(let address) in records {
            if let address = IPAddress(address.host) { addresses.insert(address) }
        }
        // Servers turn the order with every answer, which would be another list of targets each time.
        return addresses.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    // MARK: Addresses

    private mutating func finish(addresses: [IPAddress]) {
        guard addresses.count <= Limits.dnsTargetsMax else {
            return outcome = .failed(
                "answers with \(addresses.count) addresses; \(Limits.dnsTargetsMax) at most are used")
        }
        var targets = DNSTargets()
        for address in addresses { targets.add(address, port: nil, weight: nil, host: question.name) }
        finish(targets.found, [:])
    }

    private mutating func finish(_ found: FoundTargets, _ addresses: [String: [IPAddress]]) {
        outcome =
            found.isAllRefused
            ? .failed("names nothing that can be a target: \(found.refusals[0].mistake.message)")
            : .found(found, seconds: seconds, addresses: addresses)
    }

    // MARK: Services

    private mutating func begin(_ records: [DNSRecord.Content]) -> [Question] {
        var all: Set<DNSService> = []
        for case .service(let service) in records { all.insert(service) }
        // A service whose host is the root is not offered at all.
        services = all.filter { !$0.host.isEmpty }.sorted {
            ($0.priority, $0.host, $0.port, $0.weight) < ($1.priority, $1.host, $1.port, $1.weight)
        }
        guard !services.isEmpty else {
            outcome = .empty("answers that the service is not offered")
            return []
        }
        guard services.count <= Limits.dnsServicesMax else {
            outcome = .failed(
                "answers with \(services.count) hosts of the service; \(Limits.dnsServicesMax) at most are used")
            return []
        }
        open = Set(services.map { Question(name: $0.host, type: .a) })
        return open.sorted { $0.name < $1.name }
    }

    private mutating func takeHost(_ answer: DNSAnswer, _ asked: Question) -> [Question] {
        guard open.remove(asked) != nil else { return [] }
        switch answer {
        case .found(let records, _): addresses[asked.name] = Self.addresses(records)
        case .empty where asked.type == .a:
            let next = Question(name: asked.name, type: .aaaa)
            open.insert(next)
            return [next]
        case .empty: problems[asked.name] = "the server answers that it has none"
        case .noSuchName: problems[asked.name] = "the server answers that there is no such name (NXDOMAIN)"
        case .unusable(let reason, _): problems[asked.name] = "the server \(reason)"
        }
        if open.isEmpty { finishServices() }
        return []
    }

    private mutating func finishServices() {
        var targets = DNSTargets()
        for (host, problem) in problems.sorted(by: { $0.key < $1.key }) {
            addresses[host] = known[host]
            targets.refuse(host: host, problem, isKnown: known[host] != nil)
        }
        let count = services.reduce(0) { $0 + (addresses[$1.host]?.count ?? 0) }
        guard count <= Limits.dnsTargetsMax else {
            return outcome = .failed("answers with \(count) targets; \(Limits.dnsTargetsMax) at most are used")
        }
        // Where no host has an answer of its own, this is no news.
        if problems.count == Set(services.map(\.host)).count, let first = problems.min(by: { $0.key < $1.key }) {
            return outcome = .failed("has addresses of no host of the service: of \(first.key) \(first.value)")
        }
        let weights = DNSTargets.weights(of: services)
        let priorities = Set(services.map(\.priority))
        for service in services {
            for address in addresses[service.host] ?? [] {
                targets.add(
                    address, port: Int(service.port), weight: weights[service] ?? nil, host: service.host,
                    priority: priorities.count > 1 ? Int(service.priority) : nil)
            }
        }
        finish(targets.found, addresses)
    }
}
