import Testing

@testable import Model

@Suite struct ConfigErrorTests {
    static let place = Location(line: 35, column: 7)

    @Test func saysPlaceExpectationFindingAndRemedy() {
        let error = ConfigError(
            file: "conf/edge.yaml", location: Self.place, path: "a.b", expected: "b must be a number", found: "\"60s\"",
            remedy: "Write 60.")
        #expect(error.description == "conf/edge.yaml:35:7: b must be a number, but found \"60s\". Write 60.")
        #expect(error.message == "b must be a number, but found \"60s\"." && error.line == 35 && error.column == 7)
        #expect(error.code == .validationError)
    }

    @Test func namesThePlaceThatItKnows() {
        func text(_ file: String, _ location: Location?, _ path: String) -> String {
            ConfigError(file: file, location: location, path: path, expected: "No", remedy: "Do.").description
        }
        #expect(text("f", nil, "p") == "f: No. Do.")
        #expect(text("", Self.place, "p") == "p: No. Do.")
        #expect(text("", Self.place, "") == "line 35, column 7: No. Do.")
        #expect(text("", nil, "") == "No. Do.")
    }

    @Test func namesAKeyOnce() {
        func text(_ path: String, _ expected: String, file: String = "") -> String {
            ConfigError(file: file, path: path, expected: expected, remedy: "Do.").description
        }
        #expect(text("blue", "blue must be 1") == "blue must be 1. Do.")
        #expect(text("targets[1].id", "id must be one") == "targets[1].id must be one. Do.")
        #expect(text("a.b.c", "b.c must be one") == "a.b.c must be one. Do.")
        #expect(text("grid", "id must be one") == "grid: id must be one. Do.")
        #expect(text("targets", "each target must stand once") == "targets: each target must stand once. Do.")
        #expect(text("blue", "blue must be 1", file: "f") == "f: blue must be 1. Do.")
    }

    @Test func mistakesAreSortedByPlace() {
        let errors = [(2, 1), (1, 9), (1, 2)].map { line, column in
            ConfigError(location: Location(line: line, column: column), expected: "", remedy: "")
        }
        #expect(ConfigErrors(errors).all.map(\.column) == [2, 9, 1])
        #expect(ConfigErrors(errors).first.column == 2)
    }

    @Test func codesAreELBv2s() {
        for code in ConfigError.Code.allCases { #expect(code.rawValue.first?.isUppercase == true) }
        #expect(ConfigError.Code.targetGroupNotFound.rawValue == "TargetGroupNotFound")
    }
}
