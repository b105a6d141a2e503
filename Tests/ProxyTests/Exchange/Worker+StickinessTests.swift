import Core
import HTTP1
import Routing
import TLS
import Telemetry
import Testing

@testable import Proxy

@Suite struct WorkerStickinessTests {
    private static let second: UInt64 = 1_000_000_000
    private static let noon = 1_800_000_000 * second

    private static func group(
        _ id: Int, _ name: String, _ kind: TargetStickiness.Kind = .loadBalancerCookie, seconds: UInt32 = 60,
        counters: TargetGroupCounters = TargetGroupCounters()
    ) -> GroupPlan {
        let targets = (0..<3).map { number in
            let cell = TargetCell()
            cell.isHealthy = true
            return TargetPlan(
                id: id * 3 + number, address: Plans.address("10.0.\(id).\(number)", 80), cell: cell,
                name: "10.0.\(id).\(number):80")
        }
        var settings = GroupSettings(connectTimeout: 1, poolIdleTimeout: 1, poolConnectionsMax: 1)
        settings.stickiness = TargetStickiness(kind: kind, seconds: seconds)
        return GroupPlan(
            id: id, name: name, targets: targets, settings: settings, cell: GroupCell(), counters: counters)
    }

    private static func bench(_ groups: [GroupPlan], isSticky: Bool = false) -> WorkerBench {
        var bench = WorkerBench()
        let action = ActionPlan.forward(
            ForwardPlan(
                groups: groups.map(\.id), weights: groups.map { _ in 1 }, isSticky: isSticky, stickinessSeconds: 60))
        bench.adopt([Plans.listener(defaultAction: action)], groups)
        bench.worker.timeOfDay = noon
        return bench
    }

    /// An exchange with a request that has these fields.
    private static func exchange(_ bench: borrowing WorkerBench, _ fields: String = "") -> Exchange {
        let exchange = bench.begin(at: bench.worker.now)
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        var scan = HeadScan()
        guard
            case .complete = parseRequestHead(
                bytes.span, into: exchange.request, options: RequestOptions(), scan: &scan)
        else { fatalError("not a request: \(fields)") }
        return exchange
    }

