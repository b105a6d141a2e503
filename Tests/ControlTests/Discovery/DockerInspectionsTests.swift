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

    /// Those that hang must not hold up those that answer.
    @Test func retriesComeLastAndNeverTakeAllPlaces() {
        var inspections = DockerInspections()
        for number in 0..<5 { _ = inspections.add("again \(number)", isRetry: true) }
        _ = inspections.add("new")
        var running: [(id: String, number: Int)] = []
        while let next = begin(&inspections) { running.append(next) }
        #expect(running.map(\.id) == ["new", "again 0", "again 1"], "\(Limits.containerRetriesMax) of them at once")
        // One that waits to be asked about again is not kept waiting by the others once there is news of it.
        _ = inspections.add("again 4")
        let promoted = begin(&inspections)
        #expect(promoted?.id == "again 4")
        _ = inspections.add("again 1", isRetry: true)
        let isLast = inspections.ended("again 1", running[2].number)
        #expect(isLast, "it is being asked about")
        let next = begin(&inspections)
        #expect(next?.id == "again 2")
        for one in running + [promoted, next].compactMap(\.self) { _ = inspections.ended(one.id, one.number) }
        let last = begin(&inspections)
        #expect(last?.id == "again 3")
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
        for _ in 0..<10 * Limits.containersMax {
            inspections.forget("8")
            _ = inspections.add("8", isRetry: true)
        }
        inspections.cancel()
        let isTakenThen = inspections.add("one more")
        #expect(isTakenThen)
    }
}
