import Core
import Testing

@testable import Control

@Suite struct ProcessFiguresTests {
    @Test func readsWhatTheProcessUses() throws {
        let before = ProcessFigures.read()
        #expect(before.residentBytes > 1 << 20)
        #expect(before.threads >= 1)
        #expect(before.openDescriptors >= 3)
        #expect(before.descriptorsMax >= before.openDescriptors)
        let now = WallClock.now() / 1_000_000_000
        #expect(before.startedAt <= now + 1 && before.startedAt > now - 86_400)
        // Other tests open and close descriptors meanwhile; a hundred of our own stand out.
        let events = (0..<100).map { _ in EventDescriptor() }
        #expect(ProcessFigures.read().openDescriptors >= 100)
        #expect(events.count == 100)
        let end = Instant.now() + 60_000_000_000
        while ProcessFigures.read().cpuTime == before.cpuTime, Instant.now() < end {}
        #expect(ProcessFigures.read().cpuTime > before.cpuTime)
    }
}
