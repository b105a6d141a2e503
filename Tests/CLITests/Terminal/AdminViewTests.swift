import Model
import Testing

@testable import CLI

@Suite struct AdminViewTests {
    static let durations: [(Int, String)] = [
        (0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (3661, "1 h 1 min"),
        (90_000, "1 d 1 h"),
        (86_401, "1 d"), (864_000, "10 d"),
    ]

    @Test(arguments: durations) func durationsAreShort(seconds: Int, text: String) {
        #expect(AdminView.duration(seconds) == text)
    }

    static let sizes: [(Int, String)] = [
        (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (1 << 20, "1 MiB"), (5 << 30, "5 GiB"),
    ]

    @Test(arguments: sizes) func sizesHaveUnits(count: Int, text: String) { #expect(AdminView.bytes(count) == text) }

    @Test func redirectsAreShownWhole() {
        let listener: Value = [
            "rules": [],
            "defaultActions": [["type": "redirect", "redirectConfig": ["protocol": "HTTPS", "port": "443"]]],
        ]
        #expect(AdminView.rules(listener, false).contains("redirect to https://#{host}:443/#{path}?#{query}"))
    }

    @Test(arguments: [
        (#"{"field":"host-header","values":["a.b","*.c"]}"#, "host is a.b or *.c"),
        (#"{"field":"host-header","regexValues":["^a","b$"]}"#, "host matches ^a or b$"),
        (#"{"field":"path-pattern","pathPatternConfig":{"values":["/a"]}}"#, "path is /a"),
        (
            #"{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-A","values":["1","2"]}}"#,
            "field X-A is 1 or 2"
        ),
        (
            #"{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-A","regexValues":["^1"]}}"#,
            "field X-A matches ^1"
        ),
        (#"{"field":"http-request-method","httpRequestMethodConfig":{"values":["GET"]}}"#, "method is GET"),
        (
            #"{"field":"query-string","queryStringConfig":{"values":[{"key":"a","value":"1"},{"value":"2"}]}}"#,
            "query is a=1 or *=2"
        ),
        (#"{"field":"source-ip","sourceIpConfig":{"ipAddressType":"ipv6"}}"#, "source-ip is ipv6"),
        (#"{"field":"apus.sni","values":["a"]}"#, "apus.sni is a"),
    ])
    func conditionsAreShownInWords(_ condition: String, _ words: String) throws {
        let listener: Value = [
            "rules": [["priority": 1, "conditions": [try Value.parse(json: condition, file: "")], "actions": []]]
        ]
        #expect(AdminView.rules(listener, false).contains("1  \(words)  "))
    }

    @Test func whatIsMissingIsADash() {
        let text = AdminView.groups(["targetGroups": [[:]]], false)
        #expect(text.contains("-"))
        #expect(AdminView.groups([:], false) == "There are no target groups.\n")
    }

    /// Sources with what they gave; what a stranger wrote breaks no line.
    @Test func sourcesOfTargets() {
        let answer: Value = [
            "sources": [
                [
                    "targetGroupName": "web", "type": "docker", "source": "/d.sock", "state": "away",
                    "reason": "Docker does not answer", "lastHeard": "2026-11-30T00:00:00Z", "targets": [[:], [:]],
                    "refused": [["name": "a\nb", "reason": "It lacks a port.", "remedy": "Give it one."]],
                    "refusedCount": 3, "remarks": ["c has loopback\naddresses."],
                ]
            ]
        ]
        let text = AdminView.discovery(answer, false)
        #expect(
            text == """
                GROUP  SOURCE          STATE  LAST HEARD            TARGETS  REFUSED
                web    docker /d.sock  away   2026-11-30T00:00:00Z        2        3
                web: Docker does not answer
                web: c has loopback addresses.
                web: a b is not used: It lacks a port. Give it one.
                web: … and 2 more.

                """)
        #expect(AdminView.discovery([:], false) == "Nothing is discovered.\n")
    }

    /// Where targets come from is told once some were found.
    @Test func layersOfTargets() {
        var target: Value = [
            "target": ["id": "10.0.0.1", "port": 80], "targetHealth": ["state": "healthy"], "layer": "file",
        ]
        #expect(!AdminView.targets(["targetHealthDescriptions": [target]], false).contains("FROM"))
        let other = target
        target["discoveredAs"] = "web-1"
        let text = AdminView.targets(["targetHealthDescriptions": [target, other]], false)
        #expect(text.contains("FROM") && text.contains("web-1") && text.contains("file"))
    }
}
