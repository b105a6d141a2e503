import Core
import Testing

@testable import Proxy

@Suite struct IdleConnectionsTests {
    private static func connections(_ count: Int) -> [TargetConnection] {
        let pool = TargetPool(Plans.target(0))
        return (0..<count).map { number in
            TargetConnection(
                transport: Plans.noTransport(to: .target, token: Token(index: number, generation: 1)), pool: pool,
                group: Plans.emptyGroup, now: Instant(nanoseconds: 0))
        }
    }

    /// Against an array, through every order of coming and going that the seed makes.
    @Test(arguments: [1, 2, 3] as [UInt64]) func keepsTheirOrder(seed: UInt64) {
        var random = FastRandom(seed: seed)
        var idle = IdleConnections()
        var expected: [TargetConnection] = []
        var free = Self.connections(300)
        for _ in 0..<20_000 {
            switch random.next(below: 5) {
            case 0, 1:
                guard let connection = free.popLast() else { continue }
                idle.append(connection)
                expected.append(connection)
            case 2:
                guard !expected.isEmpty else { continue }
                let connection = expected.remove(at: random.next(below: expected.count))
                idle.remove(connection)
                free.append(connection)
            case 3:
                let last = idle.popLast()
                #expect(last === expected.popLast())
                if let last { free.append(last) }
            default:
                let first = idle.popFirst()
                #expect(first === (expected.isEmpty ? nil : expected.removeFirst()))
                if let first { free.append(first) }
            }
            #expect(idle.count == expected.count)
        }
        #expect(idle.all.map(\.transport.token) == expected.map(\.transport.token))
    }

    @Test func findsTheNewest() {
        var idle = IdleConnections()
        let connections = Self.connections(5)
        for connection in connections { idle.append(connection) }
        idle.remove(connections[3])
        #expect(idle.last { $0.transport.token.index < 4 } === connections[2])
        #expect(idle.last { $0.transport.token.index > 4 } == nil)
    }

    @Test func oneThatIsNotThereTraps() async {
        await #expect(processExitsWith: .failure) {
            var idle = IdleConnections()
            let connections = Self.connections(2)
            idle.append(connections[0])
            idle.remove(connections[1])
        }
    }
}
