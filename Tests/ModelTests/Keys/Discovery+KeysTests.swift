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
