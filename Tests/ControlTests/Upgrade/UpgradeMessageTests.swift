import Core
import Model
import Proxy
import Routing
import TLS
import Testing

@testable import Control

@Suite struct UpgradeMessageTests {
    private static let key = ListenerKey(
        loadBalancer: "web", address: SocketAddress(literal: "2001:db8::1", port: 443)!, carries: .both, kind: .network)
    private static let process = FinishingProcess(id: 12, version: "0.1.0", connections: 17)

    private static let flow: FlowMemory = {
        var flow = MovedFlow(
            listener: 1, group: 2, target: 3, socket: DatagramSocket(descriptor: -1),
            client: SocketAddress(literal: "192.0.2.7", port: 4711)!, beganAt: Instant(nanoseconds: 5),
            lastActivity: Instant(nanoseconds: .max))
        flow.local = LocalAddress(SocketAddress(literal: "fe80::1", port: 0)!, interfaceIndex: 7)
        flow.serverID = .max
        flow.takesHandshakes = true
        flow.isAnswered = true
        flow.isVerified = true
        flow.acceptedAt = 8
        flow.receivedBytes = 9
        flow.sentBytes = 10
        flow.trace = (.max, 11)
        return FlowMemory(flow, listener: key, group: "blue", target: TargetKey(id: "192.0.2.1", port: 80))
    }()

    /// One of which little is known, of IPv4, to another target.
    private static let plain: FlowMemory = {
        var flow = MovedFlow(
            listener: 1, group: 2, target: 4, socket: DatagramSocket(descriptor: -1),
            client: SocketAddress(literal: "2001:db8::7", port: 65_535)!, beganAt: Instant(nanoseconds: 0),
            lastActivity: Instant(nanoseconds: 1))
        flow.number = 70_000
        return FlowMemory(flow, listener: key, group: "green", target: TargetKey(id: "i-1", port: 81))
    }()

    private static let change: FlowChange = {
        var change = FlowChange(number: 70_000, lastActivity: Instant(nanoseconds: .max))
        change.isAnswered = true
        change.receivedBytes = .max
        change.sentBytes = 3
        return change
    }()

    @Test func arrivesAsItWasSent() {
        let key = TLSTicketKey.random()
        let messages: [UpgradeMessage] = [
            .hello(protocolVersion: 1, version: "0.1.0"), .listener(Self.key, worker: 3), .metrics,
            .passedSocket(name: "web"),
            .adminSocket(path: "/run/apus/admin.sock"), .readOnlySocket(path: "/run/apus/read.sock"),
            .lock(folder: "/var/lib/apus"),
            .ticketKeys(current: key, previous: nil), .ticketKeys(current: key, previous: .random()),
            .start(workers: 4, Self.process, generation: 9), .failed(reason: "no \"port\""), .ready,
            .flows([Self.flow, Self.plain, Self.flow], worker: 0), .copied, .prepared,
            .endedFlows([0, 7, 4_000], worker: 1), .switched, .flowChanges([Self.change, Self.change], worker: 1),
            .earlier(Self.process), .complete, .left(connections: 3),
        ]
        for message in messages { #expect(UpgradeMessage(message.bytes) == message) }
    }

    @Test func aFlowKeepsAllThatIsKnown() throws {
        let message = UpgradeMessage.flows([Self.flow], worker: 0)
        guard case .flows(let flows, 0)? = UpgradeMessage(message.bytes) else {
            Issue.record("no flows")
            return
        }
        let moved = try #require(flows.first).flow(
            listener: 4, group: 5, target: 6, socket: DatagramSocket(descriptor: 9))
        #expect(moved.listener == 4 && moved.group == 5 && moved.target == 6 && moved.socket.descriptor == 9)
        #expect(moved.client.description == "192.0.2.7:4711" && moved.serverID == .max)
        #expect(moved.local?.address.host == "fe80::1" && moved.local?.interfaceIndex == 7)
        #expect(moved.takesHandshakes && moved.isAnswered && moved.isVerified)
        #expect(moved.beganAt.nanoseconds == 5 && moved.lastActivity == .distantFuture && moved.acceptedAt == 8)
        #expect(moved.receivedBytes == 9 && moved.sentBytes == 10 && moved.trace == (.max, 11))
    }

