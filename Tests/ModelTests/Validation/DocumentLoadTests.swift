import Testing

@testable import Model

/// What an operator reads when a file is wrong: place, what was expected, what was found, what to do.
@Suite struct DocumentLoadTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String, yaml: String, message: String
        var testDescription: String { why }
    }

    /// A load balancer named `web` with one listener, into which `listener` is put at ten spaces.
    static func web(_ listener: String, attributes: String = "{}") -> String {
        """
        loadBalancers:
          - name: web
            attributes: \(attributes)
            listeners:
              - protocol: HTTP
                port: 80
                \(listener)
        targetGroups:
          - { name: blue, protocol: HTTP, port: 80 }
        """
    }

    static func rule(_ rule: String) -> String {
        web("defaultActions: [{ type: forward, targetGroupName: blue }]\n        rules:\n          - \(rule)")
    }

    static func group(_ keys: String) -> String {
        "targetGroups:\n  - { name: blue, protocol: HTTP, port: 80, \(keys) }"
    }

    static let port80 = "[{ protocol: HTTP, port: 80, defaultActions: [\(answer)] }]"

    static let answer = "{ type: fixed-response, fixedResponseConfig: { statusCode: \"200\" } }"

    @Test(arguments: cases) func saysWhatToDo(_ test: Case) {
        do {
            _ = try Document.load(yaml: test.yaml, file: "web.yaml")
            Issue.record("was accepted")
        } catch {
            #expect(error.description == test.message)
        }
    }

    static let cases =
        scalarCases + keyCases + conditionCases + actionCases + targetCases + referenceCases

    static let scalarCases = [
        Case(
            why: "a unit in a number",
            yaml: web("defaultActions: [\(answer)]", attributes: "{ idle_timeout.timeout_seconds: 60s }"),
            message: "web.yaml:3:49: idle_timeout.timeout_seconds must be a number of seconds from 0.1 to 4000, "
                + "but found \"60s\". Write 60."),
        Case(
            why: "a quoted number", yaml: group("healthCheckIntervalSeconds: \"8\""),
            message: "web.yaml:2:73: healthCheckIntervalSeconds must be a number of seconds from 0.05 to 300, "
                + "but found \"8\". Write 8, without quotes."),
        Case(
            why: "a number that is too large", yaml: group("unhealthyThresholdCount: 11"),
            message:
                "web.yaml:2:70: unhealthyThresholdCount must be an integer from 1 to 10, but found 11. Write 10 or "
                + "less."
        ),
        Case(
            why: "a number that is too small", yaml: group("healthCheckIntervalSeconds: 0"),
            message: "web.yaml:2:73: healthCheckIntervalSeconds must be a number of seconds from 0.05 to 300, "
                + "but found 0. Write 0.05 or more."),
        Case(
            why: "a fraction where none may be", yaml: group("healthyThresholdCount: 2.5"),
            message: "web.yaml:2:68: healthyThresholdCount must be an integer from 1 to 10, but found 2.5. Write 3."),
        Case(
            why: "YAML's old truth values",
            yaml: web("defaultActions: [\(answer)]", attributes: "{ apus.reason_header.enabled: yes }"),
            message: "web.yaml:3:47: apus.reason_header.enabled must be true or false, but found \"yes\". Write true."),
        Case(
            why: "a number where text must be", yaml: "admin: { socket: 8080 }",
            message:
                "web.yaml:1:18: socket must be a path of 1 to 107 bytes, but found 8080. Write it in quotes: "
                + "\"8080\"."),
        Case(
            why: "neither auto nor a number", yaml: "runtime: { workers: many }",
            message: "web.yaml:1:21: workers must be auto or an integer from 1 to 1024, but found \"many\". "
                + "Write auto or a number."),
        Case(
            why: "workers out of range", yaml: "runtime: { workers: 0 }",
            message: "web.yaml:1:21: workers must be auto or an integer from 1 to 1024, but found 0. Write 1 or more."),
        Case(
            why: "a mistyped word", yaml: "logs: { access: { format: jsn } }",
            message: "web.yaml:1:27: format must be alb or json, but found \"jsn\". Did you mean json?"),
        Case(
            why: "a list that is none", yaml: "targetGroups: { name: blue }",
            message:
                "web.yaml:1:15: targetGroups must be a list of at most 3000, each a target group, but found an object. "
                + "Write a list, even of one: [ … ]."),
        Case(
            why: "an empty place", yaml: "loadBalancers:\ntargetGroups: []",
            message:
                "web.yaml:1:15: loadBalancers must be a list of at most 1000, each a load balancer, but found nothing. "
                + "Write a list, even of one: [ … ]."),
        Case(
            why: "an empty file", yaml: "",
            message: "web.yaml:1:1: this must be a configuration, an object with keys, but found nothing. "
                + "Write it with its keys: admin, runtime, logs…"),
        Case(
            why: "a name with a space", yaml: group("targets: []").replacing("blue", with: "my group"),
            message:
                "web.yaml:2:13: name must be a name of 1 to 32 letters, digits and hyphens, with no hyphen at "
                + "either end, "
                + "but found \"my group\". Choose a name such as web-1."),
        Case(
            why: "a name that ends with a hyphen", yaml: group("targets: []").replacing("blue", with: "blue-"),
            message:
                "web.yaml:2:13: name must be a name of 1 to 32 letters, digits and hyphens, with no hyphen at "
                + "either end, "
                + "but found \"blue-\". Choose a name such as web-1."),
        Case(
            why: "a reserved name", yaml: "loadBalancers: [{ name: internal-web }]",
            message:
                "web.yaml:1:25: name must not begin with internal-, but found \"internal-web\". Choose another name."),
        Case(
            why: "codes that no check may want", yaml: group("matcher: { httpCode: 200-599 }"),
            message: "web.yaml:2:66: httpCode must be status codes from 200 to 499, such as 200, 200,202 or 200-299, "
                + "but found 200-599. Write them in quotes, as in \"200-299\"."),
        Case(
            why: "codes that are none", yaml: group("matcher: { httpCode: 200-600 }"),
            message: "web.yaml:2:66: httpCode must be status codes from 200 to 599, such as 200, 200,202 or 200-299, "
                + "but found \"200-600\". Write them in quotes, as in \"200-299\"."),
        Case(
            why: "a check that outlasts its interval", yaml: group("healthCheckIntervalSeconds: 1"),
            message: "web.yaml:2:5: healthCheckTimeoutSeconds must be at most healthCheckIntervalSeconds, which is 1, "
                + "but found 5. Write healthCheckTimeoutSeconds: 1 or less."),
    ]

    static let keyCases = [
        Case(
            why: "a mistyped key", yaml: group("healthCheckPth: /"),
            message: "web.yaml:2:45: expected a key of a target group, but found \"healthCheckPth\". "
                + "Did you mean healthCheckPath?"),
        Case(
            why: "a key in another manner of writing", yaml: group("health_check_path: /"),
            message: "web.yaml:2:45: expected a key of a target group, but found \"health_check_path\". "
                + "Did you mean healthCheckPath?"),
        Case(
            why: "a key like no other", yaml: "listen: 80",
            message: "web.yaml:1:1: expected a key of a configuration, but found \"listen\". "
                + "Known: admin, runtime, logs, discovery, instances, prefixLists, defaults, loadBalancers, "
                + "targetGroups."),
        Case(
            why: "a required key that is missing", yaml: "targetGroups: [{ name: blue, protocol: HTTP }]",
            message: "web.yaml:1:16: a target group must have the key port. Add port: an integer from 1 to 65535."),
        Case(
            why: "a key twice", yaml: "admin: {}\nadmin: {}",
            message: "web.yaml:2:1: the key \"admin\" stands here twice. Remove one of the two."),
        Case(
            why: "a key of a later version",
            yaml: web("defaultActions: [\(answer)]\n        tags: []"),
            message: "web.yaml:8:9: tags is known to ELBv2, not supported by this version. Remove it."),
        Case(
            why: "a policy for TLS without TLS",
            yaml: web("defaultActions: [\(answer)]\n        sslPolicy: ELBSecurityPolicy-2016-08"),
            message: "web.yaml:8:20: sslPolicy belongs to HTTPS or TLS listeners, but found it on an HTTP listener. "
                + "Write protocol: HTTPS or TLS, or remove it."),
        Case(
            why: "an attribute of a later version",
            yaml: web("defaultActions: [\(answer)]", attributes: "{ waf.fail_open.enabled: true }"),
            message: "web.yaml:3:42: waf.fail_open.enabled must be false: this version does not support ELBv2's "
                + "other values, but found true. Remove it, or write false."),
        Case(
            why: "a protocol of a later version", yaml: group("targets: []").replacing("HTTP", with: "GENEVE"),
            message: "web.yaml:2:29: protocol must be HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, QUIC or TCP_QUIC, but found "
                + "\"GENEVE\". GENEVE is known to ELBv2, not supported by this version."),
        Case(
            why: "a type of a later version", yaml: "loadBalancers: [{ name: web, type: gateway }]",
            message: "web.yaml:1:36: type must be application or network, but found \"gateway\". "
                + "gateway is known to ELBv2, not supported by this version."),
    ]

    static let conditionCases = [
        Case(
            why: "a host with a port",
            yaml: rule(
                "{ priority: 1, conditions: [{ field: host-header, values: [a.com, \"b.com:80\"] }], actions: "
                    + "[\(answer)] }"
            ),
            message: "web.yaml:9:79: values[1] must be a host pattern of 1 to 128 letters, digits, hyphens and dots, "
                + "where * and ? stand for any, but found \"b.com:80\". "
                + "Write a host such as api.example.com or *.example.com, without a port."),
        Case(
            why: "a path with a query, in ELBv2's other form",
            yaml: rule(
                "{ priority: 1, conditions: [{ field: path-pattern, pathPatternConfig: { values: [\"/a b\"] } }], "
                    + "actions: [\(answer)] }"
            ),
            message: "web.yaml:9:94: values[0] must be a path pattern of 1 to 128 letters, digits and _-.$/~\"'@:+&, "
                + "where * and ? stand for any, but found \"/a b\". Write a path such as /v1/*, without a query."),
        Case(
            why: "values of another field",
            yaml: rule(
                "{ priority: 1, conditions: [{ field: host-header, pathPatternConfig: { values: [/] } }], actions: "
                    + "[\(answer)] }"
            ),
            message: "web.yaml:9:82: pathPatternConfig does not belong to the field host-header. Remove it."),
        Case(
            why: "both forms",
            yaml: rule(
                "{ priority: 1, conditions: [{ field: host-header, values: [a], hostHeaderConfig: { values: [a] } "
                    + "}], actions: [\(answer)] }"
            ),
            message: "web.yaml:9:71: a condition must have values or hostHeaderConfig, not both. Remove one of the two."
        ),
        Case(
            why: "no values", yaml: rule("{ priority: 1, conditions: [{ field: host-header }], actions: [\(answer)] }"),
            message: "web.yaml:9:41: a condition must have values. Add values: a list of patterns."),
        Case(
            why: "a field that is none",
            yaml: rule(
                "{ priority: 1, conditions: [{ field: query-strings, values: [a] }], actions: [\(answer)] }"),
            message: "web.yaml:9:50: field must be host-header, path-pattern, http-header, http-request-method, "
                + "query-string, source-ip or apus.sni, but found \"query-strings\". Did you mean query-string?"),
        Case(
            why: "a field twice",
            yaml: rule(
                "{ priority: 1, conditions: [{ field: host-header, values: [a] }, { field: host-header, values: [b] "
                    + "}], actions: [\(answer)] }"
            ),
            message:
                "web.yaml:9:78: a rule must have at most one condition of this field, but found a second host-header. "
                + "Put all values into one condition: any of them may match."),
        Case(
            why: "a rule without conditions", yaml: rule("{ priority: 1, conditions: [], actions: [\(answer)] }"),
            message:
                "web.yaml:9:40: conditions must be a list of 1 to 100, each a condition, but found an empty list. "
                + "Add what is missing."
        ),
        Case(
            why: "a priority out of range",
            yaml: rule("{ priority: 50001, conditions: [{ field: host-header, values: [a] }], actions: [\(answer)] }"),
            message: "web.yaml:9:25: priority must be an integer from 1 to 50000, but found 50001. Write 50000 or less."
        ),
    ]

    static let actionCases = [
        Case(
            why: "two actions", yaml: web("defaultActions: [\(answer), \(answer)]"),
            message: "web.yaml:7:25: defaultActions must have exactly one action of type forward, redirect or "
                + "fixed-response, as the last, but found fixed-response, fixed-response. Remove the others; "
                + "forwardConfig names several groups in one action."),
        Case(
            why: "two actions in one place",
            yaml: web(
                "defaultActions: [{ type: forward, targetGroupName: blue, order: 3 }, "
                    + "{ type: forward, targetGroupName: blue, order: 3 }]"),
            message: "web.yaml:7:125: order must be unique among the actions of a list, but found a second 3. "
                + "Choose another."),
        Case(
            why: "a place out of range",
            yaml: web("defaultActions: [{ type: forward, targetGroupName: blue, order: 50001 }]"),
            message: "web.yaml:7:73: order must be an integer from 1 to 50000, but found 50001. "
                + "Write 50000 or less."),
        Case(
            why: "a forward action to nothing", yaml: web("defaultActions: [{ type: forward }]"),
            message: "web.yaml:7:26: an action of type forward must have the key targetGroupName or forwardConfig. "
                + "Add targetGroupName or forwardConfig."),
        Case(
            why: "two forms that differ",
            yaml: web(
                "defaultActions: [{ type: forward, targetGroupName: blue, forwardConfig: { targetGroups: [{ "
                    + "targetGroupName: green }] } }]"
            ),
            message:
                "web.yaml:7:60: targetGroupName and forwardConfig must name the same single group, but found \"blue\". "
                + "Remove targetGroupName."),
        Case(
            why: "a config of another type",
            yaml: web("defaultActions: [{ type: forward, redirectConfig: { statusCode: HTTP_301, port: 443 } }]"),
            message: "web.yaml:7:59: redirectConfig does not belong to the type forward. "
                + "Remove it, or write type: redirect."),
        Case(
            why: "a weight out of range",
            yaml: web(
                "defaultActions: [{ type: forward, forwardConfig: { targetGroups: [{ targetGroupName: blue, weight: "
                    + "1000 }] } }]"
            ),
            message: "web.yaml:7:108: weight must be an integer from 0 to 999, but found 1000. Write 999 or less."),
        Case(
            why: "a group twice in an action",
            yaml: web(
                "defaultActions: [{ type: forward, forwardConfig: { targetGroups: [{ targetGroupName: blue }, { "
                    + "targetGroupName: blue }] } }]"
            ),
            message:
                "web.yaml:7:102: each target group must stand once, but found \"blue\". Add its weights up in one "
                + "place."
        ),
        Case(
            why: "an answer that sends elsewhere",
            yaml: web("defaultActions: [{ type: fixed-response, fixedResponseConfig: { statusCode: 302 } }]"),
            message: "web.yaml:7:85: statusCode must be 2xx, 4xx or 5xx, but found 302. "
                + "Use an action of type redirect to send clients elsewhere."),
        Case(
            why: "a body that is too long",
            yaml: web(
                "defaultActions: [{ type: fixed-response, fixedResponseConfig: { statusCode: 200, messageBody: "
                    + "\(String(repeating: "x", count: 1025)) } }]"
            ),
            message:
                "web.yaml:7:103: messageBody must be text of at most 1024 bytes, but found "
                + "\"\(String(repeating: "x", count: 64))…\". "
                + "Shorten it, or forward to a target."),
        Case(
            why: "a redirect to the same place",
            yaml: web("defaultActions: [{ type: redirect, redirectConfig: { statusCode: HTTP_301, query: a } }]"),
            message: "web.yaml:7:60: a redirect must change the protocol, the host, the port or the path. "
                + "Add one of them, or clients would come back forever."),
        Case(
            why: "a placeholder where it may not be",
            yaml: web(
                "defaultActions: [{ type: redirect, redirectConfig: { statusCode: HTTP_301, host: \"#{path}\" } }]"),
            message:
                "web.yaml:7:90: host must be a host of 1 to 128 letters, digits, hyphens and dots, with #{host} if "
                + "needed, "
                + "but found \"#{path}\". Write a host such as www.example.com, or www.#{host}."),
        Case(
            why: "an action of a later version", yaml: web("defaultActions: [{ type: authenticate-oidc }]"),
            message:
                "web.yaml:7:34: type must be forward, fixed-response or redirect, but found \"authenticate-oidc\". "
                + "authenticate-oidc is known to ELBv2, not supported by this version."),
    ]

    static let targetCases = [
        Case(
            why: "a name instead of an address", yaml: group("targetType: ip, targets: [{ id: localhost }]"),
            message: "web.yaml:2:77: id must be an IP address or an instance id, but found \"localhost\". "
                + "Write an address such as 10.0.0.5, or an instance id such as i-0a1b2c3d."),
        Case(
            why: "an instance id in a group of addresses", yaml: group("targetType: ip, targets: [{ id: i-1 }]"),
            message: "web.yaml:2:77: id must be an IPv4 or IPv6 address, because the group's targetType is ip, "
                + "but found \"i-1\". Write an address such as 10.0.0.5 or 2001:db8::5; names are not looked up."),
        Case(
            why: "an address in a group of instances", yaml: group("targets: [{ id: 10.0.0.5 }]"),
            message: "web.yaml:2:61: id must be an instance id, because the group's targetType is instance, "
                + "but found \"10.0.0.5\". Write an id such as i-0a1b2c3d."),
        Case(
            why: "a target twice, by the group's port",
            yaml: group("targetType: ip, targets: [{ id: 10.0.0.5 }, { id: 10.0.0.5, port: 80 }]"),
            message:
                "web.yaml:2:89: each target must stand once in its group, but found a second 10.0.0.5 with port 80. "
                + "Remove one of the two."),
        Case(
            why: "a target twice, spelled in two ways",
            yaml: group("targetType: ip, targets: [{ id: \"2001:db8::1\" }, { id: \"2001:DB8:0:0::1\" }]"),
            message: "web.yaml:2:94: each target must stand once in its group, "
                + "but found a second 2001:db8::1 with port 80. Remove one of the two."),
        Case(
            why: "a port as text", yaml: group("targetType: ip, targets: [{ id: 10.0.0.5, port: \"8080\" }]"),
            message:
                "web.yaml:2:93: port must be an integer from 1 to 65535, but found \"8080\". Write 8080, without "
                + "quotes."
        ),
    ]

    static let referenceCases = [
        Case(
            why: "a group that is not there", yaml: web("defaultActions: [{ type: forward, targetGroupName: bleu }]"),
            message: "web.yaml:7:60: targetGroupName must name a target group, but found \"bleu\". Did you mean blue?"),
        Case(
            why: "a group that is not there, among weights",
            yaml: web(
                "defaultActions: [{ type: forward, forwardConfig: { targetGroups: [{ targetGroupName: green }] } }]"),
            message: "web.yaml:7:94: targetGroupName must name a target group, but found \"green\". Known: blue."),
        Case(
            why: "two groups of a name",
            yaml: "targetGroups:\n  - { name: a, protocol: HTTP, port: 1 }\n  - { name: a, protocol: HTTP, port: 2 }",
            message:
                "web.yaml:3:13: name must be unique, but found a second target group a. Choose another name, or "
                + "remove one."
        ),
        Case(
            why: "two load balancers of a name", yaml: "loadBalancers:\n  - { name: a }\n  - { name: a }",
            message:
                "web.yaml:3:13: name must be unique, but found a second load balancer a. Choose another name, or "
                + "remove one."
        ),
        Case(
            why: "two instances of an id",
            yaml: "instances:\n  - { id: i-1, address: 10.0.0.1 }\n  - { id: i-1, address: 10.0.0.2 }",
            message:
                "web.yaml:3:11: id must be unique, but found a second instance i-1. Choose another id, or remove one."),
        Case(
            why: "a port twice in a load balancer",
            yaml: """
                loadBalancers:
                  - name: a
                    listeners:
                      - { protocol: HTTP, port: 80, defaultActions: [\(answer)] }
                      - { protocol: HTTP, port: 80, defaultActions: [\(answer)] }
                """,
            message:
                "web.yaml:5:33: a port must be bound once on an address, but found 0.0.0.0 port 80 in load balancer "
                + "a too. "
                + "Choose another port or another address."),
        Case(
            why: "an address and a port in two load balancers",
            yaml: """
                loadBalancers:
                  - { name: a, addresses: [10.0.0.1, 10.0.0.2], listeners: \(port80) }
                  - { name: b, addresses: [10.0.0.2], listeners: \(port80) }
                """,
            message: "web.yaml:3:75: a port must be bound once on an address, "
                + "but found 10.0.0.2 port 80 in load balancer a too. Choose another port or another address."),
        Case(
            why: "a priority twice",
            yaml: rule(
                "{ priority: 1, conditions: [{ field: host-header, values: [a] }], actions: [\(answer)] }\n          "
                    + "- { priority: 1, conditions: [{ field: host-header, values: [b] }], actions: [\(answer)] }"),
            message: "web.yaml:10:25: priority must be unique, but found a second rule 1. "
                + "Choose another priority, or remove one."),
        Case(
            why: "an address twice", yaml: "loadBalancers: [{ name: a, addresses: [\"::1\", \"0::1\"] }]",
            message: "web.yaml:1:47: each address must stand once, but found ::1. Remove one of the two."),
    ]

    @Test func allMistakesAreFoundAtOnceInTheirOrder() {
        let yaml = "admin: { sokcet: x }\nruntime: { workers: 0 }\nlogs: { access: { format: xml } }\nx: 1"
        let error = #expect(throws: ConfigErrors.self) { try Document.load(yaml: yaml, file: "a.yaml") }
        #expect(error?.all.map(\.line) == [1, 2, 3, 4])
    }

    @Test func aThousandMistakesAreOneScreen() {
        let groups = (0..<1000).map { "  - { name: g\($0), protocol: HTTP, port: 0 }" }.joined(separator: "\n")
        let error = #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: "targetGroups:\n" + groups, file: "a.yaml")
        }
        #expect(error?.all.count == 1000)
        let lines = error?.description.split(separator: "\n") ?? []
        #expect(lines.count == Limits.errorsShownMax + 1 && lines.last == "… and 980 more.")
    }

    @Test func onTheSocketThePathIsThePlace() throws {
        let body = try Value.parse(json: #"[{"id":"10.0.0.9","port":0}]"#)
        let error = #expect(throws: ConfigErrors.self) { try TargetDescription.list(body) }
        #expect(
            error?.description
                == "targets[0].port must be an integer from 1 to 65535, but found 0. Write 1 or more.")
    }

    @Test func anEmptyListOfTargetsIsAMistake() {
        #expect(throws: ConfigErrors.self) { try TargetDescription.list([]) }
    }

    @Test func bothFormsOfOneGroupAreOne() throws {
        let short = Self.web("defaultActions: [{ type: forward, targetGroupName: blue }]")
        let long = Self.web(
            "defaultActions: [{ type: forward, targetGroupName: blue, "
                + "forwardConfig: { targetGroups: [{ targetGroupName: blue }] } }]")
        #expect(try Document.load(yaml: short, file: "") == Document.load(yaml: long, file: ""))
    }

    @Test func allWeightsMayBeZero() throws {
        let yaml = Self.web(
            "defaultActions: [{ type: forward, forwardConfig: { targetGroups: [{ targetGroupName: blue, weight: 0 "
                + "}] } }]"
        )
        let document = try Document.load(yaml: yaml, file: "")
        let blue = WeightedTargetGroup(targetGroupName: "blue", weight: 0)
        #expect(
            document.loadBalancers[0].listeners[0].defaultActions == [.forward(ForwardAction(targetGroups: [blue]))])
    }

    @Test func jsonIsYAMLToo() throws {
        let document = try Document.load(yaml: #"{"admin": {"socket": "/tmp/s"}, "targetGroups": []}"#, file: "")
        #expect(document == Document(admin: Admin(socket: "/tmp/s")))
    }

    @Test func whatELBWritesAsTextIsReadAsText() throws {
        let yaml = Self.group("healthCheckPort: \"8081\", matcher: { httpCode: \"200,204\" }, protocolVersion: HTTP1")
        let check = try Document.load(yaml: yaml, file: "").targetGroups[0].healthCheck
        #expect(check.port == .number(8081) && check.matcher.httpCode == HTTPCodes("200,204"))
    }
}
