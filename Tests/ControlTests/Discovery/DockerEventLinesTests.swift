import Testing

@testable import Control

/// Lines of events, of whatever pieces they come in.
@Suite struct DockerEventLinesTests {
    private func event(_ text: String) -> DockerEventLines.Line { .event(Array(text.utf8)) }

    @Test func piecesBecomeLines() {
        var lines = DockerEventLines()
        let first = lines.take(Array("a\n\nbc".utf8))
        #expect(first == [event("a")])
        let second = lines.take(Array("d\ne".utf8))
        #expect(second == [event("bcd")])
    }

    /// Any container can make one that is too long: what comes after it counts.
    @Test func whatIsTooLongIsSkipped() {
        var lines = DockerEventLines()
        let longest = [UInt8](repeating: 0x78, count: Limits.dockerEventBytesMax)
        let first = lines.take(longest + Array("\n".utf8))
        #expect(first == [.event(longest)])
        var all: [DockerEventLines.Line] = []
        for _ in 0..<20 { all += lines.take(longest) }
        all += lines.take(Array("x\nb\n".utf8))
        #expect(all == [.skipped, event("b")])
    }

    @Test func whatNeverEndsIsTold() {
        var lines = DockerEventLines()
        let piece = [UInt8](repeating: 0x78, count: 1 << 20)
        let all = (0..<5).flatMap { _ in lines.take(piece) }
        #expect(all.last == .endless)
    }
}
