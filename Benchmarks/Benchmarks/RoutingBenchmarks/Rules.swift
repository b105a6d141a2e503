import Benchmark
import Core
import Measuring
import Routing

/// The input of lookups: a table, and requests that match rules all over it.
private struct Requests: Sendable {
    let table: RuleTable
    let hosts: [[UInt8]]
    let paths: [[UInt8]]
    /// A client, at which no rule looks here.
    let client = SocketAddress(literal: "192.0.2.1", port: 4000)!

    /// `count` rules of all literal kinds in turn, and 64 requests for rules spread evenly over them.
    init(ruleCount count: Int) {
        table = RuleTable(
            (0..<count).map { index in
                switch index % 4 {
                case 0: rule(hosts: ["service-\(index).example.com"])
                case 1: rule(paths: ["/v1/service-\(index)/*"])
                case 2: rule(hosts: ["*.tenant-\(index).example.com"], paths: ["/v1/*"])
                default: rule(hosts: ["api.example.com"], paths: ["/v1/service-\(index)/*", "/service-\(index)"])
                }
            })
        let chosen = (0..<64).map { $0 * count / 64 }
        hosts = chosen.map { index in
            switch index % 4 {
            case 0: Array("service-\(index).example.com".utf8)
            case 2: Array("www.tenant-\(index).example.com".utf8)
            default: Array("api.example.com".utf8)
            }
        }
        paths = chosen.map { Array("/v1/service-\($0)/users/4711".utf8) }
    }

    /// `count` rules with stars inside, none of which matches: the price of trying one by one.
    init(wildcardRuleCount count: Int) {
        table = RuleTable((0..<count).map { rule(paths: ["/v1/*/service-\($0)/*.png"]) })
        hosts = [Array("api.example.com".utf8)]
        paths = [Array("/v1/service-7/users/4711".utf8)]
    }

    /// Looks up request `number`.
    func decide(_ number: Int) -> Int? {
        let host = hosts[number]
        let path = paths[number]
        return table.firstMatch(RuleFacts(host: host.span, path: path.span, client: client))
    }
}

/// The conditions of a rule; without values there is none.
private func rule(hosts: [String] = [], paths: [String] = []) -> [CompiledCondition] {
    (hosts.isEmpty ? [] : [.hostHeader(HostHeaderCondition(hosts))])
        + (paths.isEmpty ? [] : [.pathPattern(PathPatternCondition(paths))])
}

/// The rule table at the sizes that the budgets asks about: cost may grow with the logarithm only.
func ruleBenchmarks() {
    for count in [10, 1000, 10_000] {
        let requests = Requests(ruleCount: count)
        measure("rules-\(count)", setup: { requests }) { requests, index in blackHole(requests.decide(index % 64)) }
    }
    let requests = Requests(wildcardRuleCount: 10)
    measure("rules-wildcard-10", setup: { requests }) { requests, _ in blackHole(requests.decide(0)) }
}
