import Core
import Model
import Routing
import TLS
import Telemetry
import Testing

@testable import Proxy

/// Plans as control makes them, with what a test does not care about filled in.
enum Plans {
    static let settings = ListenerSettings(
        idleTimeout: 60_000_000_000, clientKeepAlive: 3_600_000_000_000, firstByteTimeout: 30_000_000_000,
        headTimeout: 10_000_000_000,
        bodyRateWindow: 10_000_000_000, bodyRateWindowBytes: 1000, dropsInvalidNames: false, preservesHost: false,
        forwardedForMode: .append, addsClientPort: false, addsReason: false)

    static func target(_ id: Int) -> TargetPlan {
        TargetPlan(id: id, address: address("10.0.0.\(id + 1)", 8080), cell: TargetCell())
    }

    static func group(
        _ id: Int, _ name: String, _ targets: [TargetPlan], version: TargetGroup.ProtocolVersion = .http1,
        tls: TargetTLS? = nil, limits: TargetLimits = TargetLimits(), cell: GroupCell = GroupCell(),
        counters: TargetGroupCounters = TargetGroupCounters()
    ) -> GroupPlan {
        var settings = GroupSettings(
            version: version, tls: tls, connectTimeout: 1_000_000_000, poolIdleTimeout: 1_000_000_000,
            poolConnectionsMax: 4)
        settings.limits = limits
        return GroupPlan(id: id, name: name, targets: targets, settings: settings, cell: cell, counters: counters)
    }

    static func listener(
        _ id: Int = 0, port: UInt16 = 80, settings: ListenerSettings = settings, tls: TLSServerConfiguration? = nil,
        access: AccessPlan? = nil, rules: [(priority: Int, action: ActionPlan)] = [],
        defaultAction: ActionPlan = fixed(404)
    ) -> ListenerPlan {
        ListenerPlan(
            id: id, loadBalancer: "app/web", port: port, settings: settings, tls: tls, access: access,
            rules: rules.map { rule in
                RulePlan(
                    priority: rule.priority, conditions: [.pathPattern(PathPatternCondition(["/\(rule.priority)"]))],
                    action: rule.action)
            }, defaultAction: defaultAction)
    }

    /// A listener that passes connections on to group 0.
    static func flowListener(
        _ id: Int = 0, settings: ListenerSettings = settings, tls: TLSServerConfiguration? = nil,
        access: AccessPlan? = nil, rules: [RulePlan] = [], defaultAction: ActionPlan = forward([0], [1])
    ) -> ListenerPlan {
        ListenerPlan(
            id: id, loadBalancer: "net/flows", port: 80, settings: settings, tls: tls,
            flows: FlowSettings(idleTimeout: 350_000_000_000), access: access, rules: rules,
            defaultAction: defaultAction)
    }

    /// Group 0, to which connections are passed on.
    static func flowGroup(
        _ targets: [TargetPlan], _ flows: FlowGroupPlan = FlowGroupPlan(), tls: TargetTLS? = nil,
        counters: TargetGroupCounters = TargetGroupCounters()
    ) -> GroupPlan {
        GroupPlan(
            id: 0, name: "blue", targets: targets,
            settings: GroupSettings(
                tls: tls, flows: flows, connectTimeout: 1_000_000_000, poolIdleTimeout: 1_000_000_000,
                poolConnectionsMax: 4),
            balancing: .flowHash(MaglevTable(keys: targets.map(\.flowKey))), cell: GroupCell(), counters: counters)
    }

    /// Takes all clients but those of one network.
    static func denying(_ literal: String, _ length: Int) -> AccessPlan {
        AccessPlan(
            allowed: nil, denied: AddressSet([AddressRange(address(literal, 0), prefixLength: length)]),
            denials: DenialCounters())
    }

    /// A group without targets.
    static var emptyGroup: Group { Group(group(0, "blue", []), pools: [], random: 0) }

    /// Ticket keys that nobody else has.
    static var tickets: TLSTicketKeyRing { TLSTicketKeyRing(current: .random(), lifetime: 60) }

    /// A transport without a socket: nothing may be read or written.
    static func noTransport(to otherSide: Transport.OtherSide, token: Token = .none) -> Transport {
        Transport(token: token, socket: Socket(descriptor: -1), to: otherSide)
    }

    static func fixed(_ status: UInt16) -> ActionPlan {
        .fixedResponse(FixedResponsePlan(status: status, contentType: [], body: []))
    }

    static func forward(_ groups: [Int], _ weights: [Int]) -> ActionPlan {
        .forward(ForwardPlan(groups: groups, weights: weights))
    }

    static func address(_ literal: String, _ port: UInt16) -> SocketAddress {
        guard let address = SocketAddress(literal: literal, port: port) else { fatalError("\(literal) is no address") }
        return address
    }
}

/// A worker without a thread, whose parts are looked at between two steps.
struct WorkerBench: ~Copyable {
    let control = Mailbox<ControlMail>()
    let counters = WorkerCounters()
    let ring = LogRing(capacity: 16 * 1024)
    let connectionRing = LogRing(capacity: 16 * 1024)
    var worker: Worker

    /// Worker `index` of those with these mailboxes; without them it is the only one.
    init(
        connectionsMax: Int = 10, descriptorsMax: Int = 20, index: Int = 0, mailboxes: [Mailbox<WorkerMail>] = []
    ) {
        var configuration = WorkerConfiguration(
            index: index, connectionsMax: connectionsMax, descriptorsMax: descriptorsMax, bufferBytesMax: 1 << 20)
        configuration.mailboxes = mailboxes
        worker = Worker(
            configuration, mailbox: mailboxes.isEmpty ? Mailbox() : mailboxes[index],
            control: control, counters: counters, log: LogSink(ring: ring, wakeup: LogWakeup()),
            connectionLog: LogSink(ring: connectionRing, wakeup: LogWakeup()))
    }

    /// Adopts listeners and groups as the next generation, and logs as JSON.
    mutating func adopt(_ listeners: [ListenerPlan], _ groups: [GroupPlan]) {
        worker.adopt(Snapshot(generation: 1, listeners: listeners, groups: groups, accessLog: .json), opened: [])
    }

    /// A client that came in by the listener with this id, and its exchange. There is no socket: nothing may be read,
    /// written or closed.
    func begin(_ listener: Int = 0, from literal: String = "192.0.2.7", at instant: Instant) -> Exchange {
        guard let listener = worker.listeners[listener] else { fatalError("no such listener") }
        let client = ClientConnection(
            transport: Plans.noTransport(to: .client), address: Plans.address(literal, 50_000), listener: listener,
            now: instant)
        let exchange = Exchange()
        exchange.begin(client, now: instant, timeOfDay: 1_800_000_000_000_000_000)
        client.exchange = exchange
        client.enter(.exchanging)
        return exchange
    }

    /// What was logged since it was asked last.
    func takeLog() -> String {
        var log = ""
        ring.take { line in
            log = line.text
            return line.count
        }
        return log
    }

    /// The ids of the targets that control was told are drained, since it was asked last.
    func takeDrained() -> [Int] {
        control.takeAll().compactMap { mail in
            guard case .drained(_, let target, _, _, _) = mail else { return nil }
            return target
        }
    }
}
