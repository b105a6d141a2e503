import Core
import TLS

@testable import Proxy

/// One seed, from its first connection to the end of its workers.
final class Simulation {
    private let world: World
    private let configurations: Configurations
    private let control = Mailbox<ControlMail>()
    private var targets: [Target] = []
    private var nextID = 1
    private static let second = Nanoseconds(1_000_000_000)

    /// What was wrong; empty if nothing was. `trace` is told the time and who did what.
    static func run(seed: UInt64, trace: ((String) -> Void)? = nil) -> [String] {
        var faults: [String] = []
        SimulatedNetwork.run(seed: seed) { network in
            if let trace {
                network.trace = { [unowned network] party, text in
                    let time = String(network.now.nanoseconds / 1000 - 1_000_000)
                    let who = party == World.party ? "" : "worker \(party - 1) "
                    trace(String(repeating: " ", count: max(0, 10 - time.count)) + "\(time) µs  \(who)\(text)")
                }
            }
            faults = Simulation(seed: seed, network).play()
        }
        return faults
    }

    private init(seed: UInt64, _ network: SimulatedNetwork) {
        network.party = World.party
        world = World(seed: seed, network)
        configurations = Configurations(world)
    }

    private func play() -> [String] {
        begin()
        let start = world.network.now
        world.run(until: start + 900 * Self.second) { [world] in
            world.network.now > start + Self.second && world.isDone
        }
        for id in world.ledger.open where world.ledger.faults.isEmpty {
            world.fault("request \(id) got neither an answer nor an end")
        }
        finish()
        let faults = world.ledger.faults
        world.end()
        return faults
    }

    // MARK: The beginning

    private func begin() {
        for kind in [Target.Kind.http1, .http2, .tunnel] {
            for index in 0..<(1 + world.random.next(below: 3)) {
                let group = kind == .http1 ? 1 : kind == .http2 ? 2 : 3
                let address = World.address("10.0.\(group).\(index + 1)", 8080)
                let target = Target(world, "target \(group).\(index + 1)", kind, address)
                targets.append(target)
                configurations.register(target)
            }
        }
        let snapshot = configurations.snapshot()
        for index in 0..<(1 + world.random.next(below: 2)) {
            let isTight = !world.isCalm && world.random.next(below: 6) == 0
            let configuration = WorkerConfiguration(
                index: index, connectionsMax: isTight ? 4 : 1000, descriptorsMax: isTight ? 10 : 2000,
                bufferBytesMax: isTight ? 600_000 : 1 << 26, ticketKey: TLSTicketKey.random())
            let worker = SimulatedWorker(world.network, configuration, control: control)
            world.workers.append(worker)
            world.network.party = worker.party
            let opened = [
                OpenedListener(id: 0, socket: world.listen(on: world.httpAddress)),
                OpenedListener(id: 1, socket: world.listen(on: world.tunnelAddress)),
            ]
            world.network.party = World.party
            worker.mailbox.send(.adopt(snapshot, opened: opened))
        }
        beginClients()
        beginEvents()
    }

    private func beginClients() {
        for index in 0..<(2 + world.random.next(below: 5)) {
            let name = "client \(index + 1)"
            let time = world.random.next() % 100_000_000
            switch world.random.next(below: 5) {
            case 0, 1:
                let plans = makePlans(isHTTP2: false), depth = 1 + world.random.next(below: 3)
                let thinkTime = [0, 1_000_000, 30_000_000][world.random.next(below: 3)]
                world.startClient(after: time) { world in
                    _ = HTTP1Client(world, name, plans, depth: depth, thinkTime: Nanoseconds(thinkTime))
                }
            case 2, 3:
                let plans = makePlans(isHTTP2: true), depth = 1 + world.random.next(below: 8)
                world.startClient(after: time) { world in _ = HTTP2Client(world, name, plans, depth: depth) }
            default:
                let isWebSocket = world.random.next(below: 2) == 0
                var plan = TunnelPlan(id: takeID(), requestCount: bodyCount(), answerCount: bodyCount())
                if !world.isCalm, world.random.next(below: 5) == 0 { plan.abortAt = plan.answerCount / 2 }
                world.startClient(after: time) { [plan] world in
                    _ = isWebSocket ? WebSocketClient(world, name, plan) : TunnelClient(world, name, plan)
                }
            }
        }
    }

    private func takeID() -> Int {
        defer { nextID += 1 }
        return nextID
    }

    private func bodyCount() -> Int {
        switch world.random.next(below: 8) {
        case 0...2: world.random.next(below: 100)
        case 3...5: world.random.next(below: 5000)
        case 6: world.random.next(below: min(40_000, 6 * world.network.conditions.bufferBytesMax))
        // Longer than the buffers on its way, but not so much that it only takes time.
        default: world.random.next(below: min(200_000, 12 * world.network.conditions.bufferBytesMax))
        }
    }

    private func makePlans(isHTTP2: Bool) -> [RequestPlan] {
        (0..<(1 + world.random.next(below: 6))).map { _ in
            var plan = RequestPlan(id: takeID())
            plan.method = ["GET", "GET", "HEAD", "PUT", "POST", "POST"][world.random.next(below: 6)]
            // A group that speaks HTTP/2 takes no requests of HTTP/1.
            plan.group = isHTTP2 ? 1 + world.random.next(below: 2) : 1
            if plan.method == "PUT" || plan.method == "POST" {
                plan.bodyCount = bodyCount()
                plan.isChunked = world.random.next(below: 3) == 0
            }
            plan.answerCount = bodyCount()
            plan.closes = world.random.next(below: 12) == 0
            if world.random.next(below: 8) == 0 {
                plan.pause = (world.random.next(below: plan.bodyCount + 100), world.pauseTime())
            }
            if !world.isCalm, world.random.next(below: 12) == 0 {
                plan.abort = (world.random.next(below: plan.bodyCount + 200), world.random.next(below: 2) == 0)
            }
            return plan
        }
    }

