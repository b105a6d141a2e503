import DNS
import Model
import Testing

@testable import Control

/// Weights of services.
@Suite struct DNSTargetsTests {
    @Test(
        arguments: [
            ([0, 0], [nil, nil]), ([7, 7], [nil, nil]), ([1, 3], [1, 3]), ([256, 1], [256, 1]),
            ([65_535, 32_768, 1], [256, 128, 1]), ([0, 10], [1, 256]), ([300, 100], [256, 85]),
        ] as [([UInt16], [Int?])])
    func keepTheirProportions(weights: [UInt16], expected: [Int?]) {
        let services = weights.enumerated().map {
            DNSService(priority: 1, weight: $1, port: UInt16($0 + 1), host: "a.test")
        }
        let other = DNSService(priority: 2, weight: 9, port: 1, host: "a.test")
        let found = DNSTargets.weights(of: services + [other])
        #expect(services.map { found[$0] ?? nil } == expected)
        #expect(found[other] == .some(nil), "priorities have weights of their own")
    }

    /// Of two services at one place the first counts.
    @Test func thePriorityOfAPlaceIsItsLowest() throws {
        let address = try #require(IPAddress("10.0.0.1"))
        var targets = DNSTargets()
        for priority in [1, 2] { targets.add(address, port: 80, weight: nil, host: "a.test", priority: priority) }
        #expect(targets.found.priorities == [TargetKey(id: "10.0.0.1", port: 80): 1])
        targets.add(address, port: 80, weight: nil, host: String(repeating: "a", count: 1000))
        #expect(targets.found.targets.allSatisfy { $0.name.utf8.count <= Limits.dnsNameBytesShownMax })
    }
}
