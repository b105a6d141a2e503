import Testing

@testable import Model

/// Each condition as it is written, and what is said about those that are wrong.
@Suite struct ConditionKeysTests {
    /// A file whose one rule has these conditions, which begin in line 9, column 41.
    static func file(_ conditions: String) -> String {
        """
        loadBalancers:
          - name: web
            listeners:
              - protocol: HTTP
                port: 80
                defaultActions: [{ type: forward, targetGroupName: blue }]
                rules:
                  - priority: 1
                    conditions:                [\(conditions)]
                    actions: [{ type: forward, targetGroupName: blue }]
        targetGroups:
          - { name: blue, protocol: HTTP, port: 80 }
        """
    }

    struct Accepted: Sendable, CustomTestStringConvertible {
        let written: String
        let conditions: [Condition]
        init(_ written: String, _ conditions: Condition...) {
            self.written = written
            self.conditions = conditions
        }
        var testDescription: String { written }
    }

    static let accepted = [
        Accepted("{ field: host-header, hostHeaderConfig: { values: [a.b, \"*.c\"] } }", .hostHeader(["a.b", "*.c"])),
        Accepted("{ field: path-pattern, values: [/a] }", .pathPattern(["/a"])),
        Accepted(
            "{ field: http-header, httpHeaderConfig: { httpHeaderName: User-Agent, values: [\"*Chrome* ?\", a] } }",
            .httpHeader(name: "User-Agent", ["*Chrome* ?", "a"])),
        Accepted(
            "{ field: http-header, httpHeaderConfig: { httpHeaderName: \"!#$%&'*+-.^_`|~9\", values: [a] } }",
            .httpHeader(name: "!#$%&'*+-.^_`|~9", ["a"])),
        Accepted(
            "{ field: http-request-method, httpRequestMethodConfig: { values: [GET, M-SEARCH, A_B] } }",
            .requestMethod(["GET", "M-SEARCH", "A_B"])),
        Accepted("{ field: http-request-method, values: [HEAD] }", .requestMethod(["HEAD"])),
        Accepted(
            #"{ field: query-string, queryStringConfig: { values: [{ key: v, value: "1" }, { value: '*a\*\?\\' }] } }"#,
            .queryString([QueryStringPair(key: "v", value: "1"), QueryStringPair(value: #"*a\*\?\\"#)])),
        Accepted("{ field: host-header, regexValues: [^a, 'b$'] }", .hostHeaderRegex(["^a", "b$"])),
        Accepted(
            "{ field: path-pattern, pathPatternConfig: { regexValues: ['^/v[0-9]+/'] } }",
            .pathPatternRegex(["^/v[0-9]+/"])),
        Accepted(
            "{ field: http-header, httpHeaderConfig: { httpHeaderName: A, regexValues: [a b] } }",
            .httpHeaderRegex(name: "A", ["a b"])),
        Accepted(
            "{ field: http-header, regexValues: [a], httpHeaderConfig: { httpHeaderName: A } }",
            .httpHeaderRegex(name: "A", ["a"])),
        Accepted(
            "{ field: source-ip, values: [10.0.0.0/8, \"2001:db8::/32\"] }",
            .sourceIP(["10.0.0.0/8", "2001:db8::/32"].compactMap(AddressBlock.init))),
        Accepted(
            "{ field: source-ip, sourceIpConfig: { values: [0.0.0.0/0] } }",
            .sourceIP(["0.0.0.0/0"].compactMap(AddressBlock.init))),
        Accepted(
            "{ field: http-header, httpHeaderConfig: { httpHeaderName: A, values: [a] } }, "
                + "{ field: http-header, httpHeaderConfig: { httpHeaderName: A, values: [b] } }, "
                + "{ field: query-string, queryStringConfig: { values: [{ value: a }] } }, "
                + "{ field: query-string, queryStringConfig: { values: [{ value: b }] } }, "
                + "{ field: path-pattern, values: [/] }, { field: http-request-method, values: [GET] }",
            .httpHeader(name: "A", ["a"]), .httpHeader(name: "A", ["b"]), .queryString([QueryStringPair(value: "a")]),
            .queryString([QueryStringPair(value: "b")]), .pathPattern(["/"]), .requestMethod(["GET"])),
    ]

    @Test(arguments: accepted) func isReadAndWritten(_ test: Accepted) throws {
        let document = try Document.load(yaml: Self.file(test.written), file: "web.yaml")
        #expect(document.loadBalancers[0].listeners[0].rules[0].conditions == test.conditions)
        #expect(try Document(document.encoded()) == document)
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let written: String
        let message: String
        init(_ written: String, _ message: String) {
            self.written = written
            self.message = message
        }
        var testDescription: String { written }
    }

    static let longHeader = "Write httpHeaderConfig: {httpHeaderName: …, values: […]}."
    static let longQuery = "Write queryStringConfig: {values: [{key: …, value: …}]}."

    static let refused = [
        Refused(
            "{ field: http-header, values: [a] }",
            "9:71: values does not belong to the field http-header. \(longHeader)"),
        Refused("{ field: http-header }", "9:41: a condition must have values. \(longHeader)"),
        Refused(
            "{ field: http-header, httpHeaderConfig: { values: [a] } }",
            "9:81: the values of a condition must have the key httpHeaderName. Add httpHeaderName: the name of a "
                + "header field of 1 to 40 characters, other than Host."),
        Refused(
            "{ field: http-header, httpHeaderConfig: { httpHeaderName: Host, values: [a] } }",
            "9:99: httpHeaderName must be the name of a header field of 1 to 40 characters, other than Host, but found "
                + "\"Host\". Write a name such as User-Agent; for Host there is host-header."),
        Refused(
            "{ field: http-header, httpHeaderConfig: { httpHeaderName: \"a b\", values: [a] } }",
            "9:99: httpHeaderName must be the name of a header field of 1 to 40 characters, other than Host, but found "
                + "\"a b\". Write a name such as User-Agent; for Host there is host-header."),
        Refused(
            "{ field: http-header, httpHeaderConfig: { httpHeaderName: A } }",
            "9:41: a condition must have values. \(longHeader)"),
        Refused(
            "{ field: http-header, httpHeaderConfig: { httpHeaderName: A, values: [\"\u{E4}\"] } }",
            "9:111: values[0] must be a pattern of 1 to 128 visible characters and spaces, where * and ? stand for "
                + "any, but found \"\u{E4}\". Write a value such as *Chrome*; field values are compared in any case."),
        Refused(
            "{ field: path-pattern, regexValues: [^/a, '^/(a'] }",
            "9:83: regexValues[1] must be a regular expression that can be compiled, but found \"^/(a\": missing "
                + "closing parenthesis, behind character 4, \"^/(a\". \(correct)"),
        Refused(
            "{ field: host-header, hostHeaderConfig: { regexValues: ['a**b'] } }",
            "9:97: regexValues[0] must be a regular expression that can be compiled, but found \"a**b\": quantifier "
                + "does not follow a repeatable item, behind character 2, \"a*\". \(correct)"),
        Refused(
            "{ field: host-header, regexValues: [\"\u{E4}\"] }",
            "9:77: regexValues[0] must be a regular expression of 1 to 128 visible characters and spaces, but found "
                + "\"\u{E4}\". Write one such as ^/v[0-9]+/; it may match anywhere in the text."),
        Refused(
            "{ field: host-header, values: [a], regexValues: [a] }",
            "9:41: a condition must have values or regexValues, not both. Remove one of the two."),
        Refused(
            "{ field: host-header, regexValues: [a], hostHeaderConfig: { regexValues: [a] } }",
            "9:76: a condition must have regexValues or hostHeaderConfig, not both. Remove one of the two."),
        Refused(
            "{ field: http-request-method, regexValues: [a] }",
            "9:84: regexValues does not belong to the field http-request-method. Write values instead."),
        Refused(
            "{ field: http-header, regexValues: [a] }",
            "9:41: a condition on http-header must name the field. \(longHeader)"),
        Refused(
            "{ field: http-request-method, values: [get] }",
            "9:80: values[0] must be a method of 1 to 40 letters in upper case, hyphens and underscores, but found "
                + "\"get\". Write a method such as GET; there are no wildcards."),
        Refused(
            "{ field: http-request-method, values: [\"*\"] }",
            "9:80: values[0] must be a method of 1 to 40 letters in upper case, hyphens and underscores, but found "
                + "\"*\". Write a method such as GET; there are no wildcards."),
        Refused(
            "{ field: query-string, values: [a] }",
            "9:72: values does not belong to the field query-string. \(longQuery)"),
        Refused(
            "{ field: query-string, queryStringConfig: { values: [{ key: a }] } }",
            "9:94: a parameter of a query must have the key value. Add value: \(query)."),
        Refused(
            "{ field: query-string, queryStringConfig: { values: [{ value: \"a b\" }] } }",
            "9:103: value must be \(query), but found \"a b\". \(queryRemedy)"),
        Refused(
            "{ field: query-string, queryStringConfig: { values: [{ key: 'a\\b', value: a }] } }",
            "9:101: key must be \(query), but found \"a\\\\b\". \(queryRemedy)"),
        Refused(
            "{ field: query-string, queryStringConfig: { values: [{ value: 'a\\' }] } }",
            "9:103: value must be \(query), but found \"a\\\\\". \(queryRemedy)"),
        Refused(
            "{ field: http-request-method, values: [GET] }, { field: http-request-method, values: [PUT] }",
            "9:88: a rule must have at most one condition of this field, but found a second http-request-method. Put "
                + "all values into one condition: any of them may match."),
        Refused(
            "{ field: source-ip, sourceIpConfig: { ipAddressType: ipv4 } }",
            "9:94: ipAddressType belongs to network load balancers with addresses of IPv4 and of IPv6, but found an "
                + "application load balancer. Write values: [\"0.0.0.0/0\"] for IPv4, or values: [\"::/0\"] for IPv6."),
        Refused(
            "{ field: source-ip, sourceIpConfig: { values: [255.255.255.255/32] } }",
            "9:88: values[0] must be a network such as 10.0.0.0/8 or 2001:db8::/32, without a bit set behind its "
                + "prefix, but found \"255.255.255.255/32\". Write the network's first address and the length of its "
                + "prefix; one address is 10.1.2.3/32."),
    ]
    static let correct = "Correct it there; a backslash before a character takes its meaning away."
    static let query =
        "a pattern of 1 to 128 visible characters, where * and ? stand for any and \\* and \\? for themselves"
    static let queryRemedy = "Write a pattern such as v1*; a backslash stands only before *, ? or another one."

    @Test(arguments: refused) func saysWhatIsWrong(_ test: Refused) {
        #expect(NetworkSample.mistake(in: Self.file(test.written)) == "edge.yaml:" + test.message)
    }

    @Test(arguments: [("httpHeaderName", 40), ("value", 128)]) func lengthsAreEnforced(_ key: String, _ count: Int) {
        for (length, isRight) in [(count, true), (count + 1, false)] {
            let text = String(repeating: "a", count: length)
            let (name, value) = key == "value" ? ("a", text) : (text, "a")
            let written =
                "{ field: http-header, httpHeaderConfig: { httpHeaderName: \(name), values: [\(value)] } }"
            #expect((NetworkSample.mistake(in: Self.file(written)) == nil) == isRight)
        }
    }

    @Test func manyConditionsFitOneRule() {
        let one = "{ field: http-header, httpHeaderConfig: { httpHeaderName: a, values: [a] } }"
        for (count, isRight) in [(Limits.conditionsPerRuleMax, true), (Limits.conditionsPerRuleMax + 1, false)] {
            let conditions = Array(repeating: one, count: count).joined(separator: ", ")
            #expect((NetworkSample.mistake(in: Self.file(conditions)) == nil) == isRight)
        }
    }

    // MARK: The older spelling of apus.sni, and the families of addresses

    @Test(arguments: ["sni", "apus.sni"]) func sniHasTwoSpellingsAndIsWrittenAsOne(_ field: String) throws {
        let file = ListenerNetworkTests.ruled(.tcp, "{ field: \(field), values: [a.example] }")
        let document = try Document.load(yaml: file, file: "edge.yaml")
        #expect(document.loadBalancers[0].listeners[0].rules[0].conditions == [.serverName(["a.example"])])
        #expect(document.encoded().json().contains("\"field\":\"apus.sni\""))
        let fields = SchemaTests.schema?["$defs"]?["Condition"]?["properties"]?["field"]?["enum"]?.array ?? []
        #expect(fields.contains(.string(field)))
    }

    /// A rule on a listener of a network load balancer with these addresses.
    static func family(_ addresses: String, _ conditions: String) -> String {
        ListenerNetworkTests.ruled(.udp, conditions)
            .replacing("type: network", with: "type: network\n    addresses: [\(addresses)]")
    }

    @Test func aFamilyIsForDualStack() throws {
        let condition = "{ field: source-ip, sourceIpConfig: { ipAddressType: ipv6 } }"
        let both = Self.family("0.0.0.0, \"::\"", condition)
        let listener = try NetworkSample.listener(in: both)
        #expect(listener.rules[0].conditions == [.sourceFamily(.ipv6)])
        let document = try Document.load(yaml: both, file: "edge.yaml")
        #expect(try Document(document.encoded()) == document)
        #expect(
            NetworkSample.mistake(in: Self.family("0.0.0.0", condition))
                == "edge.yaml:11:94: ipAddressType belongs to network load balancers with addresses of IPv4 and of "
                + "IPv6, but found addresses of one family. Add an address of the other family, such as \"::\", or "
                + "remove the rule.")
        #expect(
            NetworkSample.mistake(
                in: Self.family("0.0.0.0, \"::\"", condition + ", { field: sni, values: [a.b] }"))
                == "edge.yaml:11:41: a condition with ipAddressType must be the only one of its rule, but found 2 "
                + "conditions. Remove the others.")
    }
}
