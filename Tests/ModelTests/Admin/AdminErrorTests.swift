import Testing

@testable import Model

@Suite struct AdminErrorTests {
    static let statuses: [(String, UInt16)] = [
        ("TargetGroupNotFound", 404), ("RuleNotFound", 404), ("ResourceInUse", 409), ("PriorityInUse", 409),
        ("DuplicateListener", 409), ("ValidationError", 400), ("TooManyTargets", 400), ("InternalFailure", 500),
        ("OperationNotPermitted", 400),
    ]

    @Test(arguments: statuses) func theStatusFitsTheCode(code: String, status: UInt16) {
        #expect(AdminError(code: code, message: "", remedy: "").status == status)
    }

    @Test func theBodyIsReadAsItWasWritten() throws {
        let details = [
            ConfigError(
                file: "a.yaml", location: Location(line: 3, column: 7), path: "port", expected: "a is wrong",
                remedy: "Right it.", code: .ruleNotFound)
        ]
        let error = AdminError(
            code: "RuleNotFound", message: "No rule.", remedy: "Look.", details: details, detailsLeftOut: 2)
        #expect(AdminError(body: Array(error.json.utf8), status: 404) == error)
        #expect(AdminError(body: Array("<html>".utf8), status: 500) == nil)
        #expect(AdminError(body: Array(#"{"error":{"code":"X"}}"#.utf8), status: 500) == nil)
    }

    @Test func longTextsAreCut() {
        let long = String(repeating: "x", count: Limits.adminErrorBytesMax + 1)
        let error = AdminError(code: "ValidationError", message: long, remedy: long)
        #expect(error.message.utf8.count <= Limits.adminErrorBytesMax && error.message.contains("8193 bytes"))
        #expect(error.remedy.utf8.count <= Limits.adminErrorBytesMax)
    }
}
