import Testing

@testable import Model

/// Anchors, aliases and merge keys.
@Suite struct ValueYAMLAliasesTests {
    private func value(_ text: String) throws -> Value { try Value.parse(yaml: text, file: "a.yaml") }

    private func mistake(_ text: String) throws -> String {
        try #require(#expect(throws: ConfigErrors.self) { try value(text) }).description
    }

    static let aliases: [(String, Value)] = [
        ("a: &x 1\nb: *x\n", ["a": 1, "b": 1]), ("a: &x [1, 2]\nb: *x", ["a": [1, 2], "b": [1, 2]]),
        ("[&x {a: b}, *x, *x]", [["a": "b"], ["a": "b"], ["a": "b"]]), ("[&x a,*x]", ["a", "a"]),
        ("- &x\n- *x\n", [nil, nil]), ("a: &x '*y'\nb: *x  # *z\n", ["a": "*y", "b": "*y"]),
        ("a: &x 1\nb: &x 2\nc: *x\n", ["a": 1, "b": 2, "c": 2]),
        ("a: &x [&y 1, *y]\nb: [*x, *y]\n", ["a": [1, 1], "b": [[1, 1], 1]]),
        ("a: &x b\n*x : 1\n", ["a": "b", "b": 1]), ("&x a: *x\n", ["a": "a"]),
        ("a: &x-1_b |\n  *x text\n  more\nb: *x-1_b\n", ["a": "*x text\nmore\n", "b": "*x text\nmore\n"]),
        ("a: &x 1\nb: {c: *x}\nd: [*x]\n", ["a": 1, "b": ["c": 1], "d": [1]]),
    ]

    @Test(arguments: aliases) func standForWhatHasTheirAnchor(_ text: String, _ expected: Value) throws {
        #expect(try value(text) == expected)
    }

    static let merges: [(String, Value)] = [
        ("x: &x {a: 1, b: 2}\ny: {<<: *x}\n", ["a": 1, "b": 2]),
        ("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n", ["b": 3, "a": 1]),
        ("x: &x {a: 1, b: 2}\ny: {b: 3, <<: *x}\n", ["b": 3, "a": 1]),
        ("x: &x {a: 1}\nz: &z {a: 2, b: 2}\ny: {<<: [*x, *z], c: 3}\n", ["c": 3, "a": 1, "b": 2]),
        ("y: {<<: {a: 1}, b: 2}\n", ["b": 2, "a": 1]),
        ("x: &x {a: {b: 1, c: 2}}\ny: {<<: *x, a: {b: 3}}\n", ["a": ["b": 3]]),
        ("x: &x {a: 1}\nz: &z {<<: *x, b: 2}\ny: {<<: *z}\n", ["b": 2, "a": 1]),
        ("y: {\"<<\": 1}\n", ["<<": 1]), ("y: {<<: []}\n", [:]),
    ]

    /// The keys of an object come first, then what is merged; a merge is shallow, as YAML has it.
    @Test(arguments: merges) func mergeKeysBringTheKeysOfObjects(_ text: String, _ expected: Value) throws {
        #expect(try value(text)["y"] == expected)
    }

    /// An alias has its own place; what is inside of it, and what is merged, has the place where it was written.
    @Test func placesAreWhereThingsAreWritten() throws {
        let value = try value("x: &x\n  a: [1]\ny: *x\nz:\n  <<: *x\n  b: 2\n")
        #expect(value["y"]?.location == Location(line: 3, column: 4))
        #expect(value["y"]?["a"]?.location == Location(line: 2, column: 6))
        #expect(value["z"]?.location == Location(line: 5, column: 3))
        #expect(value["z"]?["a"]?.array?.first?.location == Location(line: 2, column: 7))
        #expect(value["z"]?.members?.last?.keyLocation == Location(line: 2, column: 3))
    }

    static let mistakes: [(String, String)] = [
        ("a: *x", "a.yaml:1:4: expected an anchor &x before this alias, but found none. Write &x before"),
        ("a: *x\nb: &x 1\n", "a.yaml:1:4: expected an anchor &x before this alias, but found none."),
        ("a: &x [*x]\n", "a.yaml:1:8: expected an anchor &x before this alias, but found none."),
        (
            "a: [*.example.com]\n",
            "a.yaml:1:5: text that begins with * must be in quotes, but found \"*.example.com\" without them."
        ),
        ("a: *\n", "a.yaml:1:4: text that begins with * must be in quotes, but found \"*\" without them."),
        ("a: &x 1\nb: *x y\n", "a.yaml:2:4: text that begins with * must be in quotes, but found \"*x y\""),
        ("a: &x 1\nb: &y *x\n", "a.yaml:2:7: text that begins with * must be in quotes, but found \"*x\""),
        ("a: &x 1\nb: !t *x\n", "a.yaml:2:4: tags are not supported, but found \"!t\"."),
        ("a: &x {}\n? *x\n: 1\n", "a.yaml:2:3: a key must be a word, but found an object."),
        ("a: &x 1\n*x : 1\n", "a.yaml:2:1: a key must be a word, but found 1."),
        ("a: &x b\nb: 1\n*x : 2\n", "a.yaml:3:1: the key \"b\" stands here twice."),
        ("a: &x b\n*x : 1\n*x : 2\n", "a.yaml:3:1: the key \"b\" stands here twice."),
        ("a: [*x y, 1]\n", "a.yaml:1:5: expected an anchor &x before this alias"),
        ("a: &x 1\nb: [*x y, 1] # c\n", "a.yaml:2:5: text that begins with * must be in quotes, but found \"*x y\""),
        ("a: *. # c\n", "a.yaml:1:4: text that begins with * must be in quotes, but found \"*.\" without"),
        ("a: {<<: {}, b: 1, <<: {}}\n", "a.yaml:1:19: the key \"<<\" stands here twice. Merge a list: <<: [*one"),
        ("a: &x 1\nb: {<<: *x}\n", "a.yaml:2:9: << must be an object or a list of such, but found 1. Write <<: *name"),
        ("a: {<<: [{}, b]}\n", "a.yaml:1:14: << must be an object or a list of such, but found \"b\"."),
    ]

