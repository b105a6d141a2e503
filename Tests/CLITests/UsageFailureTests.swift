import ArgumentParser
import Model
import Testing

@testable import CLI

@Suite struct UsageFailureTests {
    private struct Root: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "apus", subcommands: AdminCommands.all)
    }

    private func failure(_ words: [String]) throws -> UsageFailure {
        let error = #expect(throws: (any Error).self) { try Root.parseAsRoot(words) }
        return UsageFailure(try #require(error), words: words, root: Root.self)
    }

    @Test(arguments: [
        (["statsu"], "apus status"), (["targets", "lst", "blue"], "apus targets list blue"),
        (["rules", "remove", "--x"], nil),
    ])
    func theNearestCommandIsSuggested(words: [String], suggestion: String?) throws {
        let text = try failure(words).text
        #expect(suggestion.map { text.contains("Did you mean \"\($0)\"?") } ?? !text.contains("Did you mean"))
    }

    @Test func scriptsGetItAsARefusal() throws {
        let failure = try failure(["weights", "--json"])
        #expect(failure.isForScripts)
        let error = try Value.parse(json: failure.json)["error"]
        #expect(error?["code"]?.string == "UsageError")
        #expect(error?["remedy"]?.string == "See \"apus weights --help\".")
        #expect(try !self.failure(["weights"]).isForScripts)
    }
}
