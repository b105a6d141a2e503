import Foundation
import Testing

/// Test targets that test the program as a whole, and so mirror no folder of Sources.
private let wholes: Set<String> = ["ScenarioTests", "SimulationTests", "TidyTests"]

/// Test files that test something else in the repository than a source file.
private let withoutSource: [String: String] = ["ModelTests/ConfTests.swift": "the files in conf/"]

/// Files that may sleep, and why.
private let sleepers: [String: String] = [
    "ScenarioTests/Harness/Deadline.swift": "asks other processes again and again: nothing tells when they are done"
]

/// A finding if no source file has the name of this test file.
private func mirrorFindings(_ file: RepositoryFile, sources: Set<String>) -> [Finding] {
    guard !wholes.contains(file.module), withoutSource[file.pathInFolder] == nil, file.path.hasSuffix("Tests.swift")
    else { return [] }
    let name = file.pathInFolder.dropFirst(file.module.count).dropLast("Tests.swift".count)
    // A topic of a type's tests may have a file of its own, as a topic of the type may; `+` may be left out.
    let names = [name, name.prefix { $0 != "+" }]
    let candidates = names.map { "Sources/\(file.module.dropLast("Tests".count))\($0).swift" }
    if candidates.contains(where: sources.contains) { return [] }
    if sources.contains(where: { $0.replacingOccurrences(of: "+", with: "") == candidates[0] }) { return [] }
    let message = "there is no \(candidates[0]): name the test after the file it tests"
    return [Finding(path: file.path, line: 1, message: message)]
}

/// Findings for tests that wait for a time instead of for an event.
private func sleepFindings(_ file: RepositoryFile) -> [Finding] {
    file.text.code.matches(#"\b(u|nano)?sleep *\("#).map { match in
        Finding(
            path: file.path, line: match.line,
            message: "no sleep in tests: wait for the event itself with a deadline, or hand in the time")
    }
}

@Suite struct MirrorTests {
    @Test func everyTestFileHasItsSource() {
        let sources = Set(Repository.swiftFiles("Sources").map(\.path))
        expectTidy(Repository.swiftFiles("Tests")) { mirrorFindings($0, sources: sources) }
    }

    @Test func testsDoNotSleep() {
        let files = Repository.swiftFiles("Tests").filter { $0.module != "TidyTests" }
        expectTidy(files.filter { sleepers[$0.pathInFolder] == nil }, sleepFindings)
    }

    @Test func exemptionsAreStillNeeded() {
        let files = Repository.swiftFiles("Tests")
        for name in withoutSource.keys { #expect(files.contains { $0.pathInFolder == name }, "there is no \(name)") }
        for name in sleepers.keys {
            let file = files.first { $0.pathInFolder == name }
            #expect(file.map { !sleepFindings($0).isEmpty } == true, "\(name) does not sleep: remove it here")
        }
    }

    @Test func aTestWithoutSourceIsCaught() {
        let sources: Set = [
            "Sources/Core/Buffer.swift", "Sources/Core/Slab+Walk.swift", "Sources/Core/Deep/Head.swift",
        ]
        func check(_ path: String) -> Int { mirrorFindings(RepositoryFile(path: path, ""), sources: sources).count }
        #expect(check("Tests/CoreTests/BufferTests.swift") == 0)
        #expect(check("Tests/CoreTests/Deep/HeadTests.swift") == 0)
        #expect(check("Tests/CoreTests/Fixture.swift") == 0)
        #expect(check("Tests/ScenarioTests/WeightsTests.swift") == 0)
        #expect(check("Tests/CoreTests/Buffer+TopicTests.swift") == 0)
        #expect(check("Tests/CoreTests/SlabWalkTests.swift") == 0)
        #expect(check("Tests/CoreTests/OtherTests.swift") == 1)
        #expect(check("Tests/HTTP1Tests/BufferTests.swift") == 1)
    }

    @Test(arguments: ["usleep(1)", "Thread.sleep(forTimeInterval: 1)", "await Task.sleep(for: time)", "sleep (1)"])
    func aSleepIsCaught(snippet: String) {
        #expect(sleepFindings(RepositoryFile(path: "Tests/CoreTests/ATests.swift", snippet)).count == 1)
    }

    @Test(arguments: ["// sleep(1)", "bell.asleep()", "let sleeps = 1", "\"sleep(1)\""])
    func anythingElseIsFine(snippet: String) {
        #expect(sleepFindings(RepositoryFile(path: "Tests/CoreTests/ATests.swift", snippet)).isEmpty)
    }
}
