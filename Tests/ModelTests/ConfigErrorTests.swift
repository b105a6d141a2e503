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
