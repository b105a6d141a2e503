import Testing

@testable import Model

@Suite struct ReloadCheckTests {
    @Test func theAnswerIsReadAsItWasWritten() {
        var check = ReloadCheck(mistakes: [])
        check.summary = "1 load balancer"
        check.warnings = [
            Warning(
                file: "a.yaml", location: Location(line: 1, column: 2), message: "It expires.", remedy: "Renew it."),
            Warning(file: "", message: "Nothing is healthy.", remedy: ""),
        ]
        check.changesNotApplied = ["b is gone"]
        check.overridden = [["object": "weights of web:80"]]
        check.needsRestart = ["runtime.workers"]
        check.notes = ["Kept as written, but without effect in this version: scheme."]
        let read = ReloadCheck(answer: check.value)
        #expect(read.summary == check.summary && read.warnings == check.warnings)
        #expect(read.changesNotApplied == check.changesNotApplied && read.overridden == check.overridden)
        #expect(read.needsRestart == check.needsRestart && read.mistakes.isEmpty)
        #expect(read.notes == check.notes)
    }
}
