import Testing

@testable import CLI

@Suite struct ArgumentsTests {
    static let targets: [(String, String, Int?)] = [
        ("10.0.0.5", "10.0.0.5", nil), ("10.0.0.5:8081", "10.0.0.5", 8081), ("i-0a1b2c3d", "i-0a1b2c3d", nil),
        ("i-0a1b2c3d:80", "i-0a1b2c3d", 80), ("::1", "::1", nil), ("[::1]", "::1", nil), ("[::1]:80", "::1", 80),
        ("2001:db8::1", "2001:db8::1", nil), ("[2001:db8::1]:65535", "2001:db8::1", 65535),
    ]

    @Test(arguments: targets) func readsATarget(text: String, id: String, port: Int?) {
        #expect(TargetName(text) == TargetName(id: id, port: port))
    }

    @Test(arguments: [
        "", ":80", "a:", "a:0", "a:65536", "a:x", "a:+1", "a:-1", "[]:80", "[::1", "[::1]80", "[::1]:", "[::1]:x",
    ])
    func refusesATarget(_ text: String) { #expect(TargetName(text) == nil) }

    @Test(arguments: ["10.0.0.5:8081", "[::1]:80", "::1", "i-1"]) func writesATargetAsItIsRead(_ text: String) {
        #expect(TargetName(text)?.description == text)
    }

    static let listeners: [(String, String, Int, Int?)] = [
        ("web:80", "web", 80, nil), ("web:8080/10", "web", 8080, 10), ("a-b:1/50000", "a-b", 1, 50000),
    ]

    @Test(arguments: listeners) func readsAListenerOrARule(text: String, name: String, port: Int, priority: Int?) throws
    {
        let read = try #require(ListenerOrRule(text))
        #expect(read.loadBalancer == name && read.port == port && read.priority == priority)
        #expect(read.description == text)
    }

    @Test(arguments: [
        "", "web", "web:", ":80", "web:0", "web:99999", "web:80/", "web:80/x", "web:80/0", "web:80/1/2", "a:b:80",
    ])
    func refusesAListener(_ text: String) { #expect(ListenerOrRule(text) == nil) }

    static let weights: [(String, String, Int)] = [("blue=90", "blue", 90), ("blue=0", "blue", 0), ("blue", "blue", 1)]

    @Test(arguments: weights) func readsAWeight(text: String, group: String, weight: Int) throws {
        let read = try #require(GroupWeight(text))
        #expect(read.group == group && read.weight == weight)
    }

    @Test(arguments: ["", "=1", "blue=", "blue=x", "blue=1=2", "blue=1.5"]) func refusesAWeight(_ text: String) {
        #expect(GroupWeight(text) == nil)
    }
}
