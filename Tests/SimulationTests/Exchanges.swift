/// A request as a script has it.
struct RequestPlan {
    var id: Int
    var method = "GET"
    /// Which group it goes to: 1 speaks HTTP/1, 2 HTTP/2.
    var group = 1
    var bodyCount = 0
    var isChunked = false
    var expectsContinue = false
    var closes = false
    /// Bytes of the answer's body.
    var answerCount = 0
    /// Where in what is sent the client waits, in nanoseconds, or goes away.
    var pause: (at: Int, time: UInt64)?
    var abort: (at: Int, reset: Bool)?

    var isIdempotent: Bool { method != "POST" }
    var hasAnswerBody: Bool { method != "HEAD" }

    /// The head as HTTP/1 has it; over HTTP/2 it is read as such before.
    var head: String {
        var lines = [
            "\(method) /\(group)/\(id) HTTP/1.1", "Host: simulation.example", "X-Id: \(id)", "X-Body: \(bodyCount)",
            "X-Want: \(answerCount)",
        ]
        if isChunked { lines.append("Transfer-Encoding: chunked") }
        if !isChunked && method == "POST" || method == "PUT" && !isChunked {
            lines.append("Content-Length: \(bodyCount)")
        }
        if expectsContinue { lines.append("Expect: 100-continue") }
        if closes { lines.append("Connection: close") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// The whole request as HTTP/1 has it.
    var bytes: [UInt8] {
        var bytes = Array(head.utf8)
        guard isChunked else { return bytes + Pattern.slice(id, .request, 0..<bodyCount) }
        var offset = 0
        while offset < bodyCount {
            let count = min(bodyCount - offset, 1 + (id &* 37 &+ offset) % 5000)
            bytes += Array((String(count, radix: 16) + "\r\n").utf8)
            bytes += Pattern.slice(id, .request, offset..<(offset + count))
            bytes += Array("\r\n".utf8)
            offset += count
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }
}

/// What became of all requests.
struct Ledger {
    enum Outcome: Equatable {
        /// A target's answer, or one that Apus made.
        case answered, refused(Int)
        case aborted
    }

    private(set) var outcomes: [Int: Outcome] = [:]
    private var processed: [Int: Int] = [:]
    private(set) var begun: Set<Int> = []
    private(set) var faults: [String] = []

    mutating func begin(_ id: Int) { begun.insert(id) }

    mutating func end(_ id: Int, _ outcome: Outcome) {
        if let earlier = outcomes.updateValue(outcome, forKey: id) {
            fault("request \(id) was \(earlier), and then \(outcome)")
        }
    }

    /// A target has read all of a request.
    mutating func process(_ plan: RequestPlan) {
        processed[plan.id, default: 0] += 1
        if let count = processed[plan.id], count > 1, !plan.isIdempotent {
            fault("request \(plan.id), a POST, was processed \(count) times")
        }
    }

    mutating func fault(_ text: String) { faults.append(text) }

    /// Requests of which nothing is known.
    var open: [Int] { begun.filter { outcomes[$0] == nil }.sorted() }
}