    @Test(arguments: mistakes) func saysWhatIsWrong(_ text: String, _ message: String) throws {
        let found = try mistake(text)
        #expect(found.hasPrefix(message), "\(found)")
    }

    /// Each level has the one before nine times: 2^63 values, if anyone counted them. As objects,
    /// they would be merged.
    @Test(arguments: [
        ("[", "]", "end: *a20\n"), ("[", "]", "? *a20\n: 1\n"), ("[", "]", "? [*a20]\n: 1\n"),
        ("{<<: [", "], k: 1}", "end: *a20\n"),
    ])
    func nestedAliasesAreBounded(_ open: String, _ close: String, _ end: String) throws {
        var text = "a0: &a0 {b: 1}\n"
        for level in 1...20 {
            let names = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) \(open)\(names)\(close)\n"
        }
        let found = try mistake(text + end)
        #expect(found.contains("what aliases stand for must be at most \(Limits.aliasBytesMax) bytes, written out"))
        #expect(found.hasSuffix("Use fewer aliases in what other aliases stand for."), "\(found)")
    }

    /// Line breaks of Unicode end a line for YAML as well.
    @Test(arguments: ["\u{85}", "\u{2028}", "\u{2029}"]) func noSeparatorHidesAnAlias(_ separator: String) throws {
        var text = "a0: &a0 x\n"
        for level in 1...20 {
            let names = Array(repeating: "\(separator) *a\(level - 1)", count: 9).joined(separator: ",")
            text += "a\(level): &a\(level) [\(names)]\n"
        }
        _ = try mistake(text + "? *a20\n: 1\n")
    }

    /// One long text a million times is as much as many short ones.
    @Test func longTextsAreCounted() throws {
        let long = String(repeating: "x", count: 1 << 20)
        let some = Array(repeating: "*a", count: 15).joined(separator: ", ")
        #expect(try value("a: &a \(long)\nb: [\(some)]\n")["b"]?.array?.count == 15)
        #expect(try mistake("a: &a \(long)\nb: [\(some), *a]\n").contains("found more, with *a"))
    }

    /// An alias ten levels deep, in what another stands for, counts from where it is used.
    @Test func depthIsBounded() throws {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(throws: Never.self) { try value("a: &a \(deep)\nb: *a\n") }
        let deeper = String(repeating: "[", count: 30) + "*a" + String(repeating: "]", count: 30)
        #expect(try mistake("a: &a \(deep)\nb: \(deeper)\n").contains("YAML must nest at most"))
        #expect(try mistake("a: &a \(deep)\nb: &b [*a]\nc: {<<: {d: \(deeper)}}\n").contains("YAML must nest at most"))
    }

    /// As configurations are written: ten groups, and one health check.
    @Test func groupsShareAHealthCheck() throws {
        var text = """
            x-health: &health
              healthCheckPath: /health
              healthCheckIntervalSeconds: 2
              healthCheckTimeoutSeconds: 1
            targetGroups:

            """
        for group in 1...10 { text += "  - { name: g\(group), protocol: HTTP, port: 80, <<: *health }\n" }
        let document = try Document.load(yaml: text, file: "a.yaml")
        #expect(document.targetGroups.count == 10)
        #expect(document.targetGroups.allSatisfy { $0.healthCheck.path == "/health" })
        // The mistake is one, however many groups have it.
        let wrong = #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: text.replacing("Seconds: 1", with: "Seconds: x"), file: "a.yaml")
        }
        #expect(wrong?.all.count == 1, "\(wrong?.description ?? "")")
        #expect(wrong?.first.location == Location(line: 4, column: 30))
        let unfit = #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: text.replacing("Seconds: 1", with: "Seconds: 5"), file: "a.yaml")
        }
        #expect(unfit?.all.count == 1 && unfit?.first.location == Location(line: 4, column: 30))
    }
}
