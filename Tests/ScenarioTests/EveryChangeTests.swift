import Foundation
import TestCertificates
import Testing

/// Every kind of change at the same time under every kind of load: nothing is lost.
@Suite(.serialized) struct EveryChangeTests {
    /// Duration in seconds; `make soak` sets two minutes.
    private static let seconds = Double(ProcessInfo.processInfo.environment["APUS_SOAK_SECONDS"] ?? "") ?? 15
    /// `APUS_SOAK_SEED` repeats the order of the changes, but not their timing.
    private static let seed =
        UInt64(ProcessInfo.processInfo.environment["APUS_SOAK_SEED"] ?? "") ?? .random(in: 0...UInt64.max)

    @Test("Every kind of change under HTTP/1, HTTP/2, gRPC and WebSocket load loses nothing")
    func nothingIsLost() throws {
        let site = try ChangingSite()
        let apus = site.apus
        let load = try MixedLoad(apus, roots: site.roots, seconds: Self.seconds + 60)
        #expect(load.isUnderWay())
        var random = SplitMix(state: Self.seed)
        let deadline = Deadline.after(Self.seconds)
        repeat {
            for change in ChangingSite.Change.allCases.shuffled(using: &random) {
                do { try site.make(change, &random) } catch { site.refused.append("\(change): \(error)") }
                // A round takes about as long as from one check of a target's health to the next.
                _ = always(for: 0.03) { true }
            }
        } while !deadline.hasPassed
        try site.comeBack()
        #expect(site.refused.isEmpty, "seed \(Self.seed): \(site.refused.prefix(5))")
        try #require(apus.process.exitStatus == nil, "seed \(Self.seed):\n\(apus.errors.suffix(8_000))")
        let answered = load.finish(seed: Self.seed)
        print("\(site.counts.values.reduce(0, +)) changes; \(load.summary)")

        #expect(try apus.metric("apus_connections_cut_by_configuration_total") == 0)
        #expect(try apus.metric("apus_exchanges_cut_by_deregistration_total") == 0)
        let gauges = ["apus_client_connections_active", "apus_requests_active", "apus_target_group_requests_active"]
        for gauge in gauges {
            #expect(eventually(within: 20) { (try? apus.metric(gauge)) == 0 }, "\(gauge)")
        }
        // Every request was logged, once.
        let dropped = Int(try apus.metric("apus_log_lines_dropped_total"))
        let isLogged = eventually(within: 20) { Self.loggedCount(apus) + dropped >= answered }
        #expect(isLogged && Self.loggedCount(apus) + dropped == answered, "\(Self.loggedCount(apus)), not \(answered)")
        #expect(apus.terminate() == .exited(0))
    }

    /// How many requests of `ClosedLoop` and of HTTP/2 stand in the access log.
    private static func loggedCount(_ apus: ApusProcess) -> Int {
        let text = (try? String(contentsOfFile: apus.accessLogPath, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").count { $0.contains("/load/") }
    }
}

/// Clients of all kinds of one Apus.
private final class MixedLoad {
    private let gets: ClosedLoop
    private let posts: ClosedLoop
    private let steady: [(kind: SteadyLoad.Kind, load: SteadyLoad)]
    /// How much each kind was answered.
    private(set) var summary = ""

    init(_ apus: ApusProcess, roots: String, seconds: Double) throws {
        gets = try ClosedLoop(to: apus, connections: 12, seconds: seconds, label: "get-")
        posts = try ClosedLoop(to: apus, method: "POST", connections: 4, seconds: seconds, label: "post-")
        let clients: [(SteadyLoad.Kind, Int)] = [(.http2, 2), (.grpc, 3), (.websocket, 6)]
        steady = try clients.map { kind, count in
            (
                kind,
                try SteadyLoad(
                    kind, port: apus.ports[1], roots: roots, clients: count, seconds: seconds, in: apus.folder)
            )
        }
    }

    /// Waits until each kind was answered a few times; whether they were.
    func isUnderWay() -> Bool {
        gets.goesOn(for: 20) && posts.goesOn(for: 20)
            && steady.allSatisfy { item in eventually(within: 30) { item.load.soFar.answeredCount >= 20 } }
    }

    /// Stops all, of which nothing may have failed; how many requests to `/load/` were answered.
    func finish(seed: UInt64) -> Int {
        var loads = 0
        for (name, loop) in [("GET", gets), ("POST", posts)] {
            let report = loop.finish()
            #expect(report.failedCount == 0, "seed \(seed): \(name): \(report.outcomes) \(report.failures.prefix(5))")
            #expect(report.answeredCount > 100, "\(name)")
            loads += report.answeredCount
            summary += "\(name) \(report.answeredCount), "
        }
        for (kind, load) in steady {
            let report = load.finish()
            #expect(
                report.failedCount == 0, "seed \(seed): \(kind): \(report.failedCount) \(report.failures.prefix(5))")
            #expect(report.answeredCount > 100, "\(kind)")
            if kind == .http2 { loads += report.answeredCount }
            summary += "\(kind) \(report.answeredCount) on \(report.connectionCount) connections, "
        }
        return loads
    }
}

/// A load balancer with four groups, and everything that can be changed about it.
private final class ChangingSite {
    /// What can be changed, or happens.
    enum Change: CaseIterable {
        case register, deregister, weights, rule, groupOfRule, listener, certificate, reload, algorithm, attributes
        case healthFlip, death, deregisterCalls, deregisterSockets, instance
        case rateLimit, headerFields, cookieKey, desyncMode, zones, groupStickiness
    }

