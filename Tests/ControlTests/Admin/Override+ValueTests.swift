import Model
import Testing

@testable import CLI
@testable import Control

@Suite struct OverrideValueTests {
    private let overrides = [
        Override(
            object: "weights of web:80", inForce: "blue=1", inFile: "blue=2", changedAt: 1_767_225_599_001,
            isEdited: true),
        Override(object: "rule 7 of web:80", inForce: "deleted", changedAt: nil, isEdited: false),
    ]

    @Test func eachHasALineWithItsTime() {
        let answer: Value = ["overridden": .array(overrides.map(\.value))]
        #expect(
            AdminView.overrides(answer) == [
                "Not in force as the file says, by changes made at run time:",
                "  weights of web:80: blue=1, where the file says blue=2; since 2025-12-31T23:59:59.001Z; "
                    + "the file was edited since",
                "  rule 7 of web:80: deleted; since an earlier version of apus",
            ])
        #expect(AdminView.overrides([:]).isEmpty && AdminView.overrides(["overridden": []]).isEmpty)
    }

    @Test func scriptsGetThemWithStatusAndReload() throws {
        let harness = try AdminHarness()
        harness.perform { [overrides] actions in
            actions.overrides = overrides
            actions.reloadResult = .success(
                ReloadReport(
                    generation: 2, changes: [], changesNotApplied: [], overrides: overrides, needsRestart: []))
        }
        for answer in [try harness.client.call("GET", "/v1/status"), try harness.client.call("POST", "/v1/reload")] {
            let told = try #require(answer["overridden"]?.array)
            #expect(told.map { $0["object"]?.string } == ["weights of web:80", "rule 7 of web:80"])
            #expect(told[0]["since"]?.string == "2025-12-31T23:59:59.001Z" && told[0]["edited"] == true)
            #expect(told[0]["inForce"] == "blue=1" && told[0]["inFile"] == "blue=2" && told[1]["inFile"] == nil)
            #expect(told[1]["since"] == nil && told[1]["inForce"] == "deleted")
        }
    }
}
