import Testing

@testable import Model

@Suite struct TransformKeysTests {
    /// A file whose one rule has these transforms, which begin in line 9, column 41.
    static func file(_ transforms: String, action: String = "{ type: forward, targetGroupName: blue }") -> String {
        """
        loadBalancers:
          - name: web
            listeners:
              - protocol: HTTP
                port: 80
                defaultActions: [{ type: forward, targetGroupName: blue }]
                rules:
                  - priority: 1
                    transforms:                [\(transforms)]
                    conditions: [{ field: path-pattern, values: [/a] }]
                    actions: [\(action)]
        targetGroups:
          - { name: blue, protocol: HTTP, port: 80 }
        """
    }

    @Test func bothKindsAreReadAndWritten() throws {
        let file = Self.file(
            "{ type: url-rewrite, urlRewriteConfig: { rewrites: [{ regex: '^/a(.*)$', replace: '/b$1' }] } }, "
                + "{ type: host-header-rewrite, hostHeaderRewriteConfig: { rewrites: [{ regex: a, replace: b }] } }")
        let document = try Document.load(yaml: file, file: "web.yaml")
        #expect(
            document.loadBalancers[0].listeners[0].rules[0].transforms == [
                .urlRewrite(RewriteConfig(regex: "^/a(.*)$", replace: "/b$1")),
                .hostHeaderRewrite(RewriteConfig(regex: "a", replace: "b")),
            ])
        #expect(try Document(document.encoded()) == document)
    }

    static func url(_ rewrite: String) -> String {
        "{ type: url-rewrite, urlRewriteConfig: { rewrites: [\(rewrite)] } }"
    }

    private static let replacement =
        "text of at most 1024 visible characters, where a $ stands before a digit, a digit in braces or another $"

    static let refused: [(transforms: String, message: String)] = [
        (
            "{ type: url-rewrite }",
            "9:41: a transform of type url-rewrite must have urlRewriteConfig. "
                + "Add urlRewriteConfig: {rewrites: [{regex: …, replace: …}]}."
        ),
        (
            "{ type: url-rewrites }",
            "9:49: type must be host-header-rewrite or url-rewrite, but found \"url-rewrites\". "
                + "Did you mean url-rewrite?"
        ),
        (
            "{ type: url-rewrite, hostHeaderRewriteConfig: { rewrites: [{ regex: a, replace: b }] } }",
            "9:87: hostHeaderRewriteConfig does not belong to the type url-rewrite. Remove it."
        ),
        (
            url("{ regex: '(', replace: b }"),
            "9:102: regex must be a regular expression that can be compiled, but found \"(\": missing closing "
                + "parenthesis, behind character 1, \"(\". Correct it there; a backslash before a character takes its "
                + "meaning away."
        ),
        (
            url("{ regex: '(a)', replace: $2 }"),
            "9:118: replace must name groups that regex has, which are 1, but found $2. Put what is to be captured in "
                + "parentheses, or write $$ for a dollar sign."
        ),
        (
            url("{ regex: a, replace: 'b c' }"),
            "9:114: replace must be \(replacement), but found \"b c\". "
                + "Write text such as /v2/$1, and $$ for a dollar sign."
        ),
        (
            url("{ regex: '(a)', replace: '/${n}' }"),
            "9:118: replace must be \(replacement), but found \"/${n}\". "
                + "Write text such as /v2/$1, and $$ for a dollar sign."
        ),
        (
            url("{ regex: a, replace: b }, { regex: c, replace: d }"),
            "9:92: rewrites must be a list of exactly one, a rewrite, but found 2. Remove some."
        ),
        (
            url("{ regex: a, replace: b }") + ", " + url("{ regex: a, replace: b }"),
            "9:124: a rule must have at most one transform of a type, but found a second url-rewrite. "
                + "Remove one of the two."
        ),
    ]

    @Test(arguments: refused)
    func saysWhatIsWrong(_ transforms: String, _ message: String) {
        #expect(NetworkSample.mistake(in: Self.file(transforms)) == "edge.yaml:" + message)
    }

    @Test(arguments: ["$1$$2", "${1}", "$0", "a$$", "$$9", "$0$$$1", "{$1}"]) func groupsThatAreThereAreFine(
        _ replace: String
    ) {
        #expect(NetworkSample.mistake(in: Self.file(Self.url("{ regex: (a), replace: '\(replace)' }"))) == nil)
    }

    /// It would be sent as it is written, which nobody means.
    @Test(arguments: ["a$", "$x", "${x}", "${10}", "${1", "${}", "$$$", "$"])
    func aDollarSignThatNamesNothingIsRefused(_ replace: String) {
        let mistake = NetworkSample.mistake(in: Self.file(Self.url("{ regex: (a), replace: '\(replace)' }")))
        #expect(mistake?.contains("replace must be \(Self.replacement), but found \"\(replace)\"") == true)
    }

    @Test func theyBelongToRulesThatForward() {
        let answer = "{ type: fixed-response, fixedResponseConfig: { statusCode: 200 } }"
        let mistake = NetworkSample.mistake(
            in: Self.file(Self.url("{ regex: a, replace: b }"), action: answer))
        #expect(
            mistake == "edge.yaml:9:40: transforms belong to rules that forward to targets, but found them beside "
                + "fixed-response. Remove them; what other actions answer has fields of its own.")
    }

    @Test func theyBelongToApplicationLoadBalancers() {
        let rule =
            "{ priority: 1, conditions: [{ field: source-ip, values: [10.0.0.0/8] }], "
            + "actions: [\(NetworkSample.forward("tcp"))], transforms: [\(Self.url("{ regex: a, replace: b }"))] }"
        let mistake = NetworkSample.mistake(in: NetworkSample.file(.tcp, more: "rules:\n          - \(rule)"))
        #expect(mistake?.contains("transforms belong to application load balancers, but found them on a TCP") == true)
    }
}
