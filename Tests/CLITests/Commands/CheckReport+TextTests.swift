import Model
import Testing

@testable import CLI

@Suite struct CheckReportTextTests {
    @Test func aGoodFileHasALineOfItsOwn() {
        var report = CheckReport(file: "a.yaml")
        report.summary = "1 load balancer"
        report.warnings = [Warning(file: "b.pem", message: "It expires.", remedy: "Renew it.")]
        report.notes = ["This host was left aside."]
        #expect(
            report.text == """
                a.yaml: good. 1 load balancer.
                warning: b.pem: It expires. Renew it.
                note: This host was left aside.

                """)
    }

    @Test func ofABadFileOnlyWarningsAndNotesAreSaid() {
        var report = CheckReport(file: "a.yaml")
        report.mistakes = [ConfigError(expected: "port must be a port", remedy: "Write one.")]
        #expect(report.text.isEmpty)
        report.notes = ["It was not asked."]
        #expect(report.text == "note: It was not asked.\n")
    }
}
