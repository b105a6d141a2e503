import Foundation
import Glibc
import Testing

/// Clients in a process of their own, each sending its next request when the last was answered, over keep-alive
/// connections: `closed_loop`. They may run in a network namespace.
///
/// Shape: bounded in time; killed when let go.
final class ClosedLoop: Sendable {
    /// One request that failed or took long.
    struct Answer: Sendable, CustomStringConvertible {
        /// When it was sent, in seconds since 1970.
        let began: Double
        /// How long its client waited.
        let seconds: Double
        /// The status, or how the connection failed.
        let outcome: String
        /// Its id: the last segment of its path.
        let id: String
        var description: String { "\(id) \(outcome) after \(seconds) s" }
    }

    /// The results of the requests.
    struct Report: Sendable {
        /// How many ended so: `200`, another status, or the failure of a connection.
        let outcomes: [String: Int]
        /// Requests that were not answered with 200: the first 2,000.
        let failures: [Answer]
        /// Requests that took 0.1 s or more: the first 20,000.
        let slow: [Answer]

        var answeredCount: Int { outcomes.values.reduce(0, +) }
        var failedCount: Int { answeredCount - (outcomes["200"] ?? 0) }

        /// The longest that a request of a time waited: any that was sent before `end` and answered after `start`.
        /// 0 where all took less than 0.1 s.
        func longestSeconds(from start: Date, to end: Date = .distantFuture) -> Double {
            let from = start.timeIntervalSince1970, to = end.timeIntervalSince1970
            return slow.filter { $0.began < to && $0.began + $0.seconds > from }.map(\.seconds).max() ?? 0
        }
    }

    private let child: ChildProcess

    /// Starts to send to `apus`, for `seconds` at most. Each of the `connections` waits `pause` seconds between an
    /// answer and the next request, so that other tests get their share of the processors. With `isFresh` each request
    /// has a connection of its own.
    init(
        to apus: ApusProcess, in namespace: String? = nil, method: String = "GET", connections: Int = 24,
        pause: Double = 0.01, seconds: Double = 120, label: String = "", isFresh: Bool = false
    ) throws {
        let prefix = namespace.map { ["ip", "netns", "exec", $0] } ?? []
        let words =
            [
                Tool.python, Tool.script("closed_loop"), Socket.loopback, "\(apus.port)", "--method", method,
                "--connections", "\(connections)", "--pause", "\(pause)", "--seconds", "\(seconds)", "--label", label,
            ] + (isFresh ? ["--fresh"] : [])
        child = try ChildProcess(prefix + words, folder: apus.folder, label: "loop-\(UUID().uuidString)")
    }

    /// How many requests have been answered so far.
    var answeredCount: Int { lastLine["answered"].int ?? 0 }

    /// Waits until so many more requests have been answered; whether they have.
    func goesOn(for count: Int = 200) -> Bool {
        let before = answeredCount
        return eventually(within: 30) { answeredCount >= before + count }
    }

    /// Stops after the requests in flight, and returns the report.
    func finish(sourceLocation: SourceLocation = #_sourceLocation) -> Report {
        child.signal(SIGTERM)
        let status = child.waitForExit(within: 90)
        #expect(status == .exited(0), "\(child.standardError.suffix(2_000))", sourceLocation: sourceLocation)
        let line = lastLine
        func answers(_ key: String) -> [Answer] {
            line[key].elements.map { row in
                Answer(
                    began: row[0].number ?? 0, seconds: row[1].number ?? 0, outcome: row[2].string ?? "?",
                    id: row[3].string ?? "?")
            }
        }
        return Report(
            outcomes: line["statuses"].members.compactMapValues(\.int), failures: answers("failures"),
            slow: answers("slow"))
    }

    /// The last line that was written to its end.
    private var lastLine: JSON {
        let lines = child.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return lines.last.map { JSON(parsing: Array($0.utf8)) } ?? .null
    }
}
