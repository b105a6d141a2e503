import Core
import Foundation
import Model
import Proxy
import Testing

@testable import Control

/// Names as sources of targets, from the document on.
@Suite struct DNSSourceTests {
    @Test(arguments: [(0, 1), (1, 1), (5, 5), (60, 60), (3600, 60)] as [(Double, Nanoseconds)])
    func answersAreKeptByTheirTimeToLiveWithinBounds(secondsToLive: Double, seconds: Nanoseconds) {
        #expect(DNSDiscovery(name: "a.test").timeKept(secondsToLive: secondsToLive) == seconds * 1_000_000_000)
    }

    /// Nothing listens at the first server, nor at the second: what is registered stays, and both are told of.
    @Test func serversThatAreNotThereTakeNothingAway() throws {
        let groups = """
            targetGroups:
              - name: blue
                targetType: ip
                protocol: HTTP
                port: 8080
                targets: [ { id: 192.0.2.1 } ]
                discovery: { dns: { name: web.test, resolvers: ["127.0.0.1:1", "127.0.0.2:1"] } }
              - { name: green, targetType: ip, protocol: HTTP, port: 8080 }

            """
        let scene = try ServicesTests.Scene(groups: groups)
        #expect(run(scene.loop) { scene.services.status.discovery.first?.record.reason != nil })
        let status = try #require(scene.services.status.discovery.first)
        #expect(status.kind == "dns" && status.place == "web.test (A)")
        let reason = try #require(status.record.reason)
        #expect(reason.hasPrefix("web.test (A): 127.0.0.1:1 ") && reason.contains("; 127.0.0.2:1 "), "\(reason)")
        #expect(scene.services.status.document.targetGroups[0].targets.map(\.id) == ["192.0.2.1"])
        #expect(posted(scene.events).map(\.name).contains("discovery-failed"))
        scene.services.stop()
        #expect(scene.services.status.discovery.isEmpty)
    }
}
