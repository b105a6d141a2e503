import Core
import Testing

@testable import Control

@Suite struct AnswerPathTests {
    private let target = SocketAddress(literal: "10.2.0.2", port: 8080)!
    private let route = "ip route replace local default dev lo table"

    private func commands(_ rules: RoutingTables.Rule...) -> [String] {
        ReturnRoute.commands(target, interface: "t0", rules)
    }

    private func range(_ literal: String, _ length: Int) -> AddressRange {
        AddressRange(SocketAddress(literal: literal, port: 0)!, prefixLength: length)
    }

    @Test func withoutARuleItAndItsRouteAreMissing() {
        let rule = "ip rule add iif t0 from 10.2.0.2 ipproto tcp sport 8080 lookup 100"
        let both = [rule, "\(route) 100"]
        #expect(commands() == both)
        #expect(commands(.init(table: 255), .init(table: 254), .init(table: 200)) == both)
        // Each is for other packets.
        let network = range("10.2.0.0", 24)
        #expect(commands(.init(table: 9, source: network, interface: "t1")) == both)
        #expect(commands(.init(table: 9, source: range("10.3.0.0", 24), interface: "t0")) == both)
        #expect(commands(.init(table: 9, source: network, interface: "t0", sourcePorts: 80...443)) == both)
        #expect(commands(.init(table: 9, source: network, interface: "t0", mark: 1)) == both)
        // The table of one that is for everything is somebody else's.
        #expect(commands(.init(table: 9, interface: "t0")) == both)
    }

    @Test func withARuleTheRouteOfItsTableIsMissing() {
        let network = range("10.2.0.0", 24)
        #expect(commands(.init(table: 101, source: network, interface: "t0")) == ["\(route) 101"])
        #expect(
            commands(.init(table: 7, source: network, interface: "t0", sourcePorts: 8000...9000)) == ["\(route) 7"])
    }

    @Test func ipv6HasRulesAndRoutesOfItsOwn() {
        let target = SocketAddress(literal: "2001:db8::2", port: 443)!
        #expect(
            ReturnRoute.commands(target, interface: "eth0", []) == [
                "ip -6 rule add iif eth0 from 2001:db8::2 ipproto tcp sport 443 lookup 100",
                "ip -6 route replace local default dev lo table 100",
            ])
    }

    /// Here no rule is for answers of a port that nobody would think of.
    @Test func asksTheKernel() throws {
        let target = try #require(SocketAddress(literal: "127.0.0.1", port: 1))
        guard case .lost(let commands) = try ReturnRoute.find([target]).first else {
            Issue.record("answers from 127.0.0.1:1 to elsewhere are delivered here")
            return
        }
        #expect(commands.first == "ip rule add iif lo from 127.0.0.1 ipproto tcp sport 1 lookup 100")
        #expect(try ReturnRoute.find([]).isEmpty)
    }
}