    private static let authority = TestAuthority()
    private static let pairs = [authority.issue(["localhost"]), authority.issue(["localhost"])]

    let apus: ApusProcess
    /// The certificate that has issued those of the listener.
    let roots = ChangingSite.authority.own.certificatePath
    /// Changes that were not answered as they should be.
    var refused: [String] = []
    /// How often each change was made.
    private(set) var counts: [Change: Int] = [:]
    private let admin: AdminClient
    private let spare: UInt16
    private var document: Document

    // Blue serves GETs, green what must not be sent twice.
    private let steady: TargetServer
    private let flipping: TargetServer
    private let passing: TargetServer
    private let dying: DyingTarget
    private let greens: [TargetServer]
    private let calls: [PortServer]
    private let sockets: [PortServer]
    private var isPassingThere = true
    private var absent: [String: Document.Address] = [:]
    /// Whether clients stay with one of the two blue groups.
    private var isSticky = true
    /// Which of the certificates the second listener has.
    private var pairIndex = 0

    init() throws {
        steady = try TargetServer("steady")
        flipping = try TargetServer("flipping")
        passing = try TargetServer("passing")
        dying = try DyingTarget()
        greens = [try TargetServer("green-0"), try TargetServer("green-1")]
        calls = [try PortServer.python("grpc_target"), try PortServer.python("grpc_target")]
        sockets = [try PortServer.python("websocket_target"), try PortServer.python("websocket_target")]
        spare = try PortAllocator.port()
        let rules = [
            Document.rule(10, "path-pattern", ["/load/post-*"], Document.forward("green")),
            Document.rule(20, "path-pattern", ["/test.Echo/*"], Document.forward("calls")),
            Document.rule(30, "path-pattern", ["/socket/*"], Document.forward("sockets")),
        ]
        var secure = Document.Listener(defaultAction: Self.toBlue(isSticky: true), rules: rules)
        secure.certificates = [Self.pairs[0]]
        var getters = [steady.address, flipping.address, passing.address, dying.address]
        for (index, zone) in ["here", "there", nil, "here"].enumerated() { getters[index].zone = zone }
        document = Document(
            listeners: [.init(defaultAction: Self.toBlue(isSticky: true), rules: rules), secure],
            groups: [
                .init("blue", getters), .init("blue-too", getters), .init("green", servers: greens),
                .init("calls", calls.map(\.address), settings: ["protocolVersion": "GRPC", "healthCheckPath": "/"]),
                .init("sockets", sockets.map(\.address), settings: ["healthCheckProtocol": "TCP"]),
            ], attributes: ["apus.h2c.enabled": true])
        document.runtime["availabilityZone"] = "here"
        document.runtime["cookieKeyRotationSeconds"] = 604_800
        apus = try ApusProcess.start(document)
        try apus.restart(withCookieKeysOlderBy: 7200)
        admin = try AdminClient(path: apus.socketPath)
    }

