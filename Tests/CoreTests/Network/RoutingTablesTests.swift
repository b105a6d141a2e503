import Core
import Glibc
import Testing

/// Only what every Linux host has. Scenarios test other routes, in network namespaces.
@Suite struct RoutingTablesTests {
    private func address(_ literal: String, port: UInt16 = 0) throws -> SocketAddress {
        try #require(SocketAddress(literal: literal, port: port))
    }

    @Test(arguments: Loopback.hosts) func ownAddressesAreLocal(host: String) throws {
        let tables = try RoutingTables()
        defer { tables.close() }
        let route = try tables.route(to: try address(host))
        #expect(route.isLocal)
        #expect(route.interface.name == "lo")
        let answer = try tables.route(
            to: try address(host), from: try address(host, port: 8080), arrivingBy: nil, mark: 0)
        #expect(answer == route)
    }

    @Test func missingInterfaceIsAnError() throws {
        let tables = try RoutingTables()
        defer { tables.close() }
        let nowhere = RoutingTables.Interface(index: 1 << 30, name: "nowhere")
        let error = #expect(throws: SystemError.self) {
            try tables.route(
                to: try address("192.0.2.1"), from: try address("192.0.2.2", port: 80), arrivingBy: nowhere)
        }
        #expect(error == SystemError("find the route from 192.0.2.2 to 192.0.2.1", code: ENODEV))
    }

    @Test func listsTheDefaultRules() throws {
        let tables = try RoutingTables()
        defer { tables.close() }
        let rules = try tables.rules(.ipv4)
        // The tables local and main. Source: rtnetlink(7).
        #expect(rules.contains(RoutingTables.Rule(table: 255)))
        #expect(rules.contains(RoutingTables.Rule(table: 254)))
    }
}
