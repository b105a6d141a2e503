import Testing

@testable import Model

/// What a group may say about the limits of its targets, and what a mistake reads like.
@Suite struct TargetLimitAttributesTests {
    private func file(_ attributes: String, protocol: String = "HTTP") -> String {
        """
        targetGroups:
          - { name: a, protocol: \(`protocol`), port: 80, targetType: ip, attributes: { \(attributes) } }
        """
    }

    private func mistake(_ attributes: String, protocol: String = "HTTP") -> String? {
        do {
            _ = try Document.load(yaml: file(attributes, protocol: `protocol`), file: "a.yaml")
            return nil
        } catch { return error.first.description }
    }

    @Test func limitsAreReadAndWritten() throws {
        let text = file(
            "apus.target.max_requests: 8, apus.target.queue_max: 0, apus.target.queue_timeout_seconds: 0.25")
        let document = try Document.load(yaml: text, file: "a.yaml")
        let limits = document.targetGroups[0].attributes.limits
        #expect(limits.requestsMax == 8 && limits.queueMax == 0 && limits.queueTimeoutSeconds == 0.25)
        #expect(try Document(document.encoded()) == document)
    }

    @Test(arguments: [
        ("apus.target.max_requests: -1", "an integer number of requests from 0 to 1000000", "-1"),
        ("apus.target.max_requests: many", "an integer number of requests from 0 to 1000000", "\"many\""),
        ("apus.target.queue_max: 100001", "an integer number of requests from 0 to 100000", "100001"),
        ("apus.target.queue_timeout_seconds: 0", "a number of seconds from 0.01 to 3600", "0"),
    ])
    func whatIsNoLimit(_ attribute: String, _ expected: String, _ found: String) {
        let told = mistake(attribute) ?? "accepted"
        #expect(told.contains("but found \(found)") && told.contains("a.yaml:2:"), "\(told)")
    }

    @Test(arguments: ["apus.target.queue_max: 5", "apus.target.queue_timeout_seconds: 5"])
    func aQueueNeedsALimit(_ attribute: String) {
        let key = attribute.prefix { $0 != ":" }
        #expect(
            mistake(attribute)?.hasSuffix(
                "\(key) belongs to groups with apus.target.max_requests, but found it without a limit. "
                    + "Write apus.target.max_requests, or remove it.") == true,
            "\(mistake(attribute) ?? "accepted")")
        #expect(mistake("apus.target.max_requests: 1, \(attribute)") == nil)
    }

    @Test func connectionsHaveNone() {
        #expect(mistake("apus.target.max_requests: 5", protocol: "TCP") != nil)
    }

    @Test func aMistypedKeyIsToldTheNearest() {
        #expect(mistake("apus.target.max_request: 5")?.contains("Did you mean apus.target.max_requests?") == true)
    }
}