    /// Divides requests between two groups with the same targets; has clients with cookies stay with theirs, or not.
    private static func toBlue(isSticky: Bool) -> JSON {
        var action = Document.forward(["blue": 3, "blue-too": 1])
        if isSticky {
            action["forwardConfig"]["targetGroupStickinessConfig"] = ["enabled": true, "durationSeconds": 60]
        }
        return action
    }

    /// Makes one change.
    func make(_ change: Change, _ random: inout SplitMix) throws {
        counts[change, default: 0] += 1
        let number = counts[change] ?? 0
        switch change {
        case .register, .deregister: try move(passing.address, in: "blue", &isPassingThere)
        case .weights: try setWeights(&random)
        case .rule: try putOrDeleteRule(number)
        case .groupOfRule: try makeAndUseGroup(number)
        case .listener: try openAndCloseListener()
        case .certificate:
            pairIndex = number % 2
            try putListener(1)
        case .groupStickiness: try changeGroupStickiness()
        case .reload: try reload { $0.attributes["routing.http.xff_client_port.enabled"] = .bool(number % 2 == 1) }
        case .desyncMode:
            let mode = ["monitor", "strictest", "defensive"][number % 3]
            try reload { $0.attributes["routing.http.desync_mitigation_mode"] = .string(mode) }
        // The key is two hours old, and replaced at the first change.
        case .cookieKey: try reload { $0.runtime["cookieKeyRotationSeconds"] = number % 2 == 1 ? 3600 : 604_800 }
        case .zones: try changeZones(number)
        case .rateLimit: try putOrDeleteRateLimit(number)
        case .headerFields: try putOrDeleteHeaderFields(number)
        case .algorithm: try changeAlgorithm(number, &random)
        case .attributes: try changeAttributes(number)
        case .healthFlip: flipHealth(number)
        case .death: if number % 4 == 1 { try dying.change() }
        case .deregisterCalls: try swap(calls.map(\.address), in: "calls")
        case .deregisterSockets: try swap(sockets.map(\.address), in: "sockets")
        case .instance:
            try ask("PUT", "/v1/instances/i-0123456789abcdef0", ["address": .string("10.0.0.\(1 + number % 250)")])
        }
    }

