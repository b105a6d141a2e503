import Testing

@testable import Model

@Suite struct BoundPortsTests {
    private func listener(_ port: Int) -> Listener { Listener(port: port, defaultActions: [Sample.answer(200)]) }

    private func balancer(_ name: String, _ addresses: [String], _ ports: [Int]) -> LoadBalancer {
        LoadBalancer(name: name, addresses: addresses, listeners: ports.map(listener))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let first: String, second: String, found: String?
        var testDescription: String { "\(first), \(second)" }
    }

    static let cases = [
        Case(
            first: "127.0.0.1", second: "0.0.0.0",
            found: "127.0.0.1 port 80 in load balancer a too: 0.0.0.0 is every IPv4 address, so 127.0.0.1 as well"),
        Case(
            first: "0.0.0.0", second: "10.0.0.1",
            found: "0.0.0.0 port 80 in load balancer a too: 0.0.0.0 is every IPv4 address, so 10.0.0.1 as well"),
        Case(
            first: "::", second: "::1",
            found: ":: port 80 in load balancer a too: :: is every IPv6 address, so ::1 as well"),
        Case(first: "0.0.0.0", second: "0.0.0.0", found: "0.0.0.0 port 80 in load balancer a too"),
        Case(first: "127.0.0.1", second: "127.0.0.2", found: nil),
        Case(first: "0.0.0.0", second: "::", found: nil),
        Case(first: "::", second: "127.0.0.1", found: nil),
    ]

    @Test(arguments: cases) func overlappingAddressesCollide(_ test: Case) throws {
        let document = Document(loadBalancers: [balancer("a", [test.first], [80]), balancer("b", [test.second], [80])])
        let errors = document.validate()
        #expect(errors.map(\.found) == (test.found == nil ? [] : [test.found]))
        #expect(errors.allSatisfy { $0.code == .duplicateListener && $0.path == "loadBalancers[1].listeners[0].port" })
        // The same on its way in over the socket: what would refuse the next start is not taken now.
        let before = Document(loadBalancers: [document.loadBalancers[0], balancer("b", [test.second], [])])
        for change in [
            Change.putListener(loadBalancer: "b", listener(80)), .putLoadBalancer(document.loadBalancers[1]),
        ] {
            if test.found == nil {
                #expect(try before.applying(change).validate().isEmpty)
            } else {
                let refusal = #expect(throws: ConfigErrors.self) { try before.applying(change) }
                #expect(refusal?.first.found == test.found)
            }
        }
    }

    @Test func anotherPortOfTheSameAddressIsFree() {
        let document = Document(loadBalancers: [balancer("a", ["127.0.0.1"], [80]), balancer("b", ["0.0.0.0"], [81])])
        #expect(document.validate().isEmpty)
    }

    @Test(arguments: [
        (["127.0.0.1", "0.0.0.0"], "0.0.0.0: 0.0.0.0 is every IPv4 address, so 127.0.0.1 as well"),
        (["::", "10.0.0.1", "::1"], "::1: :: is every IPv6 address, so ::1 as well"),
        (["10.0.0.1", "10.0.0.1"], "10.0.0.1"),
    ]) func oneLoadBalancerHasEachAddressOnce(addresses: [String], found: String) {
        let list = addresses.map { "\"\($0)\"" }.joined(separator: ", ")
        let yaml = "loadBalancers: [ { name: a, addresses: [\(list)], listeners: [] } ]"
        let refusal = #expect(throws: ConfigErrors.self) { try Document.load(yaml: yaml, file: "") }
        #expect(refusal?.all.map(\.expected) == ["each address must stand once"])
        #expect(refusal?.first.found == found)
    }
}