    /// The cookies that a response of this target carries.
    private static func cookies(
        _ bench: inout WorkerBench, _ exchange: Exchange, group: Int = 0, target: Int, remembers: Bool = false,
        response fields: String = ""
    ) -> [String] {
        let group = bench.worker.groups[group]
        exchange.group = group
        exchange.pool = group?.pools[target]
        exchange.stickiness.remembersGroup = remembers
        let response = bench.worker.response
        response.reset()
        for line in fields.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            let ranges = response.appendFieldLine(Array(parts[0].utf8).span, Array(parts[1].utf8).span)
            response.addField(name: ranges.name, value: ranges.value, id: .other)
        }
        let before = response.fieldCount
        bench.worker.setStickinessCookies(exchange)
        return (before..<response.fieldCount).map { response.bytes(response.field($0).value).text }
    }

    private static func pair(_ cookie: String) -> String { String(cookie.prefix { $0 != ";" }) }

    private static func bound(_ bench: borrowing WorkerBench, _ fields: String, group: Int = 0) -> Int? {
        guard let group = bench.worker.groups[group] else { fatalError("no group") }
        return bench.worker.boundTarget(exchange(bench, fields), group)?.id
    }

    @Test func aCookieLeadsBackToItsTarget() {
        let counters = TargetGroupCounters()
        var bench = Self.bench([Self.group(0, "blue", counters: counters)])
        for target in 0..<3 {
            let set = Self.cookies(&bench, Self.exchange(bench), target: target)
            #expect(set.count == 2 && set[0].hasPrefix("AWSALB=") && set[1].hasPrefix("AWSALBCORS="))
            #expect(set[0].hasSuffix("; Expires=Fri, 22 Jan 2027 08:00:00 GMT; Path=/"))
            #expect(set[1].hasSuffix("; Expires=Fri, 22 Jan 2027 08:00:00 GMT; Path=/; SameSite=None; Secure"))
            for cookie in set { #expect(Self.bound(bench, "Cookie: a=b; \(Self.pair(cookie))\r\n") == target) }
        }
        #expect(counters.stickiness.value(.kept) == 6)
        #expect(Self.bound(bench, "") == nil && counters.stickiness.value(.none) == 1)
    }

    /// Of two cookies that name different targets that of CORS counts, as with ALB.
    @Test func theCookieOfCORSWins() {
        var bench = Self.bench([Self.group(0, "blue")])
        let one = Self.cookies(&bench, Self.exchange(bench), target: 1)
        let two = Self.cookies(&bench, Self.exchange(bench), target: 2)
        #expect(Self.bound(bench, "Cookie: \(Self.pair(one[0])); \(Self.pair(two[1]))\r\n") == 2)
        #expect(Self.bound(bench, "Cookie: \(Self.pair(one[0])); AWSALBCORS=forged\r\n") == 1)
    }

    /// All clients of a second get the same value, and those of the next another.
    @Test func aCookieIsSealedOnceASecond() {
        var bench = Self.bench([Self.group(0, "blue")])
        let first = Self.cookies(&bench, Self.exchange(bench), target: 1)
        #expect(Self.cookies(&bench, Self.exchange(bench), target: 1) == first)
        bench.worker.timeOfDay += Self.second
        #expect(Self.pair(Self.cookies(&bench, Self.exchange(bench), target: 1)[0]) != Self.pair(first[0]))
    }

    @Test func whatCannotBeHonouredIsCounted() {
        let counters = TargetGroupCounters(), plan = Self.group(0, "blue", counters: counters)
        var bench = Self.bench([plan, Self.group(1, "green")])
        func expect(_ fields: String, _ result: StickinessResult, _ bench: borrowing WorkerBench) {
            let before = counters.stickiness.value(result)
            #expect(Self.bound(bench, fields) == nil)
            #expect(counters.stickiness.value(result) == before + 1, "\(result)")
        }
        let own = "Cookie: \(Self.pair(Self.cookies(&bench, Self.exchange(bench), target: 1)[0]))\r\n"
        let green = Self.pair(Self.cookies(&bench, Self.exchange(bench), group: 1, target: 0)[0])
        expect("Cookie: AWSALB=x\r\n", .invalid, bench)
        expect("Cookie: \(green)\r\n", .foreign, bench)
        // A good one behind a bad one counts.
        #expect(Self.bound(bench, "Cookie: \(green)\r\nCookie: AWSALB\(own.dropFirst(14))") == 1)
        bench.worker.timeOfDay += 60 * Self.second
        #expect(Self.bound(bench, own) == 1)
        bench.worker.timeOfDay += Self.second
        expect(own, .expired, bench)
        bench.worker.timeOfDay = Self.noon
        plan.targets[1].cell.isHealthy = false
        plan.cell.flip()
        expect(own, .unavailable, bench)
        for target in plan.targets { target.cell.isHealthy = false }
        plan.cell.flip()
        #expect(Self.bound(bench, own) == 1, "while all fail, all are used, and each by its own clients")
        bench.worker.cookieCipher.adopt([.random(createdAt: 1)])
        expect(own, .invalid, bench)
    }

    /// A suspect gets a request a second, of clients that are its own too.
    @Test func aSuspectIsTriedNowAndThen() {
        let plan = Self.group(0, "blue")
        var bench = Self.bench([plan])
        let own = "Cookie: \(Self.pair(Self.cookies(&bench, Self.exchange(bench), target: 1)[0]))\r\n"
        #expect(plan.targets[1].cell.suspect(now: bench.worker.now))
        plan.cell.flip()
        #expect(Self.bound(bench, own) == nil)
        bench.worker.resources.now = bench.worker.now + 5 * Self.second
        #expect(Self.bound(bench, own) == 1)
        #expect(Self.bound(bench, own) == nil)
    }

    /// A weight of 0 keeps clients, unless it is 0 since nothing may go to the target's zone.
    @Test(arguments: [true, false]) func aTargetWithoutWeightKeepsItsClients(keepsClients: Bool) {
        let plan = Self.group(0, "blue")
        let drained = GroupPlan(
            id: 0, name: "blue",
            targets: plan.targets.map {
                TargetPlan(
                    id: $0.id, address: $0.address, weight: $0.id == 1 ? 0 : 1, cell: $0.cell, name: "\($0.address)",
                    keepsClients: $0.id != 1 || keepsClients)
            }, settings: plan.settings, cell: GroupCell(), counters: TargetGroupCounters())
        var bench = Self.bench([drained])
        let own = "Cookie: \(Self.pair(Self.cookies(&bench, Self.exchange(bench), target: 1)[0]))\r\n"
        #expect(Self.bound(bench, own) == (keepsClients ? 1 : nil))
    }

    /// A target that ends an idle connection when it is about to be used is still there: nobody loses a session by it.
    @Test(arguments: 0..<2) func anIdleConnectionThatEndsLeavesItsTargetAlone(first: Int) throws {
        let targets = [try LoopbackTarget(0), try LoopbackTarget(1)]
        var settings = GroupSettings(
            connectTimeout: Self.second, poolIdleTimeout: 60 * Self.second, poolConnectionsMax: 4)
        settings.stickiness = TargetStickiness(kind: .loadBalancerCookie, seconds: 60)
        let group = GroupPlan(
            id: 0, name: "blue", targets: targets.map(\.plan), settings: settings, cell: GroupCell(),
            counters: TargetGroupCounters())
        var worker = try ServingWorker(Plans.listener(defaultAction: Plans.forward([0], [1])), [group])
        func ask(_ client: LoopbackEnd, _ fields: String) {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        }
        let pools = worker.bench.worker.groups[0]?.pools ?? []
        let exchange = Self.exchange(worker.bench)
        let own = "Cookie: \(Self.pair(Self.cookies(&worker.bench, exchange, target: first)[0]))\r\n"
        exchange.pool = nil
        #expect(pools.count == 2)
        let client = try worker.client()
        ask(client, own)
        #expect(worker.serve { targets[first].has(1) })
        targets[first].connections[0].answer()
        #expect(worker.serve { client.count(of: 200) == 1 })
        ask(client, own)
        worker.pass { targets[first].connections[0].close() }
        #expect(worker.serve { targets[first].has(2) })
        #expect(targets[first].connections.count == 2 && !targets[1 - first].has(1))
        targets[first].connections[1].answer()
        #expect(worker.serve { client.count(of: 200) == 2 })
        #expect(worker.counters.retries.value == 1, "it was sent again")
        worker.stop()
    }

    /// The name counts, not the place: another document has the target elsewhere, under another number.
    @Test func aTargetIsFoundAfterARestart() {
        let plan = Self.group(0, "blue")
        var bench = Self.bench([plan])
        let key = CookieKey.random(createdAt: 1)
        bench.worker.cookieCipher.adopt([key])
        let own = "Cookie: \(Self.pair(Self.cookies(&bench, Self.exchange(bench), target: 1)[0]))\r\n"
        let moved = GroupPlan(
            id: 5, name: "blue",
            targets: plan.targets.reversed().map {
                TargetPlan(id: $0.id + 40, address: $0.address, cell: $0.cell, name: "\($0.address)")
            }, settings: plan.settings, cell: GroupCell(), counters: TargetGroupCounters())
        let next = Self.bench([moved])
        next.worker.cookieCipher.adopt([.random(createdAt: 2), key])
        #expect(Self.bound(next, own, group: 5) == 41)
    }

    @Test func theCookieOfTheApplicationIsNeededToo() {
        let counters = TargetGroupCounters()
        var bench = Self.bench([Self.group(0, "blue", .applicationCookie(Array("SESSION".utf8)), counters: counters)])
        func set(_ response: String, _ bench: inout WorkerBench) -> [String] {
            Self.cookies(&bench, Self.exchange(bench), target: 2, response: response)
        }
        #expect(set("", &bench).isEmpty && set("Set-Cookie:OTHER=1\nSet-Cookie:SESSIONS=1", &bench).isEmpty)
        let cookies = set("Set-Cookie:a=b\nset-cookie:SESSION=7; HttpOnly", &bench)
        #expect(cookies.count == 1 && cookies[0].hasPrefix("AWSALBAPP-0=") && cookies[0].hasSuffix("GMT; Path=/"))
        let own = Self.pair(cookies[0])
        #expect(Self.bound(bench, "Cookie: \(own)\r\n") == nil && counters.stickiness.value(.none) == 1)
        #expect(Self.bound(bench, "Cookie: SESSION=8; \(own)\r\n") == 2)
        // A response to a request that has the cookie renews ours.
        let exchange = Self.exchange(bench, "Cookie: SESSION=7\r\n")
        if let group = bench.worker.groups[0] { #expect(bench.worker.boundTarget(exchange, group) == nil) }
        #expect(Self.cookies(&bench, exchange, target: 1).count == 1)
        // The cookie of another kind is none, whatever its name.
        let renamed = "AWSALB=" + own.dropFirst("AWSALBAPP-0=".count)
        #expect(Self.bound(bench, "Cookie: SESSION=7; \(renamed)\r\n") == nil)
    }

    @Test func aGroupIsRemembered() {
        var bench = Self.bench([Self.group(0, "blue"), Self.group(1, "green")], isSticky: true)
        guard let forward = bench.worker.listeners[0]?.forward(priority: nil) else { fatalError("no forward") }
        for id in 0..<2 {
            let set = Self.cookies(&bench, Self.exchange(bench), group: id, target: 0, remembers: true)
            #expect(set.map { $0.prefix { $0 != "=" } } == ["AWSALBTG", "AWSALBTGCORS", "AWSALB", "AWSALBCORS"])
            #expect(set[1].hasSuffix("; Path=/; SameSite=None; Secure"))
            for cookie in set.prefix(2) {
                let exchange = Self.exchange(bench, "Cookie: \(Self.pair(cookie))\r\n")
                #expect(bench.worker.boundGroup(exchange, forward)?.plan.id == id)
                #expect(exchange.record.errorReason == nil)
            }
            // What names a target names no group.
            let exchange = Self.exchange(bench, "Cookie: AWSALBTG\(Self.pair(set[2]).dropFirst(6))\r\n")
            #expect(bench.worker.boundGroup(exchange, forward) == nil)
        }
        #expect(bench.counters.groupStickiness.value(.kept) == 4)
        #expect(bench.counters.groupStickiness.value(.foreign) == 2)
        let exchange = Self.exchange(bench, "Cookie: AWSALBTG=x%3D\r\n")
        #expect(bench.worker.boundGroup(exchange, forward) == nil)
        #expect(exchange.record.errorReason.map { "\($0)" } == "AWSALBTGCookieInvalid")
    }

    /// A cookie for a group that the action has no more, or that has no weight.
    @Test func aGroupThatIsLeftIsForgotten() {
        let blue = Self.group(0, "blue"), green = Self.group(1, "green")
        var bench = Self.bench([blue, green], isSticky: true)
        let cookie = Self.pair(
            Self.cookies(&bench, Self.exchange(bench), group: 0, target: 0, remembers: true)[0])
        func bound(_ plan: ForwardPlan, _ groups: [GroupPlan], _ bench: inout WorkerBench) -> Group? {
            bench.adopt([Plans.listener(defaultAction: .forward(plan))], groups)
            guard let forward = bench.worker.listeners[0]?.forward(priority: nil) else { fatalError("no forward") }
            return bench.worker.boundGroup(Self.exchange(bench, "Cookie: \(cookie)\r\n"), forward)
        }
        let both = ForwardPlan(groups: [0, 1], weights: [0, 1], isSticky: true, stickinessSeconds: 60)
        #expect(bound(both, [blue, green], &bench) == nil && bench.counters.groupStickiness.value(.unavailable) == 1)
        let one = ForwardPlan(groups: [1], weights: [1], isSticky: true, stickinessSeconds: 60)
        #expect(bound(one, [green], &bench) == nil && bench.counters.groupStickiness.value(.gone) == 1)
        let again = ForwardPlan(groups: [1, 0], weights: [999, 1], isSticky: true, stickinessSeconds: 60)
        #expect(bound(again, [green, blue], &bench)?.plan.name == "blue", "the same name is the same group")
    }
}
