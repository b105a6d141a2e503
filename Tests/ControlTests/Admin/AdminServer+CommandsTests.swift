import Core
import Model
import Testing

@testable import CLI
@testable import Control

/// The commands, against a server: what they ask for, and what a person sees of the answer.
@Suite struct AdminServerCommandsTests {
    private func perform(_ call: AdminCall, _ harness: AdminHarness, asJSON: Bool = false) throws -> String {
        try call.perform(socket: harness.path, asJSON: asJSON, coloured: false).text
    }

    private func outcome(_ call: AdminCall, _ harness: AdminHarness) throws -> AdminCall.Outcome {
        try call.perform(socket: harness.path, asJSON: false, coloured: false)
    }

    @Test func groups() throws {
        #expect(
            try perform(.groups, AdminHarness())
                == """
                NAME   PROTOCOL  PORT  TYPE  HEALTHY  HEALTH CHECK
                blue   HTTP      8080  ip        1/2  HTTP / every 30 s
                green  HTTP      8080  ip        1/1  HTTP / every 30 s

                """)
    }

    @Test func targets() throws {
        let harness = try AdminHarness()
        #expect(
            try perform(.targets(of: "blue", []), harness)
                == """
                TARGET         CHECKED AT  STATE             WHY
                10.0.0.1:9     port 80     healthy, suspect  An attempt failed; passed over for now
                10.0.0.2:8080  port 80     unhealthy         Request timed out

                """)
        #expect(
            try perform(
                .targets(of: "blue", [TargetName(id: "::1", port: 80), TargetName(id: "::2", port: nil)]), harness)
                    == """
                    TARGET      CHECKED AT  STATE             WHY
                    [::1]:80    port 80     healthy, suspect  An attempt failed; passed over for now
                    [::2]:8080  port 80     unhealthy         Request timed out

                    """)
    }

    @Test func listenersAndRules() throws {
        let harness = try AdminHarness()
        #expect(
            try perform(.listeners, harness)
                == """
                LOAD BALANCER  ADDRESSES  PORT  PROTOCOL  TLS  RULES  DEFAULT ACTION
                web            127.0.0.1  8080  HTTP      -        2  forward to blue (90), green (10)
                web            127.0.0.1    80  HTTP      -        0  forward to blue

                """)
        #expect(
            try perform(.rules(of: try #require(ListenerOrRule("web:8080"))), harness)
                == """
                PRIORITY  IF          THEN
                      10  host is a   forward to blue
                      20  path is /b  forward to green
                 default  always      forward to blue (90), green (10)

                """)
    }

    @Test func changes() throws {
        let harness = try AdminHarness()
        let rule = try #require(ListenerOrRule("web:80/5"))
        let weights = [try #require(GroupWeight("blue=3")), try #require(GroupWeight("green=4"))]
        let target = TargetName(id: "10.0.0.3", port: 80)
        let calls: [(AdminCall, String)] = [
            (.register([target], in: "blue"), "Registered 1 target in blue (generation 2).\n"),
            (
                .putRule(rule, hosts: ["a.b"], paths: ["/x", "/y"], forward: weights),
                "Put rule web:80/5 (generation 3).\n"
            ),
            (.weights(rule, [weights[0]]), "Set weights blue=3 of web:80/5 (generation 4).\n"),
            (.deleteRule(rule), "Deleted rule web:80/5 (generation 5).\n"),
            (.setInstance("i-5", address: "::5"), "Set i-5 to ::5 (generation 6).\n"),
            (.deleteInstance("i-5"), "Deleted i-5 (generation 7).\n"),
            (.setPrefixList("more", entries: ["office", "::/0"]), "Set more to 2 entries (generation 8).\n"),
            (.prefixList("more"), "office\n::/0\n"),
            (.deletePrefixList("more"), "Deleted more (generation 9).\n"),
            (.prefixLists, "PREFIX LIST  ENTRIES\noffice             1\n"),
            (
                .deregister([target], from: "blue", wait: false),
                "Deregistered 1 target from blue; draining (generation 9).\n"
            ),
        ]
        for (call, expected) in calls { #expect(try perform(call, harness) == expected) }
        let asked = harness.perform { $0.asked }.map { $0.drop { $0 != ":" }.dropFirst(2) }
        #expect(
            asked.dropLast() == [
                "register 10.0.0.3:80 in target group blue", "put rule 5 of web:80",
                "set weights blue=3 of rule 5 of web:80",
                "delete rule 5 of web:80", "put instance i-5", "delete instance i-5", "put prefix list more",
                "delete prefix list more",
            ])
    }

    @Test func aRegistrationMayWait() throws {
        let harness = try AdminHarness()
        let target = TargetName(id: "10.0.0.1", port: 80)
        let call = AdminCall.register([target], in: "blue", wait: true, timeoutSeconds: 2.5)
        #expect(try perform(call, harness) == "Registered 1 target in blue, healthy now (generation 1).\n")
        _ = try perform(.register([target], in: "blue", wait: true), harness)
        #expect(
            harness.perform { $0.asked } == [
                "register 10.0.0.1 in blue within 2500 ms", "register 10.0.0.1 in blue within 60000 ms",
            ])
        harness.perform {
            $0.refusal = AdminError(code: "TargetNotHealthy", status: 504, message: "No.", remedy: "Look.")
        }
        let error = #expect(throws: AdminClientError.self) { try perform(call, harness) }
        #expect(error?.exitStatus == 1 && error?.description == "No. Look.")
    }

    @Test func aRuleMayBeGivenAsJSON() throws {
        let harness = try AdminHarness()
        let rule = try #require(ListenerOrRule("web:80/7"))
        let action = #"{"type":"fixed-response","fixedResponseConfig":{"statusCode":"404"}}"#
        let condition = #"{"field":"path-pattern","values":["/"]}"#
        _ = try perform(try .putRule(rule, json: #"{"conditions":[\#(condition)],"actions":[\#(action)]}"#), harness)
        let shown = try perform(.rules(of: try #require(ListenerOrRule("web:80"))), harness)
        #expect(shown.contains("       7  path is /  answer 404\n"))
        let error = #expect(throws: AdminClientError.self) { try AdminCall.putRule(rule, json: "{") }
        #expect(error?.exitStatus == 1)
    }

    @Test func drainsAreReported() throws {
        let harness = try AdminHarness()
        harness.perform { $0.finishesDrainsAtOnce = true }
        let targets = [TargetName(id: "::1", port: 80), TargetName(id: "10.0.0.1", port: 9)]
        #expect(
            try perform(.deregister(targets, from: "blue", wait: true), harness)
                == """
                TARGET      FINISHED  CUT     TOOK
                10.0.0.1:9         2    1  0.124 s
                [::1]:80           2    1  0.124 s
                Drained: 2 exchanges were cut.

                """)
        #expect(try outcome(.deregister(targets, from: "blue", wait: true), harness).exitStatus == 4)
        harness.perform {
            $0.cutByDrains = 0
            $0.warning = Warning(file: "", message: "None is left.", remedy: "Add one.")
        }
        let drained = try outcome(.deregister([targets[0]], from: "blue", wait: true), harness)
        #expect(
            drained.text
                == """
                TARGET    FINISHED  CUT     TOOK
                [::1]:80         2    0  0.124 s
                Drained: safe to stop.

                """)
        #expect(drained.exitStatus == 0 && drained.warnings == ["None is left. Add one."])
        let stranger = TargetName(id: RecordingActions.stranger, port: 9)
        #expect(
            try perform(.deregister([stranger, targets[0]], from: "blue", wait: false), harness)
                == "10.9.9.9:9 was not registered.\nDeregistered 1 target from blue; draining (generation 1).\n")
    }

    @Test func reload() throws {
        let harness = try AdminHarness()
        #expect(
            try perform(.reload(discardingChanges: false), harness)
                == """
                Changed:
                  a is new
                Changes made at run time that do not fit the file any more, and are kept for the next reload:
                  b is gone
                Takes effect at the next start only:
                  c
                Reloaded (generation 7).

                """)
        harness.perform {
            $0.reloadResult = .success(
                ReloadReport(
                    generation: 8, changes: [], changesNotApplied: [], needsRestart: [], putAside: "state.json.aside"))
        }
        #expect(
            try perform(.reload(discardingChanges: true), harness)
                == "Nothing in force has changed.\nWhat was changed at run time is kept in state.json.aside.\n"
                + "Reloaded (generation 8).\n")
    }

    @Test func upgrade() throws {
        let harness = try AdminHarness()
        #expect(
            try perform(.upgrade(to: nil, graceSeconds: 5), harness)
                == "upgraded: pid 12 (0.1.0) -> pid 34 (0.1.1); 17 connections finish in the old one\n")
        #expect(harness.perform { $0.asked } == ["upgrade to - within 5.0 s"])
        harness.perform { $0.finishing = [FinishingProcess(id: 12, version: "0.1.0", connections: 17)] }
        #expect(
            try perform(.status, harness).contains(
                "\nfinishing      process 12, apus 0.1.0: 17 connections left\n"))
    }

    @Test func statusAndJSON() throws {
        let began = Instant.now()
        let harness = try AdminHarness()
        let status = try perform(.status, harness)
        let secondsMost = Instant.now().since(began) / 1_000_000_000
        #expect(
            (0...secondsMost).contains {
                status.hasPrefix("apus \(Control.version), running for \($0) s as process ")
            })
        #expect(status.contains("configuration  test.yaml, generation 1\n") && status.hasSuffix("\nNo workers.\n"))
        #expect(!status.contains("failing open"))
        #expect(status.contains("\nTLS            in this process; kTLS is not used\n"))
        harness.perform { $0.groupsFailedOpen = ["blue", "green"] }
        let failing = try perform(.status, harness)
        #expect(failing.contains("\nfailing open   blue, green: too few targets are healthy, so all are used\n"))
        #expect(try Value.parse(json: try perform(.status, harness, asJSON: true))["generation"] == 1)
        #expect(try perform(.instances, harness) == "INSTANCE  ADDRESS\ni-1       10.0.0.1\ni-2       10.0.0.2\n")
    }

    @Test func namesAreEscapedInPaths() throws {
        let harness = try AdminHarness()
        for id in ["a/b?c", "ü", "%41", "..", "a b#"] {
            let error = #expect(throws: AdminClientError.self) { try perform(.deleteInstance(id), harness) }
            guard case .refused(let refusal) = error, id != ".." else { continue }
            #expect(refusal.code == "ResourceNotFound" && refusal.message.contains(id))
        }
    }

    @Test func aLargeBodyGoesOver() throws {
        let harness = try AdminHarness()
        let targets = (0..<9000).map { Value.target("10.2.\($0 / 250).\($0 % 250)", 80) }
        _ = try harness.client.call("POST", "/v1/target-groups/blue/targets", body: ["targets": .array(targets)])
        #expect(harness.perform { $0.document.targetGroups[1].targets.count } == 9002)
    }

    @Test func aBodyThatIsRefusedHalfwayIsStillExplained() throws {
        let harness = try AdminHarness()
        let body: Value = ["a": .string(String(repeating: "x", count: Limits.adminBodyBytesMax))]
        let error = #expect(throws: AdminClientError.self) { try harness.client.call("POST", "/v1/check", body: body) }
        #expect(error?.description.hasPrefix("The body is longer than 8 MiB.") == true)
    }
}
