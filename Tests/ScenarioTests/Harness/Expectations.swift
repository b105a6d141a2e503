import Foundation
import Testing

/// Expects a line in the access log, soon, whose request holds `path` and which ended with `status`; gives it back.
///
/// `target` is what field 5 must be: a target's address, or `-` when none was chosen.
@discardableResult
func expectLogged(
    by apus: ApusProcess, _ path: String, status: Int, target: String? = nil, targetStatus: Int? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) -> AccessLogLine? {
    let line = eventually {
        apus.accessLog.last {
            $0.request.contains(path) && $0.status == status && (target == nil || $0.target == target)
        }
    }
    guard let line else {
        let all = apus.accessLog.map(\.line).suffix(20).joined(separator: "\n")
        let wanted = "\(path), status \(status), target \(target ?? "any")"
        Issue.record("no log line with \(wanted) in:\n\(all)", sourceLocation: sourceLocation)
        return nil
    }
    #expect(line.fieldsCount == 34, "\(line.line)", sourceLocation: sourceLocation)
    #expect(line.kind == "http", "\(line.line)", sourceLocation: sourceLocation)
    if let targetStatus { #expect(line.targetStatus == targetStatus, "\(line.line)", sourceLocation: sourceLocation) }
    return line
}

/// Expects at least `count` lines in the access log, soon, that ended with `status`: for requests too malformed to
/// be found by their path.
func expectLogged(
    by apus: ApusProcess, count: Int, status: Int, sourceLocation: SourceLocation = #_sourceLocation
) {
    let found = eventually { apus.accessLog.filter { $0.status == status }.count >= count }
    let lines = apus.accessLog.map(\.line).suffix(20).joined(separator: "\n")
    #expect(found, "expected \(count) lines with status \(status) in:\n\(lines)", sourceLocation: sourceLocation)
}

/// Expects a line in the connection log, soon, of a flow that ended so and by whom; gives it back. `after` is how many
/// lines there were before.
@discardableResult
func expectFlow(
    by apus: ApusProcess, _ ended: String, by party: String, target: String? = nil, client: String? = nil,
    after count: Int = 0, sourceLocation: SourceLocation = #_sourceLocation
) -> JSON {
    let line = eventually(within: 10) {
        apus.connectionLog.dropFirst(count).last {
            $0["ended"].string == ended && $0["ended_by"].string == party
                && (target == nil || $0["target"].string == target)
                && (client == nil || $0["client"].string == client)
        }
    }
    guard let line else {
        let all = apus.connectionLog.suffix(20).map(\.text).joined(separator: "\n")
        Issue.record("no flow that ended \(ended) by \(party) in:\n\(all)", sourceLocation: sourceLocation)
        return [:]
    }
    return line
}

/// Expects a metric, summed over the series that have `labels`, to have a value soon: what was seen on the wire may be
/// counted a moment later.
func expectMetric(
    _ apus: ApusProcess, _ name: String, _ labels: String..., is value: Double,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    func metric() -> Double? { try? apus.metric(name, labels) }
    #expect(
        eventually { metric() == value }, "\(name) \(labels) is \(metric() ?? -1), not \(value)",
        sourceLocation: sourceLocation)
}

/// Expects an answer that Apus made: ALB's kind of HTML, and the cause in one word.
func expectMadeHere(
    _ answer: Message, _ status: Int, _ comment: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
    let seen: Comment = "\(comment): \(answer.startLine) \(answer.text)"
    #expect(answer.status == status, seen, sourceLocation: sourceLocation)
    #expect(answer["content-type"]?.hasPrefix("text/html") == true, seen, sourceLocation: sourceLocation)
    #expect(answer.text.contains("<center><h1>\(status) "), seen, sourceLocation: sourceLocation)
    let reason = answer["apus-reason"] ?? ""
    #expect(
        !reason.isEmpty && !reason.contains(" "), "\(comment): Apus-Reason is \(reason)", sourceLocation: sourceLocation
    )
}

/// Expects `apus` to serve a plain request: after an attack, a signal or a bad change.
func expectServes(_ apus: ApusProcess, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
    let status = try? apus.client().get("/still-serving").status
    #expect(status == 200, comment, sourceLocation: sourceLocation)
}

/// Expects that Apus never held so many bytes of memory.
func expectResident(
    _ apus: ApusProcess, below bytes: Int, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let most = try #require(apus.process.memory("VmHWM"))
    #expect(most < sanitized(bytes), "it held \(most >> 20) MB", sourceLocation: sourceLocation)
}

/// What may be resident instead of so many bytes: sanitizers hold shadows beside everything.
func sanitized(_ bytes: Int) -> Int {
    let environment = ProcessInfo.processInfo.environment
    return environment["ASAN_OPTIONS"] != nil || environment["TSAN_OPTIONS"] != nil ? 4 * bytes : bytes
}
