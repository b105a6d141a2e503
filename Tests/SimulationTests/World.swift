import Core

@testable import Proxy

/// All that one seed decides: workers, clients, targets, and what happens to them.
///
/// Shape:  one thread. Whoever has something to do is chosen by the seed; when nobody has, the clock goes on to the
///         next packet or deadline.
final class World {
    let seed: UInt64
    let network: SimulatedNetwork
    var random: FastRandom
    /// Nobody breaks off, dies or is silent: then every request is answered by a target.
    let isCalm: Bool
    var ledger = Ledger()
    let scratch = Buffer(capacity: 16_384)
    let httpAddress = World.address("10.0.0.1", 80)
    let tunnelAddress = World.address("10.0.0.1", 81)
    var workers: [SimulatedWorker] = []
    var isFinishing = false

    private var poller = Poller()
    private var residents = Slab<Resident>()
    private var agenda: [AgendaEntry] = []
    private var stepCount = 0
    private var clientsToStart = 0

    private struct AgendaEntry {
        let at: Instant
        let action: () -> Void
    }

    private enum Resident {
        case connection(Connection)
        case target(Target)
    }

    /// The party of all that is no worker.
    static let party = 0
    /// More steps than any seed needs: then something spins.
    private static let stepsMax = 400_000

    init(seed: UInt64, _ network: SimulatedNetwork) {
        self.seed = seed
        self.network = network
        random = FastRandom(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 1)
        isCalm = random.next(below: 4) == 0
        var conditions = SimulatedNetwork.Conditions()
        conditions.latencyMax = [20_000, 200_000, 2_000_000, 30_000_000][random.next(below: 4)]
        conditions.jitterMax = conditions.latencyMax / 4
        conditions.segmentBytesMax = [16, 200, 1460, 16_384][random.next(below: 4)]
        conditions.bufferBytesMax = [2048, 16_384, 131_072][random.next(below: 3)]
        conditions.callTimeMax = [500, 3000, 20_000][random.next(below: 3)]
        conditions.partialWaits = [0, 0, 3][random.next(below: 3)]
        network.conditions = conditions
    }

    // MARK: What scripts use

    static func address(_ host: String, _ port: UInt16) -> SocketAddress {
        guard let address = SocketAddress(literal: host, port: port) else { fatalError("\(host) is no address") }
        return address
    }

    func connect(to address: SocketAddress) -> Socket {
        do { return try Socket.connect(to: address) } catch { fatalError("simulation: \(error)") }
    }

    /// Has a client begin some time later. The world is not quiet before it has.
    func startClient(after time: Nanoseconds, _ start: @escaping (World) -> Void) {
        clientsToStart += 1
        after(time) { [unowned self] in
            clientsToStart -= 1
            start(self)
        }
    }

    /// Whether all clients have begun, and each of their requests has had its end.
    var isDone: Bool { clientsToStart == 0 && ledger.open.isEmpty }

    func listen(on address: SocketAddress) -> Socket { network.listen(on: address) }

    func watch(_ connection: Connection, _ socket: Socket) -> Token {
        let token = residents.insert(.connection(connection))
        poller.add(socket.descriptor, token: token, interest: .edges)
        return token
    }

    func watch(_ target: Target, _ socket: Socket) -> Token {
        let token = residents.insert(.target(target))
        poller.add(socket.descriptor, token: token, interest: .readable)
        return token
    }

    func forget(_ token: Token) { residents.remove(token) }

    func after(_ time: Nanoseconds, _ action: @escaping () -> Void) {
        let entry = AgendaEntry(at: network.now + time, action: action)
        // The next one is the last, and of those at one time the one that came first.
        var index = agenda.count
        while index > 0, agenda[index - 1].at <= entry.at { index -= 1 }
        agenda.insert(entry, at: index)
    }

    /// How long somebody reads nothing: mostly a little, now and then longer than timeouts are.
    func pauseTime() -> Nanoseconds {
        isCalm || random.next(below: 10) > 0 ? random.next() % 5_000_000 : random.next() % 3_000_000_000
    }

    func fault(_ text: String) {
        ledger.fault(text)
        tell("FAULT: \(text)")
    }

    func tell(_ text: @autoclosure () -> String) { network.trace?(Self.party, text()) }

    func refused(_ plan: RequestPlan, _ status: Int, _ reason: String) {
        ledger.end(plan.id, .refused(status))
        tell("request \(plan.id) was refused: \(status) \(reason)")
        if isCalm { fault("request \(plan.id) was refused though nothing was wrong: \(status) \(reason)") }
        if status == 400 || status == 500 { fault("request \(plan.id) was good and got \(status) \(reason)") }
    }

    /// Its client was told that it was not processed, and may send it again. So it is when a target ends an idle
    /// connection at the moment of its use, and the body cannot be sent once more. Source: RFC 9113 §8.7.
    func leftToClient(_ plan: RequestPlan) {
        ledger.end(plan.id, .aborted)
        tell("request \(plan.id) was left to its client")
    }

    func aborted(_ plan: RequestPlan) {
        ledger.end(plan.id, .aborted)
        tell("request \(plan.id) was aborted")
        if isCalm { fault("request \(plan.id) was aborted though nothing was wrong") }
    }

    // MARK: Time

    /// Lets everything happen that happens until `end`, or until `isDone`.
    func run(until end: Instant, _ isDone: () -> Bool) {
        while !isDone(), ledger.faults.isEmpty {
            stepCount += 1
            if stepCount > Self.stepsMax { return fault("something spins") }
            if takeStep() { continue }
            var next = network.nextArrival ?? .distantFuture
            for worker in workers { next = min(next, worker.nextPassAt) }
            if let first = agenda.last { next = min(next, first.at) }
            guard next <= end else { return network.advance(to: end) }
            network.advance(to: next)
        }
    }

    /// Has one of those who have something to do do it; false if there is none.
    private func takeStep() -> Bool {
        let count = workers.count + 2
        let first = random.next(below: count)
        for offset in 0..<count {
            switch (first + offset) % count {
            case 0: if serveResidents() { return true }
            case 1: if doNext() { return true }
            case let index: if workers[index - 2].pass(network) { return true }
            }
        }
        return false
    }

    private func serveResidents() -> Bool {
        guard network.isReady(Self.party) else { return false }
        network.party = Self.party
        let readyCount = poller.wait(until: network.now, now: network.now)
        for index in 0..<readyCount {
            let ready = poller.ready(index)
            switch residents.resolve(ready.token) {
            case .connection(let connection): connection.ready(ready)
            case .target(let target): target.accept()
            case nil: continue
            }
        }
        return true
    }

    private func doNext() -> Bool {
        guard let next = agenda.last, next.at <= network.now else { return false }
        network.party = Self.party
        agenda.removeLast()
        next.action()
        return true
    }

    /// Lets go of all that holds the world.
    func end() { agenda = [] }
}
