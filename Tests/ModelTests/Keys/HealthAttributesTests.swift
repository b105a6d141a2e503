import Testing

@testable import Model

/// What a group may say about the health of its targets, and what a mistake reads like.
@Suite struct HealthAttributesTests {
    private static let routing = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
    private static let failover = "target_group_health.dns_failover.minimum_healthy_targets"

    private func load(_ attributes: String) throws(ConfigErrors) -> HealthAttributes {
        let text = """
            targetGroups:
              - { name: a, protocol: HTTP, port: 80, attributes: { \(attributes) } }
            """
        return try Document.load(yaml: text, file: "a.yaml").targetGroups[0].attributes.health
    }

    private func mistake(_ attributes: String) -> String? {
        do throws(ConfigErrors) {
            _ = try load(attributes)
            return nil
        } catch { return error.first.description }
    }

    struct Case: Sendable {
        let count: Int?, percentage: Int?, registered: Int, needed: Int
    }

    @Test(arguments: [
        Case(count: 1, percentage: nil, registered: 10, needed: 1),
        Case(count: 1, percentage: 50, registered: 10, needed: 5),
        Case(count: 1, percentage: 50, registered: 5, needed: 3),
        Case(count: 4, percentage: 50, registered: 5, needed: 4),
        Case(count: nil, percentage: nil, registered: 5, needed: 0),
        Case(count: nil, percentage: 1, registered: 1, needed: 1),
        Case(count: 3, percentage: 100, registered: 0, needed: 3),
    ])
    func whicheverAsksForMoreCounts(_ test: Case) {
        let minimum = HealthAttributes.Minimum(count: test.count, percentage: test.percentage)
        #expect(minimum.targets(of: test.registered) == test.needed)
    }

    @Test func thresholdsAreRead() throws {
        let read = try load(
            "\(Self.routing).count: 2, \(Self.routing).percentage: 40, \(Self.failover).count: off, "
                + "\(Self.failover).percentage: 60")
        #expect(read.routing == HealthAttributes.Minimum(count: 2, percentage: 40))
        #expect(read.failover == HealthAttributes.Minimum(count: nil, percentage: 60))
    }

    @Test func failoverMustNotComeAfterFailOpen() {
        #expect(
            mistake("\(Self.routing).count: 3")
                == "a.yaml:2:54: \(Self.failover).count must be off, or at least \(Self.routing).count, which is 3, "
                + "but found 1. Write 3 or more, or off.", "the default is 1")
        #expect(
            mistake("\(Self.routing).percentage: 50, \(Self.failover).percentage: 49")?.hasSuffix(
                "must be off, or at least \(Self.routing).percentage, which is 50, but found 49. "
                    + "Write 50 or more, or off.") == true)
        #expect(mistake("\(Self.routing).percentage: 50") == nil)
    }

    @Test func onlyTheCountOfRoutingIsAlwaysThere() {
        #expect(mistake("\(Self.routing).count: off")?.contains("must be a whole number of targets from 1") == true)
    }

    @Test func theLongestEjectionIsNotShorterThanTheFirst() {
        #expect(
            mistake("apus.outlier.ejection_seconds: 400")?.hasSuffix(
                "apus.outlier.ejection_seconds_max must be at least apus.outlier.ejection_seconds, which is 400, "
                    + "but found 300. Write 400 or more.") == true)
        #expect(mistake("apus.outlier.ejection_seconds: 400, apus.outlier.ejection_seconds_max: 400") == nil)
    }

    @Test func zones() throws {
        let key = "load_balancing.cross_zone.enabled"
        #expect(try load("\(key): false").crossZone == .off)
        #expect(try load("\(key): true").crossZone == .on)
        #expect(try load("\(key): use_load_balancer_configuration").crossZone == .ofLoadBalancer)
        #expect(
            mistake("\(key): \"false\"")?.hasSuffix(
                "\(key) must be use_load_balancer_configuration, true or false, but found \"false\". "
                    + "Write one of them, without quotes.") == true)
        #expect(
            mistake("\(key): false, apus.own_zone_first.enabled: true")?.hasSuffix(
                "Remove it: the targets of other zones are not used at all.") == true)
    }
}
