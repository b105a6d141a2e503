import Core
import Model
import Testing

@testable import Proxy

@Suite struct GroupSettingsTests {
    private func group(
        _ protocol: TrafficProtocol = .http, _ change: (inout TargetGroupAttributes) -> Void = { _ in }
    ) -> TargetGroup {
        var attributes = TargetGroupAttributes()
        change(&attributes)
        return TargetGroup(name: "blue", protocol: `protocol`, port: 80, attributes: attributes)
    }

    /// A group serves requests or passes connections on: its protocol decides.
    @Test(arguments: [
        (TrafficProtocol.http, false), (.https, false), (.tcp, true), (.tls, true), (.udp, true), (.tcpUDP, true),
    ]) func itsProtocolDecidesWhatItServes(_ protocol: TrafficProtocol, passesOn: Bool) {
        #expect((GroupSettings(group(`protocol`), tls: nil).flows != nil) == passesOn)
    }

    @Test func whatFlowsNeedIsTakenOver() {
        let flows = GroupSettings(
            group(.tcp) {
                $0.stickiness.isEnabled = true
                $0.proxyProtocol = true
                $0.preserveClientIP = false
            }, tls: nil
        ).flows
        #expect(flows == FlowGroupPlan(isSticky: true, sendsProxyHeader: true, preservesClientIP: false))
    }

    /// Requests are hashed only where that chooses a target: it costs a look at each.
    @Test func onlyConsistentHashingLooksAtRequests() {
        let hashing = group(.http) { $0.balancing.algorithm = .consistentHash }
        #expect(GroupSettings(hashing, tls: nil).hashKey != nil)
        #expect(GroupSettings(group(), tls: nil).hashKey == nil)
        let flows = group(.tcp) { $0.balancing.algorithm = .consistentHash }
        #expect(GroupSettings(flows, tls: nil).hashKey == nil)
    }

    @Test func secondsBecomeNanoseconds() {
        let settings = GroupSettings(
            group {
                $0.targetConnectTimeoutSeconds = 1.5
                $0.targetKeepAliveIdleSeconds = 2
                $0.targetConnectRaceSeconds = 0.25
                $0.targetUnacknowledgedSeconds = 3
                $0.retryBodyBytesMax = 7
            }, tls: nil)
        #expect(settings.connectTimeout == 1_500_000_000 && settings.poolIdleTimeout == 2_000_000_000)
        #expect(settings.attempts.raceDelay == 250_000_000 && settings.attempts.unacknowledgedMax == 3_000_000_000)
        #expect(settings.attempts.bodyBytesMax == 7)
    }
}
