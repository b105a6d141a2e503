import Core
import HTTP1
import Model
import Routing
import Testing

@testable import Proxy

/// How users are divided among the groups of an action.
@Suite struct CohortPlanTests {
    private static let client = Plans.address("192.0.2.7", 50_000)

    private func request(user: String?) -> Head {
        let head = Head()
        var scan = HeadScan()
        let field = user.map { "X-User: \($0)\r\n" } ?? ""
        let text = Array("GET /a HTTP/1.1\r\nHost: a\r\n\(field)\r\n".utf8)
        guard case .complete = parseRequestHead(text.span, into: head, options: RequestOptions(), scan: &scan) else {
            fatalError("\(user ?? "-") makes no request")
        }
        return head
    }

    private func cohorts(salt: String = "", pins: [String: [String]] = [:]) -> Cohorts {
        var cohorts = Cohorts()
        cohorts.key = .header("X-User")
        cohorts.salt = salt
        cohorts.pins = pins
        return cohorts
    }

    private func group(of user: String?, _ plan: CohortPlan, _ weights: [Int]) -> Int? {
        let (pinned, place) = plan.place(of: request(user: user), client: Self.client)
        return pinned ?? SmoothWeights(weights: weights).index(atPlace: place)
    }

    @Test func moreWeightOnlyAddsUsers() {
        let plan = CohortPlan(cohorts(), groups: ["blue", "green"])
        let users = (0..<2000).map { "user-\($0)" }
        var last: Set<String> = []
        for percent in [1, 5, 10, 25, 50, 100] {
            let now = Set(users.filter { group(of: $0, plan, [100 - percent, percent]) == 1 })
            #expect(last.isSubset(of: now), "\(percent) %")
            #expect(abs(now.count * 100 / users.count - percent) <= 3, "\(percent) %: \(now.count)")
            last = now
        }
        // The same shares in other numbers are the same users.
        #expect(users.allSatisfy { group(of: $0, plan, [9, 1]) == group(of: $0, plan, [90, 10]) })
    }

    @Test func whoeverHasTheSameSaltAgrees() {
        let (one, same) = (CohortPlan(cohorts(), groups: ["a", "b"]), CohortPlan(cohorts(), groups: ["a", "b"]))
        let other = CohortPlan(cohorts(salt: "x"), groups: ["a", "b"])
        #expect(one == same && one != other)
        let users = (0..<500).map { "\($0)" }
        #expect(users.allSatisfy { group(of: $0, one, [1, 1]) == group(of: $0, same, [1, 1]) })
        let moved = users.filter { group(of: $0, one, [1, 1]) != group(of: $0, other, [1, 1]) }
        #expect((150...350).contains(moved.count), "\(moved.count)")
    }

    @Test func pinsHoldWhateverTheWeights() {
        let plan = CohortPlan(
            cohorts(pins: ["green": ["alice", "bob"], "blue": ["carol"]]), groups: ["blue", "green"])
        for weights in [[1, 0], [0, 1], [0, 0], [50, 50]] {
            #expect(group(of: "alice", plan, weights) == 1 && group(of: "bob", plan, weights) == 1)
            #expect(group(of: "carol", plan, weights) == 0)
        }
        #expect(group(of: "dave", plan, [0, 0]) == nil)
    }

    @Test func withoutTheFieldTheAddressCounts() {
        let plan = CohortPlan(cohorts(), groups: ["blue", "green"])
        #expect(group(of: nil, plan, [1, 1]) == group(of: nil, plan, [1, 1]))
        var byAddress = Cohorts()
        byAddress.pins = ["green": ["192.0.2.7"]]
        let pinned = CohortPlan(byAddress, groups: ["blue", "green"])
        #expect(group(of: "anybody", pinned, [1, 0]) == 1)
    }
}