    /// Has all be there and well again, so that what is under way ends as it should.
    func comeBack() throws {
        flipping.healthStatus.withLock { $0 = 200 }
        greens[0].healthStatus.withLock { $0 = 200 }
        try dying.start()
        for change in Change.allCases { #expect(counts[change, default: 0] > 0, "\(change) was never made") }
        #expect(apus.errors.contains("the key of cookies was replaced"))
    }

    // MARK: Changes

    private func ask(_ method: String, _ path: String, _ body: JSON? = nil) throws {
        let answer = try admin.ask(method, path, body)
        if answer.status >= 300 { refused.append("\(method) \(path): \(answer.status) \(answer.text)") }
    }

    private func listener(_ index: Int) -> String { "/v1/load-balancers/web/listeners/\(apus.ports[index])" }

    private func move(_ target: Document.Address, in group: String, _ isThere: inout Bool) throws {
        let action = isThere ? "deregister" : "targets"
        try ask("POST", "/v1/target-groups/\(group)/\(action)", ["targets": [target.json]])
        isThere.toggle()
    }

    /// One of two targets is away at most.
    private func swap(_ targets: [Document.Address], in group: String) throws {
        if let away = absent.removeValue(forKey: group) {
            try ask("POST", "/v1/target-groups/\(group)/targets", ["targets": [away.json]])
        } else if try targets.allSatisfy({ try isHealthy($0, in: group) }) {
            let leaving = targets[counts[.deregisterCalls, default: 0] / 2 % 2]
            absent[group] = leaving
            try ask("POST", "/v1/target-groups/\(group)/deregister", ["targets": [leaving.json]])
        }
    }

    /// A target that has come back may be there twice: as what it is, and as what it was and still drains.
    private func isHealthy(_ target: Document.Address, in group: String) throws -> Bool {
        let answer = try admin.ask("GET", "/v1/target-groups/\(group)/targets?id=\(target.id)&port=\(target.port)")
        return answer.json["targetHealthDescriptions"].elements.contains {
            $0["targetHealth"]["state"].string == "healthy"
        }
    }

    private func setWeights(_ random: inout SplitMix) throws {
        for index in 0..<2 {
            let weights: JSON = ["blue": JSON(Int.random(in: 1...9, using: &random)), "blue-too": 1]
            try ask("PUT", "\(listener(index))/weights", weights)
        }
    }

    /// A rule before the others that applies to some requests and takes them to where they went before.
    private func putOrDeleteRule(_ number: Int) throws {
        for index in 0..<2 {
            guard number % 3 != 0 else {
                try ask("DELETE", "\(listener(index))/rules/5")
                continue
            }
            var rule = Document.rule(5, "path-pattern", ["/load/get-*", "/load/h2-*"], Document.forward("blue"))
            let header: JSON = ["field": "host-header", "regexValues": ["^example\\.(com|org)$"]]
            rule["conditions"] = .array(rule["conditions"].elements + [header])
            if number % 3 == 2 {
                let rewrite: JSON = ["regex": "^/load/(.*)$", "replace": "/loaded/$1"]
                rule["transforms"] = [
                    ["type": "url-rewrite", "urlRewriteConfig": ["rewrites": [rewrite]]]
                ]
            }
            try ask("PUT", "\(listener(index))/rules/5", rule)
        }
    }

    private func makeAndUseGroup(_ number: Int) throws {
        let group = "/v1/target-groups/extra-\(number)"
        let settings: JSON = [
            "targetType": "ip", "protocol": "HTTP", "port": JSON(steady.port), "targets": [["id": "127.0.0.1"]],
        ]
        try ask("PUT", group, settings)
        let rule = Document.rule(7, "path-pattern", ["/load/get-1*"], Document.forward("extra-\(number)"))
        try ask("PUT", "\(listener(0))/rules/7", rule)
        try ask("DELETE", "\(listener(0))/rules/7")
        try ask("DELETE", group)
    }

    private func openAndCloseListener() throws {
        let path = "/v1/load-balancers/web/listeners/\(spare)"
        try ask("PUT", path, ["protocol": "HTTP", "defaultActions": [Document.forward("green")]])
        let client = try RawClient(port: spare)
        if try client.get("/spare").status != 200 { refused.append("the spare listener") }
        try ask("DELETE", path)
    }

    private func putListener(_ index: Int) throws {
        var body: JSON = [
            "protocol": index == 0 ? "HTTP" : "HTTPS", "defaultActions": [Self.toBlue(isSticky: isSticky)],
        ]
        if index == 1 {
            let pair = Self.pairs[pairIndex]
            let certificate: JSON = [
                "certificateFile": .string(pair.certificatePath), "privateKeyFile": .string(pair.privateKeyPath),
            ]
            body["certificates"] = [certificate]
        }
        try ask("PUT", listener(index), body)
    }

    /// An action that divides requests between groups of which one has sticky targets must be sticky itself.
    private func changeGroupStickiness() throws {
        if isSticky { for group in ["blue", "blue-too"] { try put(group, [:]) } }
        isSticky.toggle()
        for index in 0..<2 { try putListener(index) }
    }

    /// The file changes.
    private func reload(_ change: (inout Document) -> Void) throws {
        change(&document)
        try apus.write(document)
        try ask("POST", "/v1/reload")
    }

    /// A rule with a rate limit that nobody reaches, with another key, or without one.
    private func putOrDeleteRateLimit(_ number: Int) throws {
        var rule = Document.rule(3, "path-pattern", ["/load/get-3*", "/load/h2-1*"], Document.forward("blue"))
        let key = number % 2 == 0 ? "source-ip" : "header User-Agent"
        if number % 4 != 3 { rule["apus.rateLimit"] = ["key": .string(key), "requestsPerSecond": 1_000_000] }
        try putOrDelete(rule, isThere: number % 4 != 0)
    }

    /// A rule that changes fields of requests and responses.
    private func putOrDeleteHeaderFields(_ number: Int) throws {
        var rule = Document.rule(4, "path-pattern", ["/load/get-2*", "/load/h2-0*"], Document.forward("blue-too"))
        let value = JSON.string("\(number) of #{client-ip} for #{path}")
        let set: JSON = ["action": "set", "name": "X-Number", "value": value]
        rule["apus.requestHeaders"] = [set, ["action": "remove", "name": "User-Agent"]]
        if number % 2 == 0 { rule["apus.responseHeaders"] = [set, ["action": "remove", "name": "Server"]] }
        try putOrDelete(rule, isThere: number % 3 != 0)
    }

    private func putOrDelete(_ rule: JSON, isThere: Bool) throws {
        guard let priority = rule["priority"].int else { return }
        for index in 0..<2 {
            let path = "\(listener(index))/rules/\(priority)"
            try ask(isThere ? "PUT" : "DELETE", path, isThere ? rule : nil)
        }
    }

    /// The targets of this zone alone, or first, or those of all zones.
    private func changeZones(_ number: Int) throws {
        let attributes: [[String: JSON]] = [
            [:], ["load_balancing.cross_zone.enabled": false], ["apus.own_zone_first.enabled": true],
        ]
        for group in ["blue", "blue-too"] { try put(group, attributes[number % 3]) }
    }

    private static let algorithms: [[String: JSON]] = [
        ["load_balancing.algorithm.type": "least_outstanding_requests"],
        ["load_balancing.algorithm.type": "weighted_random", "load_balancing.algorithm.anomaly_mitigation": "on"],
        ["load_balancing.algorithm.type": "apus.least_latency"],
        ["load_balancing.algorithm.type": "apus.consistent_hash", "apus.consistent_hash.key": "path"],
        ["load_balancing.algorithm.type": "round_robin", "slow_start.duration_seconds": 30],
        ["load_balancing.algorithm.type": "round_robin"],
        ["stickiness.enabled": true, "stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": 60],
        [
            "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": 3,
            "target_group_health.dns_failover.minimum_healthy_targets.count": "off",
        ],
        ["apus.target.max_requests": 3, "apus.target.queue_timeout_seconds": 60],
        ["apus.outlier.consecutive_failures": 3, "apus.outlier.ejection_seconds": 1],
        ["apus.health.trust_traffic.enabled": true, "apus.health.max_removals_percent": 50],
    ]

    private func changeAlgorithm(_ number: Int, _ random: inout SplitMix) throws {
        guard let attributes = Self.algorithms.randomElement(using: &random) else { return }
        let mayBeBlue = isSticky || attributes["stickiness.enabled"] == nil
        try put(mayBeBlue ? ["blue", "blue-too", "green"][number % 3] : "green", attributes)
    }

    private func changeAttributes(_ number: Int) throws {
        try put(
            "blue",
            [
                "apus.retry.body_bytes_max": JSON(number % 2 * 65_536),
                "apus.target_keep_alive.idle_seconds": JSON(1 + number % 4),
                "deregistration_delay.timeout_seconds": JSON(100 + number),
            ])
    }

    private func put(_ name: String, _ attributes: [String: JSON]) throws {
        var body = try admin.ask("GET", "/v1/target-groups/\(name)").json
        body["attributes"] = .object(attributes)
        body["targets"] = .null
        try ask("PUT", "/v1/target-groups/\(name)", .object(body.members.filter { $0.value != .null }))
    }

    /// A target fails its checks for some rounds, by an answer or by none, and passes them again.
    private func flipHealth(_ number: Int) {
        let isWell = number / 4 % 2 == 1
        flipping.healthStatus.withLock { $0 = isWell ? 200 : number / 8 % 2 == 0 ? 503 : nil }
        greens[0].healthStatus.withLock { $0 = isWell ? 200 : 503 }
    }
}

/// A target that is killed and comes back at the same port.
private final class DyingTarget {
    let address: Document.Address
    private let folder: String
    private var child: ChildProcess?

    init() throws {
        folder = try temporaryFolder()
        address = Document.Address(port: try PortAllocator.port())
        try start()
    }

    deinit {
        child?.kill()
        removeFolder(folder)
    }

    /// Dies, or comes back.
    func change() throws {
        guard let child else { return try start() }
        child.kill()
        self.child = nil
    }

    /// Runs again, if it does not.
    func start() throws {
        guard child == nil else { return }
        child = try ChildProcess(
            [
                Tool.python, Tool.script("recording_target"), address.id, "\(address.port)", "dying",
                "\(folder)/record",
            ], folder: folder, label: UUID().uuidString)
    }
}