    @Test(arguments: [
        HealthState.Phase.initial(isChecked: true, failures: 1), .healthy(failures: 2),
        .unhealthy(passes: 1, because: .timeout), .unhealthy(passes: 0, because: .responseCode(503)),
        .unhealthy(passes: 0, because: .notServing), .unhealthy(passes: 0, because: .failed),
    ]) func aTargetKeepsItsHealth(phase: HealthState.Phase) throws {
        let state = GroupState(id: 0, configuration: group("blue"), workerCount: 1)
        let registration = Registration(
            id: 0, group: state, key: TargetKey(id: "192.0.2.1", port: 80),
            address: SocketAddress(literal: "192.0.2.1", port: 80),
            health: HealthState(phase, registeredAt: Instant(nanoseconds: 77)))
        let now = Instant.now()
        registration.cell.beginSlowStart(now: now)
        registration.cell.load.learnedLatency = LearnedLatency(microseconds: 1234, failures: 5, at: now)
        let memory = try #require(TargetMemory(registration))
        let message = UpgradeMessage.targets(group: "blue", [memory])
        #expect(UpgradeMessage(message.bytes) == message)
        let other = Registration(
            id: 1, group: state, key: memory.key, address: registration.address,
            health: HealthState(memory.phase, registeredAt: memory.registeredAt))
        other.restore(memory)
        #expect(other.health == registration.health && other.cell.slowStartBegan == now)
        #expect(other.cell.isHealthy == (registration.health.state == .healthy))
        #expect(other.cell.load.learnedLatency?.microseconds == 1234 && other.cell.load.learnedLatency?.failures == 5)
    }

    @Test func whatTheDocumentSaysIsNotRemembered() {
        let state = GroupState(id: 0, configuration: group("blue"), workerCount: 1)
        for phase in [HealthState.Phase.draining, .unchecked, .unused(.notInUse)] {
            let registration = Registration(
                id: 0, group: state, key: TargetKey(id: "192.0.2.1", port: 80), address: nil,
                health: HealthState(phase, registeredAt: Instant(nanoseconds: 0)))
            #expect(TargetMemory(registration) == nil)
        }
    }

    @Test(arguments: [ContainerHealth.passing, .starting, .unhealthy])
    func whatWasFoundKeepsItsNames(container: ContainerHealth) {
        let target = TargetDescription(id: "192.0.2.1", port: 8080, weight: 0, zone: "eu-central-1a")
        let memory = DiscoveredMemory(
            Discovered.Target(target, name: "web-\"1\"", identity: "0a1b 2026-01-01"), container: container)
        let plain = DiscoveredMemory(
            Discovered.Target(TargetDescription(id: "i-1"), name: "i-1", identity: "i-1"), container: container)
        for all in [[memory, plain], []] {
            let message = UpgradeMessage.discovered(group: "blue", all)
            #expect(UpgradeMessage(message.bytes) == message)
        }
        let ending = UpgradeMessage.ending(group: "blue", ["0a1b": "2026-01-01T00:00:00Z", "0c": ""])
        #expect(UpgradeMessage(ending.bytes) == ending)
    }

    @Test func asManyFlowsAsOneMessageHasFitIntoIt() {
        let flows = (0..<Limits.upgradeFlowsPerMessage).map { number in
            FlowMemory(
                Self.flow.flow,
                listener: ListenerKey(
                    loadBalancer: String(repeating: "l", count: 32),
                    address: SocketAddress(literal: "2001:db8:1111:2222:3333:4444:5555:\(number)", port: 65_535)!),
                group: String(repeating: "g", count: 32), target: TargetKey(id: "\(number)", port: 65_535))
        }
        #expect(UpgradeMessage.flows(flows, worker: 1_000).bytes.count <= Core.Limits.messageBytesMax)
        #expect(flows.count <= Core.Limits.messageDescriptorsMax)
        let changes = [FlowChange](repeating: Self.change, count: Limits.upgradeChangesPerMessage)
        #expect(UpgradeMessage.flowChanges(changes, worker: 1_000).bytes.count <= Core.Limits.messageBytesMax)
        let numbers = (0..<Limits.upgradeNumbersPerMessage).map { 1_000_000 + $0 }
        #expect(UpgradeMessage.endedFlows(numbers, worker: 1_000).bytes.count <= Core.Limits.messageBytesMax)
    }

