import Testing

@testable import Model

/// Where mistakes are, and what their part is called.
@Suite struct FindingsTests {
    private static let yaml = """
        targetGroups:
          - name: blue
            values: [a, b]
        """

    private func findings() throws -> Findings {
        Findings(file: "apus.yaml", root: try Value.parse(yaml: Array(Self.yaml.utf8), file: "apus.yaml"))
    }

    @Test func aMistakeHasItsPathAndItsPlace() throws {
        var findings = try findings()
        findings.within(.key("targetGroups")) { findings in
            findings.within(.index(0)) { findings in
                findings.within(.key("values")) { findings in
                    findings.within(.index(1)) { findings in
                        #expect(findings.subject == "values[1]")
                        findings.report("it must be c", found: "b", remedy: "Write c.")
                    }
                }
            }
        }
        let error = try #require(findings.errors.first)
        #expect(error.path == "targetGroups[0].values[1]" && error.location == Location(line: 3, column: 17))
        #expect("\(error)".contains("apus.yaml:3:17"))
        #expect(findings.subject == "this", "it has left the part")
    }

    /// What is missing is at what would hold it.
    @Test func whatIsNotThereIsAtWhatIsAroundIt() throws {
        var findings = try findings()
        findings.within(.key("targetGroups")) { findings in
            findings.within(.index(0)) { findings in
                findings.within(.key("port")) { $0.report("a port is needed", remedy: "Write it.") }
            }
        }
        #expect(findings.errors.first?.location?.line == 2 && findings.errors.first?.path == "targetGroups[0].port")
    }

    /// What came over the socket has no file.
    @Test func withoutATextThereIsNoPlace() {
        var findings = Findings()
        findings.within(.key("port")) { $0.report("a port is needed", remedy: "Write it.") }
        #expect(findings.errors.first?.location == nil && findings.errors.first?.file == "")
    }

    @Test func onlyMisplacedKeysThatWereGivenAreReported() throws {
        var findings = try findings()
        findings.misplaced(
            [("a", true), ("b", false), ("c", true)], belongTo: "another kind", found: "this kind", remedy: "Move it.")
        #expect(findings.errors.map(\.path) == ["a", "c"])
    }

    @Test func nothingFoundThrowsNothing() throws {
        var findings = try findings()
        try findings.throwIfAny()
        findings.report("it must be so", remedy: "Make it so.")
        findings.report("it must be so, too", remedy: "Make it so.")
        do throws(ConfigErrors) {
            try findings.throwIfAny()
            Issue.record("nothing was thrown")
        } catch { #expect(error.all.count == 2) }
    }

    /// Spelling costs time for each known word: a file of mistakes must not cost more than is shown.
    @Test func spellingIsComparedForWhatIsShown() throws {
        var findings = try findings()
        #expect(findings.remedy(for: "blu", among: ["blue"], otherwise: "Look.").contains("blue"))
        for _ in 0..<Limits.errorsShownMax { findings.report("a", remedy: "b") }
        #expect(findings.remedy(for: "blu", among: ["blue"], otherwise: "Look.") == "Look.")
    }
}
