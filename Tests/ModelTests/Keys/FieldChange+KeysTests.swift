import Testing

@testable import Model

@Suite struct FieldChangeKeysTests {
    /// A file whose one rule has these changes, the requests' in line 9 from column 41, the responses' in line 10.
    static func file(
        _ request: String, _ response: String = "", action: String = "{ type: forward, targetGroupName: blue }"
    ) -> String {
        """
        loadBalancers:
          - name: web
            listeners:
              - protocol: HTTP
                port: 80
                defaultActions: [{ type: forward, targetGroupName: blue }]
                rules:
                  - priority: 1
                    apus.requestHeaders:       [\(request)]
                    apus.responseHeaders:      [\(response)]
                    conditions: [{ field: path-pattern, values: [/a] }]
                    actions: [\(action)]
        targetGroups:
          - { name: blue, protocol: HTTP, port: 80 }
        """
    }

    @Test func allActionsAreReadAndWritten() throws {
        let file = Self.file(
            "{ action: set, name: X-Host, value: '#{host} #{header X-A}' }, { action: remove, name: cookie }",
            "{ action: append, name: Set_Cookie, value: 'a=b; c' }")
        let document = try Document.load(yaml: file, file: "web.yaml")
        let rule = document.loadBalancers[0].listeners[0].rules[0]
        #expect(
            rule.requestHeaders == [
                FieldChange(action: .set, name: "X-Host", value: "#{host} #{header X-A}"),
                FieldChange(action: .remove, name: "cookie"),
            ])
        #expect(rule.responseHeaders == [FieldChange(action: .append, name: "Set_Cookie", value: "a=b; c")])
        #expect(try Document(document.encoded()) == document)
    }

    @Test func fieldsByWhichTheListenerTellsAboutTLSAreItsOwn() throws {
        let attribute = "routing.http.request.x_amzn_mtls_clientcert_subject.header_name: X-Client-Subject"
        func file(_ name: String) -> String {
            Self.file("{ action: set, name: \(name), value: b }")
                .replacing("    defaultActions", with: "    attributes: { \(attribute) }\n        defaultActions")
        }
        let error = #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: file("x_client_subject"), file: "web.yaml")
        }
        #expect(
            error?.first.description.hasSuffix(
                "name must not be that of a field by which the listener tells targets about TLS, but found "
                    + "\"x_client_subject\". Write another name.") == true, "\(error?.first.description ?? "")")
        _ = try Document.load(yaml: file("X-Client-Name"), file: "web.yaml")
    }

    static let refused: [(change: String, message: String)] = [
        (
            "{ action: sett, name: A, value: b }",
            "9:51: action must be set, append or remove, but found \"sett\". "
                + "Did you mean set?"
        ),
        ("{ action: set, name: A }", "9:41: a change with action set must have the key value. Add value."),
        (
            "{ action: remove, name: A, value: b }",
            "9:75: value belongs to the actions set and append, but found it with action remove. "
                + "Remove it, or write action: set."
        ),
        (
            "{ action: remove, name: 'A:' }",
            "9:65: name must be a field name of 1 to 64 letters, digits, hyphens and underscores, but found \"A:\". "
                + "Write a name such as X-Tenant, without a colon."
        ),
        (
            "{ action: remove, name: HOST }",
            "9:65: name must not be that of a field which says which host a request is for, but found \"HOST\". "
                + "Write a transform of type host-header-rewrite."
        ),
        (
            "{ action: set, name: Transfer_Encoding, value: a }",
            "9:62: name must not be that of a field which says where a message ends, but found \"Transfer_Encoding\". "
                + "Remove the change; it is written as it is needed."
        ),
        (
            "{ action: remove, name: X-Forwarded-For }",
            "9:65: name must not be that of a field which says what Apus itself tells targets, but found "
                + "\"X-Forwarded-For\". Write routing.http.xff_header_processing.mode in the load balancer's "
                + "attributes."
        ),
        (
            "{ action: remove, name: X-Amzn-Trace-Id }",
            "9:65: name must not be that of a field which says what Apus itself tells targets, but found "
                + "\"X-Amzn-Trace-Id\". Choose another name, one that does not begin with X-Amzn-."
        ),
    ]

    @Test(arguments: refused) func saysWhatIsWrong(_ change: String, _ message: String) {
        #expect(NetworkSample.mistake(in: Self.file(change)) == "edge.yaml:" + message)
    }

    @Test(arguments: [
        "a\\r\\nB: c", "a\\tb", " a", "a ", "", "ü", "#{hosts}", "#{host", "#{header }", "#{header a b}", "#{}",
    ])
    func valuesCannotEndTheField(_ value: String) throws {
        let mistake = NetworkSample.mistake(in: Self.file("{ action: set, name: A, value: \"\(value)\" }"))
        #expect(mistake?.contains("9:72: value must be 1 to 1024 visible characters and spaces") == true, "\(value)")
    }

    /// Names on which messages depend, in either list, in any case and with underscores.
    @Test(arguments: [
        ("Content-Length", true, true), ("connection", true, true), ("Keep-Alive", true, true), ("TE", true, true),
        ("Proxy-Connection", true, true), ("Upgrade", true, true), ("HTTP2-Settings", true, true),
        ("Expect", true, true), ("trailer", true, true),
        ("Sec-WebSocket-Key", true, true), ("x_amzn_any", true, false),
        ("X-Forwarded-Proto", true, false), ("X_Forwarded_Port", true, false), ("Grpc-Status", false, true),
        ("grpc-message", false, true), ("User-Agent", false, false), ("Set-Cookie", false, false),
        ("Authorization", false, false), ("Date", false, false), ("X-Amz", false, false),
    ])
    func whatCannotBeChanged(_ name: String, _ inRequests: Bool, _ inResponses: Bool) {
        let change = "{ action: remove, name: \(name) }"
        #expect((NetworkSample.mistake(in: Self.file(change)) != nil) == inRequests)
        #expect((NetworkSample.mistake(in: Self.file("", change)) != nil) == inResponses)
    }

    @Test func requestsHaveToGoToATarget() {
        let fixed = "{ type: fixed-response, fixedResponseConfig: { statusCode: '200' } }"
        let change = "{ action: remove, name: A }"
        #expect(NetworkSample.mistake(in: Self.file("", change, action: fixed)) == nil)
        #expect(
            NetworkSample.mistake(in: Self.file(change, action: fixed))
                == "edge.yaml:9:40: apus.requestHeaders belongs to rules that forward to targets, but found it beside "
                + "fixed-response. Remove it, or write apus.responseHeaders for what clients get.")
    }

    @Test(arguments: ["apus.requestHeaders", "apus.responseHeaders"]) func notOnNetworkLoadBalancers(_ key: String) {
        let rule =
            "{ priority: 1, conditions: [{ field: source-ip, values: [10.0.0.0/8] }], "
            + "actions: [\(NetworkSample.forward("tcp"))], \(key): [{ action: remove, name: A }] }"
        let mistake = NetworkSample.mistake(in: NetworkSample.file(.tcp, more: "rules:\n          - \(rule)"))
        #expect(mistake?.contains("\(key) belongs to application load balancers, but found it on a TCP") == true)
    }
}