    @Test(arguments: [ContainerHealth.passing, .starting, .unhealthy])
    func whatLabelsSayIsHandedOver(health: ContainerHealth) throws {
        let labels = try #require(
            try ContainerLabels.read([
                "apus.host": "a.b,*.c", "apus.path": "/x", "apus.port": "81", "apus.health.interval": "7",
                "apus.attributes.stickiness.enabled": "true",
            ]))
        let target = Discovered.Target(TargetDescription(id: "192.0.2.1", port: 81), name: "web-1", identity: "0a 1")
        let claim = Claim(container: "web-1", labels: labels, target: target, since: "2026-01-01T00:00:00.5")
        let message = UpgradeMessage.claimed(ClaimMemory(claim, health: health))
        #expect(UpgradeMessage(message.bytes) == message)
        var gone = claim
        gone.target = nil
        let ofGone = UpgradeMessage.claimed(ClaimMemory(gone, health: .passing))
        #expect(UpgradeMessage(ofGone.bytes) == ofGone)
        for text in [
            #"{"message":"claimed"}"#, #"{"message":"claimed","claim":{"container":"a","since":"1","labels":{}}}"#,
            #"{"message":"claimed","claim":{"container":"a","since":"1","labels":{"apus.host":["a"]},"found":7}}"#,
        ] { #expect(UpgradeMessage(Array(text.utf8)) == .unknown) }
    }

    @Test func asManyAsOneMessageHasFitIntoIt() {
        let worst = String(repeating: "\u{1}", count: Limits.containerNameBytesMax)
        let target = TargetDescription(
            id: "2001:db8:1111:2222:3333:4444:5555:6666", port: 65535, weight: 256,
            zone: String(repeating: "z", count: 64))
        let memory = DiscoveredMemory(
            Discovered.Target(target, name: worst, identity: String(repeating: "f", count: 64) + " " + worst),
            container: .unhealthy)
        let all = [DiscoveredMemory](repeating: memory, count: Limits.upgradeDiscoveredPerMessage)
        let bytes = UpgradeMessage.discovered(group: String(repeating: "g", count: 32), all).bytes
        #expect(bytes.count <= Core.Limits.messageBytesMax, "\(bytes.count)")
    }

    @Test func whatAnotherVersionHasFoundIsLeftOut() {
        let text = #"""
            {"message":"discovered","group":"blue","targets":[{"name":"a","identity":"a"},
            {"name":"b","identity":"b","target":{"id":"10.0.0.1","port":"many"}},
            {"name":"c","identity":"c","target":{"id":"10.0.0.2"},"container":"asleep","colour":"new"}]}
            """#
        guard case .discovered("blue", let targets)? = UpgradeMessage(Array(text.utf8)) else {
            Issue.record("no targets")
            return
        }
        #expect(targets.map(\.found.name) == ["c"] && targets.first?.container == .passing)
    }

    @Test(arguments: [
        #"{"message":"later"}"#, #"{"message":"listener","worker":1}"#, #"{"message":"flows","worker":0,"flows":[{}]}"#,
        #"{"message":"flows","worker":0,"listeners":[],"targets":[],"records":"00000000"}"#,
        #"{"message":"flow-changes","worker":0,"records":"00"}"#, #"{"message":"ended-flows","numbers":[1]}"#,
        #"{"message":"ticket-keys","current":"0g"}"#, #"{"message":"ticket-keys","current":"00"}"#,
        #"{"message":"start","workers":"many"}"#, #"{"message":"discovered","targets":[]}"#,
        #"{"message":"earlier","process":{"pid":1}}"#,
        #"{"message":"listener","worker":1,"listener":{"loadBalancer":"a","host":"x","port":1,"carries":"both"}}"#,
    ]) func whatAnotherVersionSaysIsPassedOver(text: String) {
        #expect(UpgradeMessage(Array(text.utf8)) == .unknown)
    }

    @Test(arguments: ["", "hello", "[]", "{}", #"{"message":7}"#, "\u{0}"]) func nonsenseIsNoMessage(text: String) {
        #expect(UpgradeMessage(Array(text.utf8)) == nil)
    }

    @Test func targetsOfAnotherVersionAreLeftOut() {
        let text = #"""
            {"message":"targets","group":"blue","targets":[{"id":"a","port":1},
            {"id":"b","port":2,"count":0,"registeredAt":1,"state":"asleep"},
            {"id":"c","port":3,"count":-4,"registeredAt":1,"state":"healthy","colour":"new"}]}
            """#
        guard case .targets("blue", let targets)? = UpgradeMessage(Array(text.utf8)) else {
            Issue.record("no targets")
            return
        }
        #expect(targets.map(\.key.id) == ["c"] && targets.first?.phase == .healthy(failures: 0))
    }
}
