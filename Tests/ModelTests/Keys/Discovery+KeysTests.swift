import Testing

@testable import Model

/// `discovery` of a group, and lists of instances.
@Suite struct DiscoveryKeysTests {
    private func group(_ discovery: Value) throws -> TargetGroup {
        let keys: [Value.Member] = [
            Value.Member("name", "a"), Value.Member("protocol", "HTTP"), Value.Member("port", 80),
            Value.Member("targetType", "ip"), Value.Member("discovery", discovery),
        ]
        return try TargetGroup(.object(keys))
    }

    private func mistake(_ discovery: Value, _ more: Value.Member...) -> ConfigError? {
        do throws(ConfigErrors) {
            let keys: [Value.Member] = [
                Value.Member("name", "a"), Value.Member("protocol", "HTTP"), Value.Member("port", 80),
                Value.Member("targetType", "ip"), Value.Member("discovery", discovery),
            ]
            _ = try TargetGroup(.object(keys.filter { key in !more.contains { $0.key == key.key } } + more))
            return nil
        } catch { return error.first }
    }

    @Test func isReadAndWritten() throws {
        let group = try group(["file": ["path": "a.json"]])
        #expect(group.discovery == Discovery(file: FileDiscovery(path: "a.json")))
        #expect(group.encoded()["discovery"] == ["file": ["path": "a.json"]])
        #expect(try TargetGroup(group.encoded()) == group)
    }

    @Test func hasExactlyOneSource() throws {
        let error = try #require(mistake([:]))
        #expect(error.path == "discovery" && error.found == "none")
        #expect(mistake(["file": [:]])?.expected.contains("path") == true)
        #expect(mistake(["files": ["path": "a"]])?.remedy.contains("file") == true)
    }

