import Testing

/// If-Match: two concurrent editors cannot overwrite each other's changes unnoticed.
@Suite struct IfMatchTests {
    @Test(
        "Every change accepts If-Match: another generation is 412 and changes nothing, the current one succeeds"
    )
    func everyChange() throws {
        let apus = try ApusProcess.start(Document(try TargetServer()))
        let listener = "/v1/load-balancers/web/listeners/\(apus.port)"
        let fixed = "[{\"type\":\"fixed-response\",\"fixedResponseConfig\":{\"statusCode\":\"204\"}}]"
        let condition = "[{\"field\":\"path-pattern\",\"values\":[\"/a\"]}]"
        let target = "{\"targets\":[{\"id\":\"127.0.0.1\",\"port\":9}]}"
        let group = "{\"targetType\":\"ip\",\"protocol\":\"HTTP\",\"port\":80}"
        let changes: [(method: String, path: String, body: String?)] = [
            ("PUT", "/v1/target-groups/fresh", group), ("POST", "/v1/target-groups/fresh/targets", target),
            ("POST", "/v1/target-groups/fresh/deregister", target), ("DELETE", "/v1/target-groups/fresh", nil),
            ("PUT", "\(listener)/weights", "{\"blue\":7}"),
            ("PUT", "\(listener)/rules/5", "{\"conditions\":\(condition),\"actions\":\(fixed)}"),
            ("DELETE", "\(listener)/rules/5", nil),
            ("PUT", "/v1/instances/i-1", "{\"address\":\"127.0.0.1\"}"), ("DELETE", "/v1/instances/i-1", nil),
            ("PUT", "/v1/load-balancers/other", "{\"addresses\":[\"127.0.0.1\"]}"),
            ("DELETE", "/v1/load-balancers/other", nil), ("POST", "/v1/reload", nil),
        ]
        for change in changes {
            let before = try apus.admin("GET", "/v1/config")
            let generation = try #require(try apus.admin("GET", "/v1/status").json["generation"].int)
            #expect(before.tag == "\"\(generation)\"")
            let refused = try apus.admin(
                change.method, change.path, text: change.body, fields: ["If-Match: \"\(generation + 1)\""])
            let seen: Comment = "\(change.method) \(change.path): \(refused.status) \(refused.text)"
            #expect(refused.status == 412 && refused.errorCode == "PreconditionFailed", seen)
            #expect(refused.json["error"]["message"].string?.contains("which is \(generation)") == true, seen)
            #expect(refused.json["error"]["remedy"].string?.contains("If-Match: \"\(generation)\"") == true, seen)
            #expect(try apus.admin("GET", "/v1/config").text == before.text, seen)
            let done = try apus.admin(
                change.method, change.path, text: change.body, fields: ["If-Match: \"\(generation)\""])
            let answer: Comment = "\(change.method) \(change.path): \(done.status) \(done.text)"
            #expect(done.status == 200, answer)
            #expect(done.tag == done.json["generation"].int.map { "\"\($0)\"" }, answer)
        }
    }

    @Test("Of many concurrent changes with the same generation one succeeds")
    func race() throws {
        let apus = try ApusProcess.start(Document(try TargetServer()))
        let weights = "/v1/load-balancers/web/listeners/\(apus.port)/weights"
        let tag = try #require(try apus.admin("GET", "/v1/load-balancers/web").tag)
        let askers = (1...8).map { weight in
            Background {
                try apus.admin("PUT", weights, text: "{\"blue\":\(weight + 1)}", fields: ["If-Match: \(tag)"]).status
            }
        }
        let statuses = try askers.map { try $0.value() }
        #expect(statuses.sorted() == [200] + [Int](repeating: 412, count: 7))
    }

    @Test("A condition that is malformed or not supported is rejected and never ignored")
    func conditions() throws {
        let apus = try ApusProcess.start(Document(try TargetServer()))
        let weights = "/v1/load-balancers/web/listeners/\(apus.port)/weights"
        for (field, status) in [
            ("If-Match: 1", 400), ("If-None-Match: *", 400),
            ("If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", 400),
            ("If-Match: W/\"1\"", 412), ("If-Match: *", 200),
        ] {
            let answer = try apus.admin("PUT", weights, text: "{\"blue\":3}", fields: [field])
            #expect(answer.status == status, "\(field): \(answer.text)")
        }
        #expect(try apus.admin("GET", "/v1/config", text: nil, fields: ["If-Match: \"77\""]).status == 412)
        #expect(try apus.admin("POST", "/v1/check", text: "{}", fields: ["If-Match: \"77\""]).status == 412)
        #expect(try apus.admin("GET", "/v1/target-groups/blue/targets").tag == nil, "health has no generation")
    }
}
