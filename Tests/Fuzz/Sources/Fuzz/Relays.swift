import Core

/// Checks for request smuggling: the target receives exactly the requests that a client has sent, with the same bodies.
/// A request never reaches it inside the body of another, nor a body as a request.
///
/// A worker runs in this process between a client and a target that records what it receives. A second parser of
/// HTTP/1, `PlainRequests`, reads both sides. The worker may refuse any request and answer it itself; but what it
/// passes on must have been read in the same way by the worker and by this parser.
enum Relays {
    /// Used by this thread alone.
    nonisolated(unsafe) private static let bench = RelayBench()

    /// The input is what a client sends on one connection before it ends its side.
    static func check(_ input: Span<UInt8>) {
        let sent = copyBytes(input)
        let run = unsafe bench.relay(sent)
        var expected = PlainRequests()
        expected.take(sent)

        let answers = Answers(run.received, methods: expected.requests.map(\.method)).all
        let told = "\(expected.requests.count) requests, \(answers.count) answers, \(run.recorded.count) at the target"
        for (index, answer) in answers.enumerated() {
            demand(answer.status < 500 || [501, 505].contains(answer.status), "answered \(answer.status): \(told)")
            guard let number = answer.request else { continue }
            demand(number == index - answers[..<index].count { $0.request == nil }, "out of order: \(told)")
            demand(index < expected.requests.count, "a malformed request was passed on: \(told)")
            let (seen, meant) = (run.recorded[number], expected.requests[index])
            demand(
                seen.method == meant.method, "\(shown(meant.method.span)) became \(shown(seen.method.span)): \(told)")
            demand(seen.body == meant.body, "\(shown(meant.body.span)) became \(shown(seen.body.span)): \(told)")
        }
        demand(!run.isBroken, "the target received something that is not a request: \(told)")
        demand(run.recorded.count == answers.count { $0.request != nil }, "responses were lost: \(told)")
        guard !run.isReset else { return }
        demand(run.requestCount == answers.count, "\(run.requestCount) requests were counted: \(told)")
        // A connection that is kept alive must answer every request.
        let isKeptAlive = answers.last.map { !$0.isLast } ?? true
        demand(!isKeptAlive || answers.count >= expected.requests.count, "requests were not answered: \(told)")
    }
}

/// The answers on one connection, as a client reads them.
private struct Answers {
    struct Answer {
        var status = 0
        /// Which of the target's requests it answers; nil if the worker made it.
        var request: Int?
        /// Whether the connection ends with it.
        var isLast = false
    }

    private(set) var all: [Answer] = []

    init(_ bytes: [UInt8], methods: [[UInt8]]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var head = PlainHead()
            let outcome = head.take(&rest)
            demand(outcome == .complete, "an incomplete response: \(shown(bytes.span))")
            var answer = Answer()
            answer.status = Int(PlainHead.text(head.words[1])) ?? 0
            if (100..<200).contains(answer.status) { continue }
            answer.request = head.value("x-request").flatMap { Int(PlainHead.text($0)) }
            answer.isLast = head.value("connection").map { PlainHead.text($0) == "close" } ?? false
            let index = all.count
            all.append(answer)
            // A refused request may have had any method, and its response is the last.
            if answer.isLast { return }
            let isHEAD = index < methods.count && PlainHead.text(methods[index]) == "HEAD"
            let length = head.value("content-length").flatMap { Int(PlainHead.text($0)) } ?? 0
            rest = rest.dropFirst(isHEAD ? 0 : length)
        }
    }
}

/// The result of one connection.
struct RelayRun {
    var received: [UInt8] = []
    /// The complete requests that the target has received.
    var recorded: [PlainRequests.Request] = []
    /// Whether the target received something that is not a request, or a second request before it had answered the
    /// first.
    var isBroken = false
    /// Whether the client's connection was reset: answers may be missing.
    var isReset = false
    /// How many requests the worker has counted.
    var requestCount = 0
}
