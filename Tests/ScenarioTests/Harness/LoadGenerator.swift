import Foundation

/// Clients that send requests over keep-alive connections as fast as they are answered.
///
/// Every request carries an id of its own in its path, so that a target's record shows a request sent twice.
final class LoadGenerator: Sendable {
    /// The results of the requests.
    struct Report: Sendable {
        var statuses: [Int: Int] = [:]
        /// Bodies in the order in which the answers came.
        var bodies: [String] = []
        /// Requests that got no answer, and why.
        var failures: [String] = []
        var sentCount = 0
        /// The longest that an answer took.
        var longestSeconds = 0.0

        var answeredCount: Int { statuses.values.reduce(0, +) }
        /// Requests that were not answered with 200.
        var badCount: Int { failures.count + answeredCount - (statuses[200] ?? 0) }
        func count(of body: String) -> Int { bodies.count { $0 == body } }
    }

    private let report = Locked(Report())
    private let stopping = Locked(false)
    private let running: Locked<Int>
    private let left: Locked<Int>

    /// Starts to send: `clients` connections, `requests` in all, or until `finish` when that is nil.
    init(port: UInt16, method: String = "GET", clients: Int = 4, requests: Int? = nil) {
        running = Locked(clients)
        left = Locked(requests ?? .max)
        for number in 0..<clients {
            let thread = Thread { [self] in
                run(port: port, method: method, number: number)
                running.withLock { $0 -= 1 }
            }
            thread.stackSize = 1 << 19
            thread.start()
        }
    }

    /// The report so far.
    var soFar: Report { report.value }

    /// Stops after the requests under way, and gives the report.
    func finish() -> Report {
        stopping.withLock { $0 = true }
        return waitForEnd()
    }

    /// Waits until all requests were sent and answered.
    func waitForEnd(within seconds: Double = 120) -> Report {
        _ = eventually(within: seconds) { running.value == 0 }
        return report.value
    }

    private func run(port: UInt16, method: String, number: Int) {
        var client: RawClient?
        var sequence = 0
        while !stopping.value,
            left.withLock({
                $0 -= 1
                return $0 >= 0
            })
        {
            sequence += 1
            report.withLock { $0.sentCount += 1 }
            do {
                let connected = try client ?? RawClient(port: port)
                client = connected
                let began = Date()
                let answer = try connected.exchange(Self.request(method, id: "\(number)-\(sequence)"), method: method)
                let seconds = Date().timeIntervalSince(began)
                report.withLock {
                    $0.longestSeconds = max($0.longestSeconds, seconds)
                    $0.statuses[answer.status, default: 0] += 1
                    $0.bodies.append(answer.text)
                }
                if answer.connectionHas("close") { client = nil }
            } catch {
                report.withLock { $0.failures.append("\(method) \(number)-\(sequence): \(error)") }
                client = nil
            }
        }
    }

    private static func request(_ method: String, id: String) -> String {
        let body = method == "POST" ? id : ""
        let length = method == "POST" ? "Content-Length: \(body.utf8.count)\r\n" : ""
        return "\(method) /load/\(id) HTTP/1.1\r\nHost: example.com\r\n\(length)\r\n\(body)"
    }
}
