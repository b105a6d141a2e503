import Core
import Routing
import Telemetry
import Testing

@testable import Proxy

/// Which flow is given up for another, and which are idle.
@Suite struct DatagramFlowTests {
    private let listener = DatagramListener(
        listener: WorkerListener(
            Plans.listener(), actions: [.fixedResponse(FixedResponsePlan(status: 404, contentType: [], body: []))],
            tickets: Plans.tickets), socket: DatagramSocket(descriptor: -1), token: .none)
    private let group = Group(Plans.group(0, "blue", [Plans.target(0)]), pools: [], random: 0)

    private func instant(_ seconds: UInt64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private func begin(_ port: UInt16, at seconds: UInt64) -> DatagramFlow {
        let key = DatagramFlow.Key(client: Plans.address("192.0.2.7", port), local: nil)
        let flow = DatagramFlow(
            key, listener, DatagramSocket(descriptor: -1), token: .none, group: group,
            pool: TargetPool(Plans.target(0)), now: instant(seconds), timeOfDay: 1_800_000_000_000_000_000)
        listener.add(flow)
        listener.clientSent(flow, now: instant(seconds))
        return flow
    }

    @Test func aFlowIsFoundByClientAndAddress() {
        let flow = begin(1, at: 1)
        #expect(listener.flow(flow.key) === flow)
        let local = LocalAddress(Plans.address("127.0.0.5", 0))
        #expect(listener.flow(.init(client: flow.key.client, local: local)) == nil)
        listener.remove(flow)
        #expect(listener.flow(flow.key) == nil)
        #expect(listener.all.isEmpty)
    }

    /// A table finds a key only if equal keys have equal hashes; and its places must not be the same for all.
    @Test func equalKeysHaveEqualHashes() {
        func keys() -> [DatagramFlow.Key] {
            let locals = [nil, LocalAddress(Plans.address("127.0.0.5", 0)), LocalAddress(Plans.address("::1", 0))]
            return locals.flatMap { local in
                (1...50).flatMap { port in
                    ["192.0.2.7", "192.0.2.8", "2001:db8::7"].map {
                        DatagramFlow.Key(client: Plans.address($0, port), local: local)
                    }
                }
            }
        }
        for seed in [0, 1, -1, Int.max] {
            let (ones, others) = (keys(), keys())
            for (one, other) in zip(ones, others) {
                #expect(one == other && one._rawHashValue(seed: seed) == other._rawHashValue(seed: seed))
            }
            #expect(Set(ones.map { $0._rawHashValue(seed: seed) }).count == ones.count)
        }
        #expect(keys()[0]._rawHashValue(seed: 1) != keys()[0]._rawHashValue(seed: 2))
    }

    @Test func unverifiedFlowsAreEvictedBeforeVerifiedOnes() {
        let old = begin(1, at: 1)
        listener.targetSent(old, now: instant(2))
        listener.clientSent(old, now: instant(3))
        #expect(old.isVerified)
        let answered = begin(2, at: 4)
        listener.targetSent(answered, now: instant(5))
        let silent = begin(3, at: 6)
        #expect(listener.oldestUnverified ?? listener.idlestVerified === answered)
        listener.remove(answered)
        #expect(listener.oldestUnverified ?? listener.idlestVerified === silent)
        listener.remove(silent)
        #expect(listener.oldestUnverified ?? listener.idlestVerified === old)
    }

    @Test func theLongestIdleIsEvictedFirst() {
        let flows = (1...4).map { begin(UInt16($0), at: UInt64($0)) }
        listener.clientSent(flows[0], now: instant(9))
        listener.targetSent(flows[2], now: instant(10))
        for expected in [1, 3, 0, 2] {
            let flow = listener.oldestUnverified ?? listener.idlestVerified
            #expect(flow === flows[expected])
            flow.map(listener.remove)
        }
        #expect(listener.oldestUnverified ?? listener.idlestVerified == nil)
    }

    @Test func onlyWhatWasSilentLongEnoughIsIdle() {
        let one = begin(1, at: 1), other = begin(2, at: 5)
        listener.targetSent(other, now: instant(6))
        listener.clientSent(other, now: instant(7))
        #expect(listener.idle(before: instant(1)) == nil)
        #expect(listener.idle(before: instant(2)) === one)
        listener.remove(one)
        #expect(listener.idle(before: instant(7)) == nil)
        #expect(listener.idle(before: instant(8)) === other)
    }
}
