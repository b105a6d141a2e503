import Testing

@testable import Model

/// What a group may say about stickiness, and what a mistake reads like.
@Suite struct StickinessAttributesTests {
    private func file(_ attributes: String, _ group: String = "HTTP") -> String {
        "targetGroups:\n  - { name: a, protocol: \(group), port: 80, attributes: { \(attributes) } }"
    }

    private func read(_ attributes: String, _ group: String = "HTTP") throws -> StickinessAttributes {
        let document = try Document.load(yaml: file(attributes, group), file: "a.yaml")
        #expect(try Document(document.encoded()) == document)
        return document.targetGroups[0].attributes.stickiness
    }

    private func mistake(_ attributes: String, _ group: String = "HTTP") -> String? {
        do {
            _ = try Document.load(yaml: file(attributes, group), file: "a.yaml")
            return nil
        } catch { return error.all.map(\.description).joined(separator: "\n") }
    }

    @Test func everyTypeIsRead() throws {
        #expect(try read("stickiness.enabled: true").type == nil)
        #expect(try read("stickiness.type: lb_cookie").type == .loadBalancerCookie)
        let application = try read(
            "stickiness.enabled: true, stickiness.type: app_cookie, stickiness.app_cookie.cookie_name: JSESSIONID, "
                + "stickiness.app_cookie.duration_seconds: 604800, stickiness.lb_cookie.duration_seconds: 1")
        #expect(application.type == .applicationCookie && application.cookieName == "JSESSIONID")
        #expect(application.applicationCookieSeconds == 604_800 && application.loadBalancerCookieSeconds == 1)
        #expect(try read("stickiness.enabled: true, stickiness.type: source_ip", "TCP").type == .sourceIP)
    }

    @Test(arguments: [
        (
            "stickiness.type: source_ip", "HTTP",
            "a.yaml:2:72: stickiness.type of a group of protocol HTTP must be lb_cookie or app_cookie, but found "
                + "source_ip. Remove it, or write lb_cookie."
        ),
        (
            "stickiness.type: lb_cookie", "TCP",
            "a.yaml:2:71: stickiness.type of a group of protocol TCP must be source_ip, but found lb_cookie. "
                + "Remove it, or write source_ip."
        ),
        (
            "stickiness.enabled: true, load_balancing.algorithm.type: weighted_random", "HTTP",
            "a.yaml:2:75: stickiness.enabled must be false with weighted_random, which moves requests away from "
                + "targets that fail, but found true. Write false, or another load_balancing.algorithm.type, such as "
                + "round_robin."
        ),
        (
            "stickiness.enabled: true, stickiness.type: app_cookie", "HTTP",
            "a.yaml:2:55: stickiness.app_cookie.cookie_name must name a cookie of the application, because "
                + "stickiness.type is app_cookie, but found none. Write the name of the cookie that the application "
                + "sets, such as JSESSIONID."
        ),
        (
            "stickiness.app_cookie.cookie_name: AWSALBTG", "HTTP",
            "a.yaml:2:90: stickiness.app_cookie.cookie_name must be empty, or the name of a cookie that does not "
                + "begin with AWSALB, but found \"AWSALBTG\". Write the name of a cookie that the application sets, "
                + "such as JSESSIONID."
        ),
        (
            "stickiness.app_cookie.cookie_name: \"a b\"", "HTTP",
            "a.yaml:2:90: stickiness.app_cookie.cookie_name must be empty, or the name of a cookie that does not "
                + "begin with AWSALB, but found \"a b\". Write the name of a cookie that the application sets, such as "
                + "JSESSIONID."
        ),
        (
            "stickiness.type: source_ip_dest_ip", "HTTP",
            "a.yaml:2:72: stickiness.type must be lb_cookie, app_cookie or source_ip, but found "
                + "\"source_ip_dest_ip\". source_ip_dest_ip is known to ELBv2, not supported by this version."
        ),
        (
            "stickiness.lb_cookie.duration_seconds: 0", "HTTP",
            "a.yaml:2:94: stickiness.lb_cookie.duration_seconds must be a whole number of seconds from 1 to 604800, "
                + "but found 0. Write 1 or more."
        ),
    ])
    func whatIsRefused(_ attributes: String, _ group: String, _ message: String) {
        let found = mistake(attributes, group) ?? "accepted"
        // The place depends on the length of what stands before.
        #expect(
            found.split(separator: ":", maxSplits: 3).last == message.split(separator: ":", maxSplits: 3).last,
            "\(found)")
    }

    /// What is off asks for nothing.
    @Test(arguments: [
        "stickiness.type: app_cookie", "stickiness.app_cookie.cookie_name: SESSION",
        "load_balancing.algorithm.type: weighted_random, stickiness.lb_cookie.duration_seconds: 5",
    ])
    func isFineWhileItIsOff(_ attributes: String) { #expect(mistake(attributes) == nil) }
}
