import Foundation
import Testing

/// Test targets that look at the whole and so mirror no folder.
private let wholes: Set<String> = ["ScenarioTests", "TidyTests"]

/// The finding for a test file that tests no source of its target.
private func mirrorFindings(_ file: RepositoryFile, sources: Set<String>) -> [Finding] {
    guard !wholes.contains(file.module), file.path.hasSuffix("Tests.swift") else { return [] }
    let source =
        "Sources/" + file.module.dropLast("Tests".count) + file.pathInFolder.dropFirst(file.module.count)
        .dropLast("Tests.swift".count) + ".swift"
    if sources.contains(source) { return [] }
    return [Finding(path: file.path, line: 1, message: "there is no \(source): name the test after the file it tests")]
}

/// Waiting for time to pass instead of for what should happen.
private func sleepFindings(_ file: RepositoryFile) -> [Finding] {
    file.text.code.enumerated().flatMap { index, line in
        line.matches(#"\b(u|nano)?sleep\s*\("#).map { _ in
            Finding(
                path: file.path, line: index + 1,
                message: "no sleep in tests: wait for the event itself with a deadline, or hand in the time")
        }
    }
}

@Suite struct MirrorTests {
    @Test func everyTestFileHasItsSource() {
        let sources = Set(Repository.swiftFiles("Sources").map(\.path))
        expectTidy(Repository.swiftFiles("Tests")) { mirrorFindings($0, sources: sources) }
    }

    @Test func testsDoNotSleep() {
        expectTidy(Repository.swiftFiles("Tests").filter { $0.module != "TidyTests" }, sleepFindings)
    }

    @Test func aTestWithoutSourceIsCaught() {
        let sources: Set = ["Sources/Core/Buffer.swift", "Sources/Core/Deep/Head.swift"]
        func check(_ path: String) -> Int { mirrorFindings(RepositoryFile(path: path, ""), sources: sources).count }
        #expect(check("Tests/CoreTests/BufferTests.swift") == 0)
        #expect(check("Tests/CoreTests/Deep/HeadTests.swift") == 0)
        #expect(check("Tests/CoreTests/Fixture.swift") == 0)
        #expect(check("Tests/ScenarioTests/WeightsTests.swift") == 0)
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
