import Core
import Testing

@testable import Control

/// Which containers are asked about, and when.
@Suite struct DockerInspectionsTests {
    private let loop = ControlLoop()

    private var request: ControlRequest {
        ControlRequest(
            .init(target: "/", host: "x"), of: .unix(path: "/nowhere/docker.sock"), within: 1, bytesMax: 1, loop: loop
        ) { _ in }
    }

    /// Begins the next question, if there is one that may be asked.
    private func begin(_ inspections: inout DockerInspections) -> (id: String, number: Int)? {
        guard let next = inspections.next() else { return nil }
        inspections.began(next.number, request)
        return next
    }

    @Test func eachIsAskedAboutOnceAndAFewAtATime() {
        var inspections = DockerInspections()
        for number in 0..<10 {
            _ = inspections.add("\(number)")
            let isTaken = inspections.add("\(number)")
            #expect(isTaken, "it waits already")
        }
        var running: [(id: String, number: Int)] = []
        while let next = begin(&inspections) { running.append(next) }
        #expect(running.map(\.id) == ["0", "1", "2", "3"] && running.count == Limits.containerQuestionsMax)
        let isLast = inspections.ended("1", running[1].number)
        #expect(isLast && !inspections.has("1"))
        let next = begin(&inspections)
        #expect(next?.id == "4")
    }

    /// An answer may be older than what was told since.
    @Test func onlyTheLastAnswerCounts() {
        var inspections = DockerInspections()
        _ = inspections.add("a")
        let first = begin(&inspections)
        _ = inspections.add("a")
        let second = begin(&inspections)
        #expect(first?.id == "a" && second?.id == "a" && first?.number != second?.number)
        let isFirstLast = inspections.ended("a", first?.number ?? 0)
        #expect(!isFirstLast && inspections.has("a"))
        let isSecondLast = inspections.ended("a", second?.number ?? 0)
        #expect(isSecondLast)
        _ = inspections.add("a")
        inspections.forget("a")
        let none = begin(&inspections)
        #expect(none == nil && !inspections.has("a"))
    }

    @Test func theyAreBounded() {
        var inspections = DockerInspections()
        let taken = (0..<Limits.containersMax).filter { inspections.add("\($0)") }
        #expect(taken.count == Limits.containersMax)
        let isOneMoreTaken = inspections.add("one more")
        #expect(!isOneMoreTaken)
        for _ in 0..<10 * Limits.containersMax {
            inspections.forget("7")
            _ = inspections.add("7")
        }
        inspections.cancel()
        let isTakenThen = inspections.add("one more")
        #expect(isTakenThen)
    }
}
