import ArgumentParser
import Model

/// An invalid command line, and the message about it.
struct UsageFailure {
    private let root: any ParsableCommand.Type
    private let error: any Error
    private let words: [String]
    /// The command that was named, as far as there is such a one.
    private let path: [String]
    private let command: any ParsableCommand.Type

    /// `error` is ArgumentParser's, about the words after the name of the program, whose command is `root`.
    init(_ error: any Error, words: [String], root: any ParsableCommand.Type) {
        self.words = words
        self.root = root
        (path, command) = Self.walk(words, from: root)
        self.error = Self.firstError(words.prefix(path.count), command, root) ?? error
    }

    /// Whether it was to be answered in JSON.
    var isForScripts: Bool { words.contains("--json") }

    /// For people: what is wrong, what was perhaps meant, and how the command is used.
    var text: String {
        var lines = root.fullMessage(for: error).split(separator: "\n", omittingEmptySubsequences: false)
        if let suggestion { lines.insert("Did you mean \"\(suggestion)\"?", at: min(1, lines.count)) }
        return lines.joined(separator: "\n")
    }

    /// For scripts, in the shape of a refusal.
    var json: String {
        AdminError(
            code: "UsageError", message: root.message(for: error),
            remedy: suggestion.map { "Did you mean \"\($0)\"?" } ?? "See \"\(path.joined(separator: " ")) --help\"."
        ).json
    }

    /// The command whose name is most similar to the first unknown word.
    private var suggestion: String? {
        let known = command.configuration.subcommands.map { $0._commandName }
        guard !known.isEmpty, path.count <= words.count, case let word = words[path.count - 1], !word.hasPrefix("-"),
            let near = Spelling.nearest(to: word, among: known)
        else { return nil }
        return (path + [near] + words.dropFirst(path.count).prefix { !$0.hasPrefix("-") }).joined(separator: " ")
    }

    /// The error about a word where a command should be; nil if there is no such word. ArgumentParser would sooner tell
    /// of an option behind it, which a command could have had. `words` end with the first that is no command.
    private static func firstError(
        _ words: ArraySlice<String>, _ command: any ParsableCommand.Type, _ root: any ParsableCommand.Type
    ) -> (any Error)? {
        guard !command.configuration.subcommands.isEmpty, let word = words.last, !word.hasPrefix("-") else {
            return nil
        }
        do {
            _ = try root.parseAsRoot(Array(words))
        } catch  where root.exitCode(for: error) != .success {
            return error
        } catch {}
        return nil
    }

    private static func walk(
        _ words: [String], from root: any ParsableCommand.Type
    ) -> (path: [String], command: any ParsableCommand.Type) {
        var path = ["apus"]
        var command = root
        for word in words {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else { break }
            command = next
            path.append(word)
        }
        return (path, command)
    }
}