    @Test func containersAreChosen() throws {
        let docker: Value = [
            "socket": "/run/d.sock", "labels": ["a": "b", "c": ""], "composeService": "web", "composeProject": "shop",
            "port": "app.port", "address": "published",
        ]
        let group = try group(["docker": docker])
        let read = try #require(group.discovery?.docker)
        #expect(read.port == .label("app.port") && read.address == .published)
        #expect(
            read.allLabels == [
                "a": "b", "c": "", "com.docker.compose.service": "web", "com.docker.compose.project": "shop",
            ])
        #expect(group.encoded()["discovery"] == ["docker": docker])
        #expect(try self.group(["docker": ["labels": ["a": "b"], "port": 80]]).discovery?.docker?.port == .number(80))
    }

    @Test(
        arguments: [
            ([:], "labels, composeService or composeProject"), (["labels": ["a=b": "c"]], "without ="),
            (["labels": ["": "c"]], "without ="), (["labels": ["a": 7]], "labels.a"), (["labels": ["a"]], "labels"),
            (["composeService": "a b"], "composeService"), (["composeService": "a", "port": 0], "port must be"),
            (["composeService": "a", "port": "80"], "port must be"),
            (["composeService": "a", "port": ""], "port must be"),
            (["composeService": "a", "address": "host"], "address"), (["composeService": "a", "socket": ""], "socket"),
            (["composeService": "a", "address": "published", "network": "n"], "network"),
        ] as [(Value, String)])
    func choicesThatCannotBeAreRefused(docker: Value, word: String) throws {
        let error = try #require(mistake(["docker": docker]), "\(docker.json())")
        #expect(error.description.contains(word), "\(error)")
        #expect(error.path.hasPrefix("discovery.docker"), "\(error.path)")
    }

    @Test func labelsAreFew() throws {
        let labels = Dictionary(uniqueKeysWithValues: (0...Limits.dockerLabelsMax).map { ("a\($0)", Value("b")) })
        let value = Value.object(labels.map { Value.Member($0.key, $0.value) })
        #expect(mistake(["docker": ["labels": value]])?.expected.contains("at most 16") == true)
    }

    @Test func containersHaveAddresses() {
        let error = mistake(["docker": ["composeService": "a"]], Value.Member("targetType", "instance"))
        #expect(error?.path == "targetType" && error?.remedy == "Write targetType: ip.")
        #expect(mistake(["docker": ["composeService": "a"], "file": ["path": "a"]])?.found == "docker and file")
    }

    @Test(
        arguments: [
            ("http://127.0.0.1:8500/a?b=c", "127.0.0.1", 8500, "/a?b=c", "127.0.0.1:8500"),
            ("http://[2001:DB8::1]/a", "2001:db8::1", 80, "/a", "[2001:db8::1]"),
            ("http://[::1]:81", "::1", 81, "/", "[::1]:81"), ("http://10.0.0.1?x", "10.0.0.1", 80, "/?x", "10.0.0.1"),
        ] as [(String, String, Int, String, String)])
    func urlsAreRead(text: String, address: String, port: Int, target: String, host: String) throws {
        let url = try #require(HTTPDiscovery.URL(text))
        #expect(url.address == address && url.port == port && url.target == target && url.host == host)
        #expect(HTTPDiscovery.URL(url.description) == url)
        #expect(try group(["http": ["url": .string(text)]]).discovery?.http?.url == url)
    }

    @Test(arguments: [
        "", "http://", "https://127.0.0.1/", "http://example.com/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b", "http://127.0.0.1/#a", "http://::1/", "http://[::1/", "http://u@127.0.0.1/",
        "ftp://127.0.0.1/",
        "http://127.0.0.1/\r\nX: y", "http://127.0.0.1:/",
    ])
    func whatIsNoURLIsRefused(text: String) {
        #expect(HTTPDiscovery.URL(text) == nil)
        #expect(mistake(["http": ["url": .string(text)]])?.path == "discovery.http.url")
    }

    @Test func isNotForQUIC() throws {
        let error = try #require(mistake(["file": ["path": "a"]], Value.Member("protocol", "QUIC")))
        #expect(error.path == "discovery" && error.expected.contains("quicServerId"))
    }

    // MARK: Names

    @Test func namesAreLookedUp() throws {
        let dns: Value = [
            "name": "_http._tcp.Web.internal.", "type": "SRV", "resolvers": ["10.0.0.2", "[2001:db8::2]:5353"],
            "ttlSecondsMin": 0.5, "ttlSecondsMax": 10,
        ]
        let group = try group(["dns": dns])
        let read = try #require(group.discovery?.dns)
        #expect(read.type == .srv && read.ttlSecondsMin == 0.5 && read.ttlSecondsMax == 10)
        #expect(read.resolvers.map(\.description) == ["10.0.0.2:53", "[2001:db8::2]:5353"])
        #expect(group.encoded()["discovery"] == ["dns": dns])
        let plain = try #require(try self.group(["dns": ["name": "web"]]).discovery?.dns)
        #expect(plain == DNSDiscovery(name: "web") && plain.type == .a && plain.ttlSecondsMax == 60)
        let six = try self.group(["dns": ["name": "web", "resolvers": ["2001:DB8::2", "10.0.0.2:53"]]])
        #expect(six.encoded()["discovery"]?["dns"]?["resolvers"] == ["2001:db8::2", "10.0.0.2"])
    }

    @Test(
        arguments: [
            ([:], "name"), (["name": ""], "name"), (["name": "a..b"], "name"), (["name": "a b"], "name"),
            (["name": "10.0.0.1"], "register an address"), (["name": "-a.test"], "name"), (["name": "a-.test"], "name"),
            (["name": "ä.test"], "name"), (["name": "."], "name"), (["name": ".a"], "name"),
            (["name": .string(String(repeating: "a", count: 64))], "name"),
            (["name": .string(String(repeating: "a.", count: 128))], "name"),
            (["name": "a", "type": "a"], "type"), (["name": "a", "type": "CNAME"], "A, AAAA or SRV"),
            (["name": "a", "resolvers": "10.0.0.2"], "resolvers"), (["name": "a", "resolvers": ["b"]], "resolvers[0]"),
            (["name": "a", "resolvers": ["10.0.0.2:0"]], "resolvers[0]"),
            (["name": "a", "resolvers": ["2001:db8::2:"]], "resolvers[0]"),
            (["name": "a", "resolvers": .array(Array(repeating: "10.0.0.2", count: 9))], "at most 8"),
            (["name": "a", "ttlSecondsMin": 61], "at most ttlSecondsMax, which is 60"),
            (["name": "a", "ttlSecondsMin": 0], "ttlSecondsMin"), (["name": "a", "ttl": 1], "ttl"),
        ] as [(Value, String)])
    func namesThatCannotBeAreRefused(dns: Value, word: String) throws {
        let error = try #require(mistake(["dns": dns]), "\(dns.json())")
        #expect(error.description.contains(word), "\(error)")
        #expect(error.path.hasPrefix("discovery.dns"), "\(error.path)")
    }

    @Test func namesHaveAddresses() {
        let error = mistake(["dns": ["name": "a"]], Value.Member("targetType", "instance"))
        #expect(error?.expected == "targetType must be ip in a group of a domain name")
        #expect(mistake(["dns": ["name": "a"], "file": ["path": "a"]])?.found == "dns and file")
    }

    // MARK: Lists

    private func read(_ text: String) throws -> (
        instances: [ListedInstance], mistakes: [(name: String, mistake: ConfigError)]
    ) {
        try ListedInstance.read(try Value.parse(json: text, file: "a.json"), file: "a.json")
    }

    @Test func aListNamesTargets() throws {
        let (instances, mistakes) = try read(
            """
            [{"id": "10.0.0.5"},
             {"id": "b", "address": "2001:DB8::1", "port": 81, "weight": 0, "availabilityZone": "z"},
             {"id": "2001:DB8::2"}, {"id": "i-1", "port": 82}]
            """)
        #expect(mistakes.isEmpty)
        #expect(
            instances.map(\.target) == [
                TargetDescription(id: "10.0.0.5"), TargetDescription(id: "2001:db8::1", port: 81, weight: 0, zone: "z"),
                TargetDescription(id: "2001:db8::2"), TargetDescription(id: "i-1", port: 82),
            ])
    }

    /// One that is wrong does not take the others with it.
    @Test(arguments: [
        (#"{"id": "b", "port": 0}"#, "b", "port"), (#"{"port": 1}"#, "[1]", "id"), ("7", "[1]", "object"),
        (#"{"id": "b", "address": "example.com"}"#, "b", "address"), (#"{"id": "b", "weight": 257}"#, "b", "weight"),
        (#"{"id": "b", "prot": 1}"#, "b", "prot"), (#"{"id": "a b"}"#, "a b", "id"), ("null", "[1]", "object"),
    ])
    func mistakesStayAlone(element: String, name: String, word: String) throws {
        let (instances, mistakes) = try read(#"[{"id": "10.0.0.5"}, \#(element), {"id": "10.0.0.6"}]"#)
        #expect(instances.map(\.id) == ["10.0.0.5", "10.0.0.6"])
        #expect(mistakes.map(\.name) == [name])
        let mistake = try #require(mistakes.first?.mistake)
        #expect(mistake.description.contains(word) && mistake.description.hasPrefix("a.json:1:"), "\(mistake)")
    }

    @Test func whatIsNoListIsRefused() throws {
        #expect(throws: ConfigErrors.self) { try read("{}") }
        let long = "[" + Array(repeating: "{}", count: Limits.targetsPerGroupMax + 1).joined(separator: ",") + "]"
        #expect(throws: ConfigErrors.self) { try read(long) }
    }
}
