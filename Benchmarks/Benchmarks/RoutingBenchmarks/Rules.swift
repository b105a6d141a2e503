import Benchmark
import Core
import Measuring
import RegularExpressions
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

/// A table of rules of every kind of condition, and 64 requests that match rules spread evenly over it.
private struct MixedRules: Sendable {
    let table: RuleTable
    private let ruleCount: Int
    private let client = SocketAddress(literal: "192.0.2.1", port: 4000)!

    /// `count` rules, eight kinds in turn.
    init(ruleCount count: Int) {
        ruleCount = count
        guard let expression = try? RegularExpression("^Mozilla/[0-9]+", ignoresCase: true) else {
            fatalError("the pattern compiles")
        }
        table = RuleTable((0..<count).map { Self.conditions(of: $0, expression) })
    }

    private static func conditions(of index: Int, _ expression: RegularExpression) -> [CompiledCondition] {
        switch index % 8 {
        case 0: rule(hosts: ["service-\(index).example.com"])
        case 1: rule(paths: ["/v1/service-\(index)/*"])
        case 2: [.httpHeader(HTTPHeaderCondition(name: "X-Tenant", ["tenant-\(index)"]))]
        case 3: [.queryString(QueryStringCondition([("tenant", "t-\(index)")]))]
        case 4: [.sourceIP(SourceIPCondition([AddressRange(address(of: index), prefixLength: 24)]))]
        case 5:
            rule(hosts: ["api.example.com"], paths: ["/m/service-\(index)/*"])
                + [.requestMethod(RequestMethodCondition(["PUT"]))]
        case 6:
            rule(hosts: ["regex-\(index).example.com"])
                + [.httpHeaderRegex(HTTPHeaderRegexCondition(name: "User-Agent", [expression]))]
        default: [.httpHeader(HTTPHeaderCondition(name: "X-Wild-\(index)", ["*x*"]))]
        }
    }

    private static func address(of index: Int) -> SocketAddress {
        SocketAddress(literal: "10.\(index >> 8).\(index & 255).1", port: 4000)!
    }

    /// The requests, each with five header fields and a query.
    func requests() -> MixedRequests {
        MixedRequests(
            table: table,
            requests: (0..<64).map { number in
                let index = number * ruleCount / 64
                let kind = index % 8
                let host = kind == 0 ? "service-\(index)" : kind == 6 ? "regex-\(index)" : "api"
                let path = kind == 1 ? "/v1/service-\(index)/a" : "/m/service-\(index)/users/4711"
                let head = Head()
                head.appendMethod(kind == 5 ? "PUT" : "GET")
                head.authority = head.append(Array("\(host).example.com".utf8).span)
                head.noteAuthority(hostCount: head.authority.count)
                head.path = head.append(Array(path.utf8).span)
                head.query = head.append(Array("?page=2&tenant=\(kind == 3 ? "t-\(index)" : "none")".utf8).span)
                for (name, value) in [
                    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"), ("Accept", "*/*"), ("Cookie", "session=4711"),
                    ("X-Tenant", kind == 2 ? "tenant-\(index)" : "none"),
                    (kind == 7 ? "X-Wild-\(index)" : "X-B", "axb"),
                ] {
                    let line = head.appendFieldLine(Array(name.utf8).span, Array(value.utf8).span)
                    head.addField(name: line.name, value: line.value, id: FieldID(Array(name.utf8).span))
                }
                return (head, kind == 4 ? Self.address(of: index) : client)
            })
    }
}

/// Requests for a table of rules of every kind, and what matching them needs.
private struct MixedRequests {
    let table: RuleTable
    let requests: [(head: Head, client: SocketAddress)]
    let space = MatchSpace()

    /// Looks up request `number`.
    func decide(_ number: Int) -> RuleMatch {
        let (head, client) = requests[number]
        table.beginDecision(in: space)
        return table.match(RuleFacts(head, host: head.host, client: client), in: space)
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
    // At most three times as much with 10,000 rules as with 10.
    for count in [10, 10_000] {
        let rules = MixedRules(ruleCount: count)
        measure("rules-mixed-\(count)", setup: { rules.requests() }) { requests, index in
            blackHole(requests.decide(index % 64))
        }
    }
    let requests = Requests(wildcardRuleCount: 10)
    measure("rules-wildcard-10", setup: { requests }) { requests, _ in blackHole(requests.decide(0)) }
}
