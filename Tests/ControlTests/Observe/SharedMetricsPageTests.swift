import Testing

@testable import Control

@Suite struct SharedMetricsPageTests {
    @Test func simultaneousRequestsShareAPage() throws {
        let actions = RecordingActions(document: AdminHarness.document, loop: ControlLoop())
        let page = SharedMetricsPage()
        let first = try page.bytes(actions)
        // Whatever this machine does meanwhile, some two in a row are within the time of one.
        let isShared = try (0..<1000).contains { _ in try page.bytes(actions) == page.bytes(actions) }
        #expect(isShared)
        actions.generation = 77
        var latest = first
        while latest == first || !String(decoding: latest, as: UTF8.self).contains("generation 77\n") {
            latest = try page.bytes(actions)
        }
    }
}
