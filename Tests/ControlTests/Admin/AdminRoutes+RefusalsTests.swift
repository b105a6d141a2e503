import Model
import Testing

@testable import Control

/// Every refusal of the admin socket: its status, its code, and words that lead on.
@Suite struct AdminRoutesRefusalsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let request: String
        let body: String
        let status: Int
        let code: String
        let words: String
        var testDescription: String { "\(request) \(body.prefix(60))" }

        init(_ request: String, _ body: String, _ status: Int, _ code: String, _ words: String) {
            (self.request, self.body, self.status, self.code, self.words) = (request, body, status, code, words)
        }

        init(_ request: String, _ status: Int, _ code: String, _ words: String) {
            self.init(request, "", status, code, words)
        }
    }

    static let register = "POST /v1/target-groups/blue/targets"
    static let deregister = "POST /v1/target-groups/blue/deregister"
    static let weights = "PUT /v1/load-balancers/web/listeners/8080/weights"
    static let refusals = [
        Case("GET /", 404, "PathNotFound", "/v1/status"),
        Case("GET /v1/target-group", 404, "PathNotFound", "/v1/target-groups"),
        Case("GET /v1/target-groups/blue/target", 404, "PathNotFound", "/v1/target-groups/{tg}/targets"),
        Case("GET /v1/load-balancers/web/listeners/80/rule/1", 404, "PathNotFound", "rules/{priority}"),
        Case("POST /v1/status", 405, "MethodNotAllowed", "Use GET, HEAD."),
        Case("DELETE /v1/reload", 405, "MethodNotAllowed", "Use POST."),
        Case("PATCH /v1/target-groups/blue", 405, "MethodNotAllowed", "Use GET, HEAD, PUT, DELETE."),
        Case("GET /v1/load-balancers/no", 404, "LoadBalancerNotFound", "apus listeners"),
        Case("GET /v1/load-balancers/no/listeners/80", 404, "LoadBalancerNotFound", "no load balancer no"),
        Case("GET /v1/load-balancers/web/listeners/81", 404, "ListenerNotFound", "no listener on port 81"),
        Case("GET /v1/load-balancers/web/listeners/x", 404, "ListenerNotFound", "must be a number"),
        Case("GET /v1/load-balancers/web/listeners/80/rules/1", 404, "RuleNotFound", "apus rules list web:80"),
        Case("GET /v1/load-balancers/web/listeners/80/rules/-", 404, "RuleNotFound", "must be a number"),
        Case("GET /v1/target-groups/no", 404, "TargetGroupNotFound", "apus groups"),
        Case("GET /v1/target-groups/no/targets", 404, "TargetGroupNotFound", "No no."),
        Case("GET /v1/instances/i-9", 404, "ResourceNotFound", "apus instances"),
        Case("GET /v1/prefix-lists/no", 404, "ResourceNotFound", "apus prefix-lists"),
        Case("PUT /v1/prefix-lists/a", #"{"entries":["10.0.0.1/8"]}"#, 400, "ValidationError", "10.0.0.0/8, or"),
        Case("PUT /v1/prefix-lists/a", "{}", 400, "ValidationError", "must have the key entries"),
        Case("GET /v1/target-groups/blue/targets?port=80", 400, "ValidationError", "after the id"),
        Case("GET /v1/target-groups/blue/targets?id=a&port=0", 400, "ValidationError", "must be a port"),
        Case("GET /v1/target-groups/blue/targets?name=a", 400, "ValidationError", "found \"name\""),
        Case("GET /v1/events?recent=-1", 400, "ValidationError", "number of events"),
        Case("GET /v1/events?recent=x", 400, "ValidationError", "found \"x\""),
        Case("DELETE /v1/target-groups/blue", 409, "ResourceInUse", "in use"),
        Case(
            "POST /v1/target-groups/no/deregister", #"{"targets":[{"id":"::1"}]}"#, 404, "TargetGroupNotFound", "No no."
        ),
        Case(
            "PUT /v1/target-groups/a", #"{"name":"b"}"#, 400, "ValidationError",
            "\"b\" in the body and \"a\" in the path"),
        Case("PUT /v1/load-balancers/a", #"{"name":7}"#, 400, "ValidationError", "7 in the body"),
        Case(
            "PUT /v1/load-balancers/web/listeners/80", #"{"port":81}"#, 400, "ValidationError",
            "81 in the body and 80 in"),
        Case(
            "PUT /v1/load-balancers/web/listeners/80/rules/1", #"{"priority":2}"#, 400, "ValidationError",
            "2 in the body and 1 in"),
        Case("PUT /v1/target-groups/a", #"{"port":80,"protocl":"HTTP"}"#, 400, "ValidationError", "protocol"),
        Case(
            "PUT /v1/target-groups/blue", #"{"targetType":"instance","protocol":"HTTP","port":80}"#, 400,
            "InvalidConfigurationRequest", "must stay ip"),
        Case("PUT /v1/instances/i-1", #"{"address":"nowhere"}"#, 400, "ValidationError", "nowhere"),
        Case(register, "", 400, "ValidationError", "needs a body"),
        Case(register, "[]", 400, "ValidationError", "object with a list of targets"),
        Case(register, "{}", 400, "ValidationError", "object with a list of targets"),
        Case(register, #"{"targets":[]}"#, 400, "ValidationError", "targets"),
        Case(register, #"{"targets":{}}"#, 400, "ValidationError", "list"),
        Case(register, #"{"targets":[{"port":80}]}"#, 400, "ValidationError", "id"),
        Case(register, #"{"targets":[{"id":"10.0.0.1","port":"80"}]}"#, 400, "ValidationError", "without quotes"),
        Case(register, #"{"targets":[{"id":"10.0.0.1"}],"timeoutSeconds":1}"#, 400, "ValidationError", "wait"),
        Case(register, #"{"targets":[{"id":"10.0.0.1"}],"weight":1}"#, 400, "ValidationError", "\"weight\""),
        Case(deregister, #"{"targets":[{"id":"10.0.0.1"}],"wait":"yes"}"#, 400, "ValidationError", "true or false"),
        Case(deregister, #"{"targets":[{"id":"10.0.0.1"}],"delay":1}"#, 400, "ValidationError", "\"delay\""),
        Case(weights, "{}", 400, "ValidationError", "at least one"),
        Case(weights, #"{"blue":1000}"#, 400, "ValidationError", "999"),
        Case(weights, #"{"blue":"1"}"#, 400, "ValidationError", "without quotes"),
        Case(weights, #"{"red":1}"#, 404, "TargetGroupNotFound", "red"),
        Case("POST /v1/reload", #"{"discard":true}"#, 400, "ValidationError", "discardChanges"),
        Case("POST /v1/reload", #"{"discardChanges":1}"#, 400, "ValidationError", "discardChanges"),
        Case("POST /v1/upgrade", #"{"graceSeconds":-1}"#, 400, "ValidationError", "graceSeconds"),
        Case("POST /v1/upgrade", #"{"graceSeconds":604801}"#, 400, "ValidationError", "604800"),
        Case("POST /v1/upgrade", #"{"binary":7}"#, 400, "ValidationError", "absolute path"),
        Case("POST /v1/upgrade", #"{"program":"/bin/true"}"#, 400, "ValidationError", "nothing else"),
        Case("POST /v1/upgrade", "[]", 400, "ValidationError", "absolute path"),
        Case("POST /v1/reload", "true", 400, "ValidationError", "discardChanges"),
        Case("POST /v1/check", "loadBalancers: [", 400, "ValidationError", "line 2"),
        Case("POST /v1/check", "balancers: []", 400, "ValidationError", "balancers"),
    ]

    @Test(arguments: refusals) func isRefused(_ test: Case) throws {
        let harness = try AdminHarness()
        let response = try AdminRoutesTests.answer(harness, test.request, test.body)
        #expect(response.status == test.status)
        let error = try #require(try Value.parse(json: response.body)["error"])
        #expect(error["code"]?.string == test.code)
        let words = "\(text(error["message"])) \(text(error["remedy"]))"
        #expect(words.contains(test.words), "\(words)")
        #expect(error["message"]?.string?.isEmpty == false && error["remedy"]?.string?.isEmpty == false)
        #expect(harness.perform { $0.document } == AdminHarness.document, "nothing was changed")
        if test.status == 405 {
            #expect(response.fields["allow"].map { "Use \($0)." } == error["remedy"]?.string)
        }
    }

    /// JSON that is wrong in every way that JSON can be.
    static let malformed = [
        "{", "}", "{]", "[1,]", #"{"a":1,}"#, #"{"a" 1}"#, #"{a:1}"#, #"{'a':1}"#, #"{"a":1}{"#, #"{"a":1} x"#, "nul",
        "tru", "NaN",
        "Infinity", "-", "+1", "01", "1.", ".5", "1e", "1e999", "\"", #""\x""#, #""\u12""#, #""\ud800""#, "\"\u{1}\"",
        #"{"a":1,"a":2}"#, "// c\n{}", "{\"a\":\"\n\"}", String(repeating: "[", count: 5000),
    ]

    @Test(arguments: malformed) func malformedJSONIsRefusedWithItsPlace(_ text: String) throws {
        let response = try AdminRoutesTests.answer(AdminHarness(), "PUT /v1/target-groups/blue", text)
        let error = try #require(try Value.parse(json: response.body)["error"])
        #expect(response.status == 400 && error["code"]?.string == "ValidationError")
        #expect(error["message"]?.string?.hasPrefix("line ") == true)
    }

    /// An answer is as long as we want it, whatever was sent.
    @Test(arguments: [
        ("PUT /v1/target-groups/zz", "{\"name\":\"#\",\"protocol\":\"HTTP\",\"port\":80}"),
        ("PUT /v1/target-groups/zz", "{\"protocol\":\"#\",\"port\":80}"), (weights, "{\"#\":1}"),
        (weights, "{\"#\":\"1\"}"),
        (register, "{\"targets\":[{\"id\":\"#\"}]}"), (register, "{\"targets\":[{\"id\":\"::1\"}],\"#\":1}"),
        (deregister, "{\"targets\":[{\"id\":\"::1\"}],\"wait\":\"#\"}"), ("POST /v1/check", "loadBalancers: '#'"),
        ("POST /v1/check", "targetGroups: [{ name: '#' }]"),
        ("PUT /v1/instances/i-1", "{\"address\":\"#\"}"),
    ])
    func whatWasSentIsNotEchoedAtLength(_ request: String, _ body: String) throws {
        let long = body.replacing("#", with: String(repeating: "x", count: 3 << 20))
        let response = try AdminRoutesTests.answer(AdminHarness(), request, long)
        #expect(response.status >= 400 && response.body.utf8.count < 64 * 1024, "\(response.body.utf8.count) bytes")
        #expect(response.body.contains("…"), "it says that it was cut: \(response.body.prefix(300))")
        #expect(response.body.contains("\"remedy\""))
    }

    @Test func bytesThatAreNotTextAreRefused() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        client.send("PUT /v1/target-groups/blue HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        client.send([0x22, 0xFF, 0xC3, 0x22])
        let response = try #require(client.response())
        #expect(response.status == 400 && response.body.contains("UTF-8"))
        #expect(response.body.contains("byte 0xff at offset 1"))
    }

    @Test func aByteOrderMarkIsPassedOver() throws {
        let body = "\u{FEFF}{\"address\":\"10.0.0.3\"}"
        #expect(try AdminRoutesTests.answer(AdminHarness(), "PUT /v1/instances/i-3", body).status == 200)
        let check = "\u{FEFF}loadBalancers: []"
        #expect(try AdminRoutesTests.answer(AdminHarness(), "POST /v1/check", check).status == 200)
    }

    @Test func whatControlRefusesIsPassedOn() throws {
        let harness = try AdminHarness()
        harness.perform { $0.refusal = .failure("write state: No space left on device.", remedy: "Make room.") }
        let response = try AdminRoutesTests.answer(harness, "DELETE /v1/instances/i-1", "")
        #expect(response.status == 500)
        #expect(response.body.contains("InternalFailure") && response.body.contains("Make room."))
    }

    @Test func allMistakesOfAReloadAreTold() throws {
        let harness = try AdminHarness()
        harness.perform { actions in
            let mistakes = ["a", "b", "c"].map {
                ConfigError(file: "f.yaml", expected: "\($0) is wrong", remedy: "Right it.")
            }
            actions.reloadResult = .failure(ConfigErrors(mistakes))
        }
        let response = try AdminRoutesTests.answer(harness, "POST /v1/reload", "")
        let error = try #require(try Value.parse(json: response.body)["error"])
        #expect(response.status == 400)
        #expect(error["message"] == "f.yaml: a is wrong. And 2 more mistakes.")
        #expect(error["remedy"] == "Right it.")
        #expect(
            error["details"]
                == .array(
                    ["a", "b", "c"].map { name in
                        [
                            "file": "f.yaml", "code": "ValidationError", "message": .string("\(name) is wrong."),
                            "remedy": "Right it.",
                        ]
                    }))
    }

    @Test func aReloadWhileStoppingIsToBeTriedAgain() throws {
        let harness = try AdminHarness()
        harness.perform { actions in
            actions.isStopping = true
            actions.reloadResult = .failure(
                ConfigErrors(ConfigError(expected: "it stops", remedy: "Wait.", code: .operationNotPermitted)))
        }
        let response = try AdminRoutesTests.answer(harness, "POST /v1/reload", "")
        #expect(response.status == 503)
        #expect(response.body.contains("OperationNotPermitted"))
    }
}