    // MARK: What happens meanwhile

    private func beginEvents() {
        for _ in 0..<world.random.next(below: 6) {
            world.after(world.random.next() % 300_000_000) { [self] in happen() }
        }
        guard !world.isCalm, world.random.next(below: 6) == 0 else { return }
        world.after(world.random.next() % 300_000_000) { [self] in
            tellToFinish(world.network.now + world.random.next() % (2 * Self.second))
        }
    }

    private func happen() {
        switch world.random.next(below: world.isCalm ? 3 : 8) {
        case 0: deregister()
        case 1: register()
        case 2: tellWorkers(.returnMemory)
        case 3, 4: stopTarget()
        case 5: silenceTarget()
        case 6: turnUnhealthy()
        default: targets[world.random.next(below: targets.count)].endAll(reset: world.random.next(below: 2) == 0)
        }
    }

    private func tellWorkers(_ mail: WorkerMail) { for worker in world.workers { worker.mailbox.send(mail) } }

    private func adopt() { tellWorkers(.adopt(configurations.snapshot(), opened: [])) }

    private func deregister() {
        let group = world.random.next(below: 3)
        guard configurations.registered[group].count > 1 else { return }
        let index = world.random.next(below: configurations.registered[group].count)
        let registration = configurations.deregister(group, index)
        world.tell("\(registration.target.name) is deregistered")
        adopt()
        guard !world.isCalm else { return }
        world.after(world.random.next() % 200_000_000) { [self] in
            world.tell("the deregistration delay of \(registration.target.name) is over")
            tellWorkers(
                group == 2 && world.random.next() % 2 == 0
                    ? .leave(target: registration.plan.id) : .cut(target: registration.plan.id))
        }
    }

    private func register() {
        let target = targets[world.random.next(below: targets.count)]
        let group = Configurations.group(of: target)
        guard !configurations.registered[group].contains(where: { $0.target === target }) else { return }
        world.tell("\(target.name) is registered")
        configurations.register(target)
        adopt()
    }

    private func stopTarget() {
        let target = targets[world.random.next(below: targets.count)]
        world.tell("\(target.name) stops")
        target.stop(reset: world.random.next(below: 2) == 0)
        world.after(world.random.next() % 2_000_000_000) { [self] in
            world.tell("\(target.name) starts")
            target.start()
        }
    }

    private func silenceTarget() {
        let target = targets[world.random.next(below: targets.count)]
        world.tell("\(target.name) is silent")
        world.network.silence(target.address)
        guard world.random.next(below: 3) > 0 else { return }
        world.after(world.random.next() % 4_000_000_000) { [self] in
            world.tell("\(target.name) is heard again")
            world.network.restore(target.address)
        }
    }

    private func turnUnhealthy() {
        let group = world.random.next(below: 3)
        guard let registration = configurations.registered[group].first else { return }
        world.tell("\(registration.target.name) is unhealthy")
        configurations.setHealth(group, registration, false)
        tellWorkers(.unhealthy(target: registration.plan.id))
        if group == 2, world.random.next(below: 2) == 0 { tellWorkers(.terminate(target: registration.plan.id)) }
        world.after(world.random.next() % 1_000_000_000) { [self] in
            configurations.setHealth(group, registration, true)
        }
    }

    // MARK: The end

    private func tellToFinish(_ deadline: Instant) {
        world.isFinishing = true
        world.tell("the workers are to finish")
        tellWorkers(.finish(deadline: deadline))
    }

    private func finish() {
        guard world.ledger.faults.isEmpty else { return }
        let deadline = world.network.now + 30 * Self.second
        tellToFinish(deadline)
        world.run(until: deadline + Self.second) { [world] in world.workers.allSatisfy(\.isStopped) }
        guard world.ledger.faults.isEmpty else { return }
        for worker in world.workers {
            if !worker.isStopped { world.fault("worker \(worker.index) does not stop") }
            for leftover in worker.leftovers { world.fault(leftover) }
        }
        checkMail()
        let parties = world.workers.map(\.party)
        world.workers = []
        for party in parties {
            let count = world.network.descriptorCount(of: party)
            if count > 0 { world.fault("worker \(party - 1) has left \(count) descriptors open") }
        }
    }

    /// Every worker has told once, and no more, what became of each target that left.
    private func checkMail() {
        var drained: [Int: Int] = [:]
        var stopped = 0
        for mail in control.takeAll() {
            switch mail {
            case .drained(_, let target, _, _, _): drained[target, default: 0] += 1
            case .stopped: stopped += 1
            case .adopted, .connectFailed, .suspected, .trusted, .failedInARow, .copiedFlows, .handedOver,
                .confirmedFlows:
                break
            }
        }
        if stopped != world.workers.count { world.fault("\(stopped) workers said that they have stopped") }
        for (target, count) in drained where count > world.workers.count || !configurations.removed.contains(target) {
            world.fault("target \(target) was drained \(count) times")
        }
    }
}
