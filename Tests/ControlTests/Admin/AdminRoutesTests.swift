import Core
import Model
import Telemetry
import Testing

@testable import Control

/// Every route of docs/admin-api.md, over a real socket.
@Suite struct AdminRoutesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let request: String
        let body: String
        let expected: String
        var testDescription: String { "\(request) \(body)" }

        init(_ request: String, _ body: String, _ expected: String) {
            (self.request, self.body, self.expected) = (request, body, expected)
        }

        init(_ request: String, _ expected: String) { self.init(request, "", expected) }
    }

    /// Sends one request on a connection of its own.
    static func answer(_ harness: AdminHarness, _ request: String, _ body: String) throws -> RawClient.Response {
        let client = try RawClient(harness.path)
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        client.send("\(request) HTTP/1.1\r\nHost: apus\r\n\(length)\r\n\(body)")
        return try #require(client.response(isHEAD: request.hasPrefix("HEAD")))
    }

    static let reads = [
        Case(
            "GET /v1/instances", #"{"instances":[{"id":"i-1","address":"10.0.0.1"},{"id":"i-2","address":"10.0.0.2"}]}"#
        ),
        Case("GET /v1/instances/i-2", #"{"id":"i-2","address":"10.0.0.2"}"#),
        Case("GET /v1/prefix-lists", #"{"prefixLists":[{"name":"office","entries":["192.0.2.0/24"]}]}"#),
        Case("GET /v1/prefix-lists/office", #"{"name":"office","entries":["192.0.2.0/24"]}"#),
        Case("GET /v1/instances/%69-2", #"{"id":"i-2","address":"10.0.0.2"}"#),
        Case(
            "GET /v1/target-groups/blue/targets",
            #"{"targetHealthDescriptions":[{"target":{"id":"10.0.0.1","port":9},"healthCheckPort":80,"targetHealth":"#
                + #"{"state":"healthy"},"suspect":true},{"target":{"id":"10.0.0.2","port":8080},"#
                + #""healthCheckPort":80,"targetHealth":"#
                + #"{"state":"unhealthy","reason":"Target.Timeout","description":"Request timed out"},"#
                + #""suspect":false}]}"#),
        Case(
            "GET /v1/target-groups/blue/targets?id=10.0.0.1&port=9",
            #"{"targetHealthDescriptions":[{"target":{"id":"10.0.0.1","port":9},"healthCheckPort":80,"targetHealth":"#
                + #"{"state":"healthy"},"suspect":true}]}"#),
        Case(
            "POST /v1/reload",
            #"{"generation":7,"changes":["a is new"],"changesNotApplied":["b is gone"],"overridden":[],"#
                + #""needsRestart":["c"]}"#),
        Case(
            "POST /v1/upgrade",
            #"{"from":{"pid":12,"version":"0.1.0","connections":17},"to":{"pid":34,"version":"0.1.1"},"#
                + #""graceSeconds":30}"#),
        Case(
            "POST /v1/check", "loadBalancers: []\ntargetGroups: []",
            #"{"summary":"0 load balancers, 0 listeners, 0 rules, 0 target groups, 0 targets","warnings":[],"#
                + #""changesNotApplied":[],"overridden":[],"needsRestart":[],"notes":[]}"#),
        Case(
            "POST /v1/target-groups/blue/deregister", #"{"targets":[{"id":"10.9.9.9","port":9},{"id":"10.0.0.2"}]}"#,
            #"{"generation":1,"targets":[{"id":"10.0.0.2","port":80,"registered":true},"#
                + #"{"id":"10.9.9.9","port":9,"registered":false}]}"#),
    ]

    @Test(arguments: reads) func answers(_ test: Case) throws {
        let response = try Self.answer(AdminHarness(), test.request, test.body)
        #expect(response.status == 200)
        #expect(response.fields["content-type"] == "application/json")
        #expect(response.body.hasSuffix("}\n"))
        #expect(try Value.parse(json: response.body).json() == test.expected)
    }

    static let listings = [
        Case("GET /v1/load-balancers", "loadBalancers name web"),
        Case("GET /v1/load-balancers/web/listeners", "listeners port 80 8080"),
        Case("GET /v1/load-balancers/web/listeners/8080/rules", "rules priority 10 20"),
        Case("GET /v1/target-groups", "targetGroups name blue green"),
    ]

    @Test(arguments: listings) func listsAreSorted(_ test: Case) throws {
        let value = try Value.parse(json: try Self.answer(AdminHarness(), test.request, "").body)
        let words = test.expected.split(separator: " ").map(String.init)
        let found = try #require(value[words[0]]?.array).map { text($0[words[1]]) }
        #expect(found == Array(words.dropFirst(2)))
    }

    static let objects = [
        Case("GET /v1/load-balancers/web", "name web"), Case("GET /v1/load-balancers/web/", "name web"),
        Case("GET /v1/load-balancers/web/listeners/80", "port 80"),
        Case("GET /v1/load-balancers/web/listeners/8080/rules/20", "priority 20"),
        Case("GET /v1/target-groups/green", "name green"),
    ]

    @Test(arguments: objects) func showsOne(_ test: Case) throws {
        let response = try Self.answer(AdminHarness(), test.request, "")
        let words = test.expected.split(separator: " ").map(String.init)
        #expect(response.status == 200)
        #expect(text(try Value.parse(json: response.body)[words[0]]) == words[1])
    }

    static let forward = #"{"type":"forward","targetGroupName":"blue"}"#
    static let changes = [
        Case("PUT /v1/instances/i-3", #"{"address":"10.0.0.3"}"#, "put instance i-3"),
        Case("DELETE /v1/instances/i-1", "delete instance i-1"),
        Case("PUT /v1/prefix-lists/more", #"{"entries":["office","::/0"]}"#, "put prefix list more"),
        Case("DELETE /v1/prefix-lists/office", "delete prefix list office"),
        Case("PUT /v1/load-balancers/api", #"{"type":"application","listeners":[]}"#, "put load balancer api"),
        Case("DELETE /v1/load-balancers/web", "delete load balancer web"),
        Case(
            "PUT /v1/load-balancers/web/listeners/81", #"{"protocol":"HTTP","defaultActions":[\#(forward)]}"#,
            "put listener web:81"),
        Case("DELETE /v1/load-balancers/web/listeners/80", "delete listener web:80"),
        Case(
            "PUT /v1/load-balancers/web/listeners/80/rules/5",
            #"{"priority":5,"conditions":[{"field":"path-pattern","values":["/a"]}],"actions":[\#(forward)]}"#,
            "put rule 5 of web:80"),
        Case("DELETE /v1/load-balancers/web/listeners/8080/rules/10", "delete rule 10 of web:8080"),
        Case(
            "PUT /v1/load-balancers/web/listeners/8080/weights", #"{"green":5,"blue":7}"#,
            "set weights blue=7 green=5 of web:8080"),
        Case(
            "PUT /v1/load-balancers/web/listeners/8080/rules/10/weights", #"{"blue":7}"#,
            "set weights blue=7 of rule 10 of web:8080"),
        Case("PUT /v1/target-groups/red", #"{"protocol":"HTTP","port":80,"targetType":"ip"}"#, "put target group red"),
        Case(
            "POST /v1/target-groups/blue/targets", #"{"targets":[{"id":"10.0.0.7","port":1},{"id":"::1"}]}"#,
            "register 10.0.0.7:1, [::1] in target group blue"),
    ]

    @Test(arguments: changes) func changesAreAskedFor(_ test: Case) throws {
        let harness = try AdminHarness()
        let response = try Self.answer(harness, test.request, test.body)
        #expect(response.body == "{\n  \"generation\": 2\n}\n")
        let user = try #require(harness.perform { $0.asked.last })
        #expect(user.hasSuffix(": \(test.expected)"))
        #expect(Int(user.prefix { $0 != ":" }) != nil, "the client's uid is known")
    }

    struct PutCase: Sendable, CustomTestStringConvertible {
        let path: String, body: String, key: String, before: Int, emptied: Bool
        var testDescription: String { "\(path) \(body)" }
    }

    static let group = #""protocol":"HTTP","port":8080,"healthCheckPath":"/ready""#
    static let listener = #""protocol":"HTTP","defaultActions":[\#(forward)]"#
    static let kind = #""type":"application""#
    static let puts = [
        PutCase(path: "/v1/target-groups/blue", body: group, key: "targets", before: 2, emptied: false),
        PutCase(path: "/v1/target-groups/blue", body: group, key: "targets", before: 2, emptied: true),
        PutCase(path: "/v1/load-balancers/web", body: kind, key: "listeners", before: 2, emptied: false),
        PutCase(path: "/v1/load-balancers/web", body: kind, key: "listeners", before: 2, emptied: true),
        PutCase(
            path: "/v1/load-balancers/web/listeners/8080", body: listener, key: "rules", before: 2, emptied: false),
        PutCase(path: "/v1/load-balancers/web/listeners/8080", body: listener, key: "rules", before: 2, emptied: true),
    ]

    @Test(arguments: puts) func aPutKeepsWhatItDoesNotName(_ test: PutCase) throws {
        let harness = try AdminHarness()
        let before = try Value.parse(json: try Self.answer(harness, "GET \(test.path)", "").body)[test.key]
        #expect(before?.array?.count == test.before)
        let body = test.emptied ? "{\(test.body),\"\(test.key)\":[]}" : "{\(test.body)}"
        #expect(try Self.answer(harness, "PUT \(test.path)", body).status == 200)
        let after = try Value.parse(json: try Self.answer(harness, "GET \(test.path)", "").body)[test.key]
        #expect(after == (test.emptied ? [] : before))
    }

    @Test func aListenerInAPutLoadBalancerKeepsItsRules() throws {
        let harness = try AdminHarness()
        let body = #"{"listeners":[{"port":8080,\#(Self.listener)},{"port":82,\#(Self.listener)}]}"#
        #expect(try Self.answer(harness, "PUT /v1/load-balancers/web", body).status == 200)
        let listeners = harness.perform { $0.document.loadBalancers[0].listeners }
        #expect(listeners.map(\.port) == [8080, 82])
        #expect(listeners.map(\.rules.count) == [2, 0])
    }

    @Test func everyChangeIsAudited() throws {
        let harness = try AdminHarness()
        _ = try Self.answer(harness, "DELETE /v1/instances/i-1", "")
        _ = try Self.answer(harness, "DELETE /v1/instances/i-1", "")
        _ = try Self.answer(harness, "GET /v1/instances", "")
        let lines = harness.perform { $0.log.lines }
        #expect(lines.count == 2)
        for word in ["answered an admin request ", " uid=", " gid=", " pid=", " role=all status=200"] {
            #expect(lines[0].contains(word), "\(word)")
        }
        #expect(lines[0].contains(" method=DELETE path=/v1/instances/i-1 "))
        #expect(lines[1].contains("code=ResourceNotFound") && lines[1].contains("status=404"))
    }

    @Test func deregisterWaitsUntilDrained() throws {
        let harness = try AdminHarness()
        let client = try RawClient(harness.path)
        let body = #"{"targets":[{"id":"10.0.0.1"}],"wait":true}"#
        client.send(
            "POST /v1/target-groups/blue/deregister HTTP/1.1\r\nHost: a\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        // Others are served meanwhile.
        while harness.perform({ $0.drains.isEmpty }) { _ = try Self.answer(harness, "GET /v1/status", "") }
        harness.perform { $0.finishDrains() }
        let response = try #require(client.response())
        #expect(response.status == 200)
        let target = try Value.parse(json: response.body)["targets"]?.array?.first
        #expect(target?["finished"] == 2 && target?["cut"] == 1 && target?["registered"] == true)
        #expect(harness.perform { $0.asked } == ["deregister 10.0.0.1 from blue and wait"])
    }

    @Test func upgradesAreAskedForWithABinaryAndAGrace() throws {
        let harness = try AdminHarness()
        _ = try Self.answer(harness, "POST /v1/upgrade", #"{"binary":"/usr/bin/apus","graceSeconds":1.5}"#)
        _ = try Self.answer(harness, "POST /v1/upgrade", "{}")
        #expect(harness.perform { $0.asked } == ["upgrade to /usr/bin/apus within 1.5 s", "upgrade to - within - s"])
    }

    @Test func reloadMayDiscardChanges() throws {
        let harness = try AdminHarness()
        _ = try Self.answer(harness, "POST /v1/reload", #"{"discardChanges":true}"#)
        _ = try Self.answer(harness, "POST /v1/reload", #"{"discardChanges":false}"#)
        #expect(harness.perform { $0.asked } == ["reload without changes", "reload"])
    }

    @Test func statusTellsWhatRuns() throws {
        let began = Instant.now()
        let harness = try AdminHarness()
        harness.perform { $0.changesNotApplied = ["register 10.0.0.1:9 in target group old"] }
        let status = try Value.parse(json: try Self.answer(harness, "GET /v1/status", "").body)
        #expect(status["version"]?.string == Control.version)
        #expect(status["pid"]?.int == Int(SystemProcess.id))
        #expect(status["generation"]?.int == 1)
        #expect(status["configurationFile"]?.string == "test.yaml")
        #expect(status["changesNotApplied"]?.array == ["register 10.0.0.1:9 in target group old"])
        #expect(status["counters"]?["connectionsCutByConfiguration"]?.int == 0)
        #expect(status["workers"]?.array == [])
        let secondsMost = Int(Instant.now().since(began) / 1_000_000_000)
        #expect((0...secondsMost).contains(try #require(status["uptimeSeconds"]?.int)))
    }

    @Test func configIsTheWholeDocument() throws {
        let body = try Self.answer(AdminHarness(), "GET /v1/config", "").body
        #expect(try Document(Value.parse(json: body)) == AdminHarness.document)
    }

    @Test func headIsGetWithoutABody() throws {
        let harness = try AdminHarness()
        let get = try Self.answer(harness, "GET /v1/config", "")
        let head = try Self.answer(harness, "HEAD /v1/config", "")
        #expect(head.status == 200 && head.body.isEmpty)
        #expect(head.fields["content-length"] == "\(get.body.utf8.count)")
    }
}
