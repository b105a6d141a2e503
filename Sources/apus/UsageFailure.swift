import ArgumentParser
import Control

/// A command line that is not one of ours: what is said about it.
struct UsageFailure {
    private let error: any Error
    private let words: [String]

    /// `error` is ArgumentParser's, about the words after the program's name.
    init(_ error: any Error, words: [String]) {
        self.error = error
        self.words = words
    }

    /// Whether it was to be answered in JSON.
    var isForScripts: Bool { words.contains("--json") }

    /// For people: what is wrong, what was perhaps meant, and how the command is used.
    var text: String {
        var lines = Apus.fullMessage(for: error).split(separator: "\n", omittingEmptySubsequences: false)
        if let suggestion { lines.insert("Did you mean \"\(suggestion)\"?", at: min(1, lines.count)) }
        return lines.joined(separator: "\n")
    }

    /// For scripts, in the shape of a refusal.
    var json: String {
        AdminError(
            code: "UsageError", message: Apus.message(for: error),
            remedy: suggestion.map { "Did you mean \"\($0)\"?" } ?? "See \"\(path.joined(separator: " ")) --help\"."
        ).json
    }

    /// The command that was named, as far as there is such a one.
    private var path: [String] { walk().path }

    /// The command whose name looks most like the first word that is none.
    private var suggestion: String? {
        let (path, command) = walk()
        let known = command.configuration.subcommands.map { $0._commandName }
        guard !known.isEmpty, path.count <= words.count, case let word = words[path.count - 1], !word.hasPrefix("-"),
            let near = nearestWord(to: word, among: known)
        else { return nil }
        return (path + [near] + words.dropFirst(path.count).prefix { !$0.hasPrefix("-") }).joined(separator: " ")
    }

    private func walk() -> (path: [String], command: any ParsableCommand.Type) {
        var path = ["apus"]
        var command: any ParsableCommand.Type = Apus.self
        for word in words {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else { break }
            command = next
            path.append(word)
        }
        return (path, command)
    }
}
