import Foundation
import Testing

@testable import Model

/// What labels of a container say, and every mistake in them.
@Suite struct ContainerLabelsTests {
    private static let host = ["apus.host": "shop.example.com"]

    private static func read(_ more: [String: String]) throws -> ContainerLabels {
        try #require(try ContainerLabels.read(host.merging(more) { $1 }))
    }

    /// The first mistake, with what to do about it.
    private static func mistake(_ labels: [String: String]) throws -> String {
        do throws(ConfigErrors) {
            let read = try ContainerLabels.read(labels)
            return "read \(String(describing: read))"
        } catch { return "\(error.first.message) \(error.first.remedy)" }
    }

    @Test(arguments: [[:], ["app": "web", "apusx": "1"], ["apus.enable": "false", "apus.nonsense": "7"]])
    func othersTakeNoPart(labels: [String: String]) throws { #expect(try ContainerLabels.read(labels) == nil) }

    @Test func eachLabelIsRead() throws {
        let labels = try Self.read([
            "apus.enable": "true", "apus.group": "shop", "apus.listener": "web:80, web:443",
            "apus.host": "Shop.Example.com,*.a.b,*.a.b", "apus.path": "/b/*,/a", "apus.priority": "7",
            "apus.port": "3000", "apus.weight": "0", "apus.protocol": "HTTPS", "apus.protocolVersion": "GRPC",
            "apus.health.enable": "true", "apus.health.protocol": "HTTPS", "apus.health.port": "81",
            "apus.health.path": "/health", "apus.health.interval": "0.5", "apus.health.timeout": "0.25",
            "apus.health.healthy": "2", "apus.health.unhealthy": "3", "apus.health.grace": "9",
            "apus.health.grpcCodes": "0,12", "apus.attributes.deregistration_delay.timeout_seconds": "5",
            "apus.attributes.stickiness.enabled": "true", "apus.attributes.apus.outlier.consecutive_failures": "5",
        ])
        #expect(labels.group == "shop" && labels.groupName == "shop" && labels.priority == 7)
        #expect(labels.listeners.map(\.description) == ["web:80", "web:443"])
        #expect(labels.hosts == ["*.a.b", "shop.example.com"] && labels.paths == ["/a", "/b/*"])
        #expect(labels.port == 3000 && labels.weight == 0)
        let group = labels.settings
        #expect(group.protocol == .https && group.protocolVersion == .grpc)
        let health = group.healthCheck
        #expect(health.isEnabled && health.protocol == .https && health.port == .number(81) && health.path == "/health")
        #expect(health.intervalSeconds == 0.5 && health.timeoutSeconds == 0.25 && health.gracePeriodSeconds == 9)
        #expect(health.healthyThresholdCount == 2 && health.unhealthyThresholdCount == 3)
        #expect(health.matcher.grpcCode?.text == "0,12")
        #expect(group.attributes.deregistrationDelaySeconds == 5 && group.attributes.stickiness.isEnabled)
        #expect(group.attributes.health.outlier.failuresInARow == 5)
        #expect(ContainerLabels(encoded: labels.encoded()) == labels)
        #expect(ContainerLabels(encoded: ["apus.port": "x"]) == nil)
        #expect(try Self.read(["apus.health.codes": "200-299"]).settings.healthCheck.matcher.httpCode.text == "200-299")
    }

    @Test func whatIsNotSaidIsAsInAFile() throws {
        let labels = try Self.read([:])
        var group = TargetGroup(name: "", targetType: .ip, port: 80)
        #expect(labels.settings == group && labels.port == nil && labels.priority == nil && labels.listeners.isEmpty)
        group.healthCheck.path = "/x"
        #expect(try Self.read(["apus.health.path": "/x"]).settings == group)
    }

    static let mistakes: [([String: String], String)] = [
        (["apus.enable": "true"], "must have the label apus.host or apus.path, but found neither"),
        (["apus.hots": "a"], "found \"apus.hots\". Did you mean apus.host?"),
        (["apus.host": "a", "apus.healt.path": "/"], "found \"apus.healt.path\". Did you mean apus.health.path?"),
        (["apus.host": "a", "apus.attributes.stickines.enabled": "true"], "apus.attributes.stickiness.enabled?"),
        (["apus.host": "a", "apus.health": "/"], "expected a key of the labels of a container"),
        (["apus.host": "a:80"], "apus.host[0] must be a host pattern"),
        (["apus.host": "a,,b"], "apus.host[1] must be a host pattern"),
        (["apus.host": ""], "apus.host[0] must be a host pattern"),
        (["apus.host": String(repeating: "a,", count: 16) + "a"], "apus.host must be a list of at most 16"),
        (["apus.path": "/a b"], "apus.path[0] must be a path pattern"),
        (
            ["apus.host": "a", "apus.enable": "yes"],
            "apus.enable must be true or false, but found \"yes\". Write true."
        ),
        (["apus.host": "a", "apus.priority": "first"], "apus.priority must be an integer from 1 to 50000"),
        (["apus.host": "a", "apus.priority": "0"], "from 1 to 50000, but found 0. Write 1"),
        (["apus.host": "a", "apus.priority": "7x"], "but found \"7x\". Write 7."),
        (["apus.host": "a", "apus.priority": "99999999999999999999"], "apus.priority must be"),
        (["apus.host": "a", "apus.port": "65536"], "apus.port must be an integer from 1 to 65535"),
        (["apus.host": "a", "apus.weight": "-1"], "apus.weight must be an integer from 0 to 256"),
        (["apus.host": "a", "apus.group": "my group"], "apus.group must be a name of 1 to 32 letters"),
        (["apus.host": "a", "apus.listener": "web"], "apus.listener[0] must be the load balancer and the port of a l"),
        (["apus.host": "a", "apus.listener": "web:x"], "Write it as in web:80."),
        (["apus.host": "a", "apus.protocol": "TCP"], "apus.protocol must be HTTP or HTTPS"),
        (["apus.host": "a", "apus.protocol": "HTTPX"], "Did you mean HTTPS?"),
        (["apus.host": "a", "apus.protocolVersion": "3"], "apus.protocolVersion must be"),
        (["apus.host": "a", "apus.health.port": "x"], "apus.health.port must be traffic-port or an integer"),
        (["apus.host": "a", "apus.health.path": "x"], "apus.health.path must be a path"),
        (
            ["apus.host": "a", "apus.health.interval": "0"],
            "apus.health.interval must be a number of seconds from 0.05"
        ),
        (["apus.host": "a", "apus.health.interval": "inf"], "apus.health.interval must be a number"),
        (["apus.host": "a", "apus.health.codes": "7"], "apus.health.codes must be status codes"),
        (
            ["apus.host": "a", "apus.health.interval": "3"],
            "apus.health.timeout must be at most apus.health.interval, which is 3, but found 5. Write apus.health.timeo"
        ),
        (["apus.host": "a", "apus.health.codes": "200-599"], "from 200 to 499"),
        (["apus.host": "a", "apus.protocolVersion": "GRPC", "apus.health.codes": "201"], "must have grpcCode"),
        (["apus.host": "a", "apus.attributes.load_balancing.algorithm.type": "fast"], "round_robin"),
        (["apus.host": "a", "apus.attributes.proxy_protocol_v2.enabled": "true"], "expected a key of the labels"),
        (["apus.host": "a", "apus.path": String(repeating: "/", count: 2049)], "a label must have at most 2048 bytes"),
    ]

    @Test(arguments: mistakes) func aMistakeSaysWhatWasExpected(labels: [String: String], text: String) throws {
        let mistake = try Self.mistake(labels)
        #expect(mistake.contains(text), "\(mistake)")
    }

    @Test func allMistakesAreTold() throws {
        do throws(ConfigErrors) {
            _ = try ContainerLabels.read(["apus.host": "a b", "apus.port": "x", "apus.y": "1"])
            Issue.record("no mistake")
        } catch { #expect(error.all.count == 3) }
        let many = Dictionary(uniqueKeysWithValues: (0...64).map { ("apus.x\($0)", "") })
        #expect(try Self.mistake(many).contains("at most 64 labels"))
    }

    @Test func theNameIsOfWhatIsAskedFor() throws {
        let one = try Self.read([:]).groupName
        #expect(one.hasPrefix("shop-example-com-") && TextRule.name.accepts(one) && one.count <= 32)
        #expect(try Self.read(["apus.port": "8", "apus.weight": "2", "apus.health.path": "/x"]).groupName == one)
        #expect(try Self.read(["apus.host": "SHOP.example.com"]).groupName == one)
        var names: Set<String> = [one]
        for more in [
            ["apus.path": "/a"], ["apus.listener": "web:80"], ["apus.host": "shop.example.com,b"],
            ["apus.host": "*", "apus.path": "/*"], ["apus.host": "\(String(repeating: "long-", count: 20)).example"],
        ] {
            let name = try Self.read(more).groupName
            #expect(names.insert(name).inserted && TextRule.name.accepts(name) && name.count <= 32, "\(name)")
        }
        #expect(names.contains { $0.hasPrefix("labels-") })
    }

    @Test func aDifferenceNamesTheLabel() throws {
        let one = try Self.read(["apus.health.path": "/a", "apus.port": "1"])
        #expect(one.difference(from: try Self.read(["apus.health.path": "/a", "apus.port": "2"])) == nil)
        let other = try #require(one.difference(from: try Self.read(["apus.priority": "7"])))
        #expect(other.label == "apus.priority" && other.own == nil && other.other == "7")
    }

    @Test func whatSaysMoreComesFirst() throws {
        func count(_ labels: [String: String]) throws -> Int {
            try #require(try ContainerLabels.read(labels)).specificity
        }
        #expect(try count(["apus.host": "*.example.com"]) == 12)
        #expect(try count(["apus.host": "a,*.b.c", "apus.path": "/x/*,/y"]) == 7)
        #expect(try count(["apus.path": "*"]) == 0)
    }

    // MARK: The page

    /// The row of docs/discovery.md for a label.
    private static func row(_ key: KeyShape) -> String {
        var value = key.shape.expected
        if case .list(let element, let count) = key.shape {
            value = "up to \(count.upperBound), each \(element.expected)"
        }
        if let given = key.defaultValue, given.array == nil { value += "; \(given.string ?? given.json())" }
        return "| `\(key.name)` | \(key.meaning) | \(value) |".replacing("|-", with: "\\|-")
    }

    @Test func thePageHasEachLabel() throws {
        let page = ConfTests.folder.deletingLastPathComponent().appending(path: "docs/discovery.md")
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").map(String.init)
        let rows = ContainerLabels.description.shape.keys
            .filter { !$0.name.hasPrefix(ContainerLabels.attributePrefix) }.map(Self.row)
        #expect(rows.count > 20)
        #expect(lines.filter { $0.hasPrefix("| `apus.") && $0.split(separator: "|").count == 3 } == rows)
    }
}
