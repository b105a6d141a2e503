import Foundation

/// A page of docs/ whose commands run as they stand there: each fence of ```` ```sh run ```` is a step, and a fence of
/// `json` or `text` right below it shows what the step prints.
///
/// In `json`, `"…"` stands for any value, and a key `"…"` for further keys; in `text`, a line `…` stands for any lines.
struct ShellDocument: Sendable {
    /// What a step prints, as the page shows it.
    enum Answer: Equatable, Sendable {
        /// Nothing is shown.
        case none
        case json(JSON)
        case text([String])
    }

    /// One fence of commands.
    struct Step: Sendable {
        /// Where it begins in the page, from 1.
        let line: Int
        let commands: [String]
        fileprivate(set) var answer = Answer.none
    }

    /// Numbers that the page shows and what stands for them in a test, where ports are chosen at run time.
    typealias Ports = [(shown: UInt16, actual: UInt16)]

    private(set) var steps: [Step] = []

    /// Reads a page. What is no fence of these kinds is prose.
    init(_ text: String) {
        var fence: (kind: Substring, line: Int, lines: [String])?
        var isBelowStep = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard line.hasPrefix("```") else {
                fence?.lines.append(String(line))
                if fence == nil { isBelowStep = false }
                continue
            }
            guard let ended = fence else {
                fence = (line.dropFirst(3), index + 1, [])
                continue
            }
            fence = nil
            switch ended.kind {
            case "sh run":
                steps.append(Step(line: ended.line, commands: ended.lines))
                isBelowStep = true
                continue
            case "json" where isBelowStep:
                let bytes = Array(ended.lines.joined(separator: "\n").utf8)
                steps[steps.count - 1].answer = .json(JSON(parsing: bytes))
            case "text" where isBelowStep: steps[steps.count - 1].answer = .text(ended.lines)
            default: break
            }
            isBelowStep = false
        }
    }

    /// What the steps print, one after the other in one shell, with `APUS_SOCKET` set and `apus` at hand.
    ///
    /// Errors: `ApusFailure` if a step ends with another status than 0, or the whole takes longer than `seconds`.
    func run(in folder: String, socket: String, ports: Ports, within seconds: Double = 120) throws -> [String] {
        var script = "trap 'kill $(jobs -p) 2> /dev/null' EXIT\nexec 2>&1\n"
        for step in steps {
            script += Self.replace(step.commands.joined(separator: "\n"), ports.map { ($0.shown, $0.actual) })
            script += "\nstatus=$?; printf '\\n\(Self.mark)\\n'; [ $status = 0 ] || exit $status\n"
        }
        try script.write(toFile: "\(folder)/steps.sh", atomically: true, encoding: .utf8)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let binaries = (ApusProcess.binary as NSString).deletingLastPathComponent
        let shell = try ChildProcess(
            ["/bin/bash", "\(folder)/steps.sh"], environment: ["APUS_SOCKET": socket, "PATH": "\(binaries):\(path)"],
            folder: folder, label: UUID().uuidString)
        let status = shell.waitForExit(within: seconds)
        let output = Self.replace(shell.standardOutput, ports.map { ($0.actual, $0.shown) })
        let outputs = output.components(separatedBy: "\n\(Self.mark)\n").dropLast()
        guard status == .exited(0), outputs.count == steps.count else {
            let line = steps.indices.contains(outputs.count) ? steps[outputs.count].line : 0
            throw ApusFailure(
                status: status, errors: "the step of line \(line) did not end well:\n\(output.suffix(2000))")
        }
        return outputs.map { $0.trimmingCharacters(in: .newlines) }
    }

    private static let mark = "=====8<====="

    private static func replace(_ text: String, _ numbers: [(UInt16, UInt16)]) -> String {
        numbers.reduce(text) { text, number in
            text.replacingOccurrences(of: "\\b\(number.0)\\b", with: "\(number.1)", options: .regularExpression)
        }
    }
}

// MARK: comparing

extension ShellDocument {
    /// Members whose values differ from run to run; what they are is not compared, only of what type.
    private static let varying: Set<String> = [
        "version", "openssl", "nghttp2", "pid", "uptimeSeconds", "configurationFile", "socket", "since", "time",
        "sequence", "seconds", "bytesHeld",
    ]

    /// In what `output` differs from the answer that is shown below `step`; empty if it does not.
    static func differences(_ step: Step, _ output: String) -> [String] {
        switch step.answer {
        case .none: return []
        case .json(.null): return ["the page shows no JSON"]
        case .json(let shown):
            let actual = JSON(parsing: Array(output.utf8))
            return actual == .null ? ["no JSON: \(output)"] : differences(shown, actual, at: "")
        case .text(let lines):
            let pattern = lines.map {
                $0 == "…" ? "(.*\n)*" : NSRegularExpression.escapedPattern(for: plain($0)) + "\n"
            }
            let actual = output.split(separator: "\n", omittingEmptySubsequences: false).map { plain(String($0)) }
            let whole = actual.joined(separator: "\n") + "\n"
            let isSame =
                whole.range(of: "^\(pattern.joined())$", options: .regularExpression) == whole
                .startIndex..<whole.endIndex
            return isSame ? [] : ["another text:\n\(output)"]
        }
    }

    private static func differences(_ shown: JSON, _ actual: JSON, at path: String) -> [String] {
        switch (shown, actual) {
        case (.string("…"), _): return []
        case (.object(let shown), .object(let actual)):
            var found = shown.keys.filter { $0 != "…" && actual[$0] == nil }.map {
                "\(path).\($0) is shown, but absent"
            }
            for (key, value) in actual {
                if let expected = shown[key] {
                    found += isVarying(key, expected, value) ? [] : differences(expected, value, at: "\(path).\(key)")
                } else if shown["…"] == nil {
                    found.append("\(path).\(key) is not shown")
                }
            }
            return found
        case (.array(let shown), .array(let actual)) where shown.count == actual.count:
            return zip(shown, actual).enumerated().flatMap { differences($1.0, $1.1, at: "\(path)[\($0)]") }
        default: return shown == actual ? [] : ["\(path) is \(actual.text), not \(shown.text)"]
        }
    }

    private static func isVarying(_ key: String, _ shown: JSON, _ actual: JSON) -> Bool {
        guard varying.contains(key) else { return false }
        switch (shown, actual) {
        case (.string, .string), (.number, .number): return true
        default: return false
        }
    }

    /// A line without what differs from run to run: times, and how wide columns are.
    private static func plain(_ line: String) -> String {
        line.replacingOccurrences(
            of: #"\d{4}-\d\d-\d\dT[\d:.]+Z"#, with: "TIME", options: .regularExpression
        ).replacingOccurrences(of: #"\d+(\.\d+)? s\b"#, with: "N s", options: .regularExpression)
            .replacingOccurrences(of: #" +"#, with: " ", options: .regularExpression)
            .trimmingCharacters(in: .whitespaces)
    }
}
