import Testing

@testable import Model

@Suite struct ChangesStateTests {
    @Test func nothingIsAVersionAndEmptyLists() throws {
        let value = Changes().encoded()
        #expect(value["version"] == 1)
        #expect(try Changes(value).isEmpty)
        #expect(try Changes(["version": 1]).isEmpty)
    }

    @Test func whatALaterVersionWroteIsRefused() {
        let error = #expect(throws: ConfigErrors.self) {
            try Changes(["version": 2, "more": []], file: "changes.json")
        }
        #expect(
            error?.description
                == "changes.json: version must be 1, the form that this version of apus reads, but found 2. "
                + "Start the version that wrote it, or move the file away to start from the configuration alone.")
    }

    static let damaged: [Value] = [
        [:], [], nil, ["version": "1"], ["version": 1, "instances": [:], "other": 1],
        ["version": 1, "targets": [["registered": []]]],
        ["version": 1, "rules": ["deleted": [["loadBalancer": "a", "port": 80]]]],
    ]

    @Test(arguments: damaged) func whatIsDamagedIsRefused(_ value: Value) {
        #expect(throws: ConfigErrors.self) { try Changes(value) }
    }
}
