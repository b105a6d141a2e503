import Foundation
import Testing

/// Requests to the letter and not, as raw bytes: the class and the reason in fields 28 and 29 of the access log, and
/// what each mode of `routing.http.desync_mitigation_mode` does. Source: docs/elbv2.md, "Request classes".
@Suite struct RequestClassesTests {
    /// What becomes of a request.
    private enum Fate { case served, refused }

    /// A request, its class and reason as the log writes them, and what `monitor`, `defensive` and `strictest` do.
    private struct Case {
        let request: String, classification: String, reason: String
        let fates: [Fate]

        init(_ request: String, _ classification: String, _ reason: String, _ fates: [Fate]) {
            self.request = request
            self.classification = classification
            self.reason = reason
            self.fates = fates
        }
    }

    private static let modes = ["monitor", "defensive", "strictest"]
    private static let always = [Fate.served, .served, .served]
    private static let unlessStrictest = [Fate.served, .served, .refused]
    private static let inMonitor = [Fate.served, .refused, .refused]
    private static let never = [Fate.refused, .refused, .refused]

    /// A body of five bytes, or an empty one in chunks.
    private static let body = "0\r\n\r\n"

    private static func get(_ fields: String, target: String = "/", version: String = "HTTP/1.1") -> String {
        "GET \(target) \(version)\r\nHost: a.b\r\nX-Before: y\r\n\(fields)\r\n"
    }

    private static func post(_ fields: String, version: String = "HTTP/1.1") -> String {
        "POST / \(version)\r\nHost: a.b\r\nX-Before: y\r\n\(fields)\r\n\(body)"
    }

    private static let chunked = "Transfer-Encoding: chunked\r\n"
    private static let five = "Content-Length: 5\r\n"

    private static let compliantAndAcceptable = [
        Case(get(""), "-", "-", always), Case(post(five), "-", "-", always), Case(post(chunked), "-", "-", always),
        Case(get("A.!#$%&'*+^_`|~09: \u{E9}\r\n"), "-", "-", always),
        Case(get("A: Transfer-Encoding: chunked\r\n"), "-", "-", always),
        Case(get("", target: "/%20%09%0D?%dd=%ee"), "-", "-", always),
        Case(get("", version: "HTTP/1.0"), "-", "-", always),
        Case(get("Content-Length: 0\r\n"), "Acceptable", "GetHeadZeroContentLength", unlessStrictest),
        Case(get("A: b\n"), "Acceptable", "NonCrLfLineTermination", unlessStrictest),
        Case(get("", version: "HTTP/1.2"), "Acceptable", "NonCompliantVersion", unlessStrictest),
        Case(get("", version: "HTTP/1.1 "), "Acceptable", "NonCompliantVersion", inMonitor),
        Case(get("A : b\r\n"), "Acceptable", "NonCompliantHeader", inMonitor),
        Case(get("A\u{1}: b\r\n"), "Acceptable", "NonCompliantHeader", inMonitor),
        Case(get("A: \u{7F}b\r\n"), "Acceptable", "NonCompliantHeader", inMonitor),
        Case(get("", target: "/a?b=not escaped"), "Acceptable", "SpaceInUri", inMonitor),
    ]

    private static let ambiguous = [
        Case(get(five) + body, "Ambiguous", "UndefinedContentLengthSemantics", unlessStrictest),
        Case(get(chunked) + body, "Ambiguous", "UndefinedTransferEncodingSemantics", unlessStrictest),
        Case(post(five + chunked), "Ambiguous", "BothTeClPresent", inMonitor),
        Case(post(chunked + five), "Ambiguous", "BothTeClPresent", inMonitor),
        Case(post(five + five), "Ambiguous", "DuplicateContentLength", inMonitor),
        Case(post("Content-Length : 5\r\n" + five), "Ambiguous", "SuspiciousHeader", inMonitor),
        Case(post("Transfer-Encoding : chunked\r\n"), "Ambiguous", "SuspiciousHeader", inMonitor),
        Case(post("Transfer_Encoding: chunked\r\n"), "Ambiguous", "SuspiciousHeader", inMonitor),
        Case(post("Transfer-Encod\u{131}ng: chunked\r\n"), "Ambiguous", "SuspiciousHeader", inMonitor),
        Case(post("Content-Length\u{2003}: 5\r\n"), "Ambiguous", "SuspiciousHeader", inMonitor),
        Case(get("A: b\r\n c\r\n"), "Ambiguous", "MultilineHeader", inMonitor),
        Case(get(": b\r\n"), "Ambiguous", "EmptyHeader", inMonitor),
        Case(get("nothing\r\n"), "Ambiguous", "MissingHeaderColon", inMonitor),
        Case(get("", target: "/a\tHTTP/1.1"), "Ambiguous", "AmbiguousUri", inMonitor),
        Case(get("", target: "/a\u{1}"), "Ambiguous", "AmbiguousUri", inMonitor),
        Case("GET HTTP/1.1\r\nHost: a.b\r\n\r\n", "Ambiguous", "MissingUri", never),
        Case(post(chunked, version: "HTTP/1.0"), "Ambiguous", "UndefinedTransferEncodingSemantics", never),
    ]

    private static let severe = [
        Case(get("A: b\0\r\n"), "Severe", "BadHeader", inMonitor),
        Case(get("A: b\rc\r\n"), "Severe", "BadHeader", inMonitor),
        Case(get("\0Transfer-Encoding: chunked\r\n"), "Severe", "BadHeader", inMonitor),
        Case(get("", target: "/a\rHTTP/1.1"), "Severe", "BadUri", inMonitor),
        Case(get("", target: "/a\0"), "Severe", "BadUri", never),
        Case(post("Content-Length: 5x\r\n"), "Severe", "BadContentLength", never),
        Case(post("Content-Length: 5, 5\r\n"), "Severe", "BadContentLength", never),
        Case(post("Content-Length: 18446744073709551616\r\n"), "Severe", "BadContentLength", never),
        Case(post("Content_Length: 5x\r\n"), "Severe", "BadContentLength", never),
        Case("G(T / HTTP/1.1\r\nHost: a.b\r\n\r\n", "Severe", "BadMethod", never),
        Case(post("Transfer-Encoding: xchunked\r\n"), "Severe", "BadTransferEncoding", never),
        Case(post("Transfer-Encoding : xchunked\r\n"), "Severe", "BadTransferEncoding", never),
        Case(get("", version: "HTTQ/1.1"), "Severe", "BadVersion", never),
        Case(get("", version: "HTTP/1.1 HTTP/1.1"), "Severe", "BadVersion", never),
        Case(get("", version: "HTTP/1.1 b HTTP/1.1"), "Severe", "BadVersion", never),
        Case(post(five + "Content-Length: 4\r\n"), "Severe", "MultipleContentLength", never),
        Case(post("Content-Length : 2\r\n" + five), "Severe", "MultipleContentLength", never),
        Case(post(five + "Content_Length: 2\r\n"), "Severe", "MultipleContentLength", never),
        Case(post(chunked + chunked), "Severe", "MultipleTransferEncodingChunked", never),
        Case(post("Transfer-Encoding: chunked, chunked\r\n"), "Severe", "MultipleTransferEncodingChunked", never),
        Case(post("Transfer-Encoding : chunked\r\n" + chunked), "Severe", "MultipleTransferEncodingChunked", never),
    ]

    /// Those in which http-desync-guardian says something else; each is a row of the table there, by these words.
    private static let exceptions: [(row: String, test: Case)] = [
        (
            "with a blank beside its name or in another disguise",
            Case(post("Transfer-Encoding : chunked\r\n" + five), "Severe", "SuspiciousTeClPresent", inMonitor)
        ),
        (
            "with a blank beside its name or in another disguise",
            Case(post(chunked + "Content_Length: 4\r\n"), "Severe", "SuspiciousTeClPresent", inMonitor)
        ),
        ("a version that is missing", Case("GET /\r\n\r\n", "Acceptable", "NonCompliantVersion", never)),
        ("a target that is empty", Case("GET  HTTP/1.1\r\nHost: a.b\r\n\r\n", "Ambiguous", "MissingUri", never)),
        ("a field whose name begins with a blank", Case(get(" " + chunked), "Ambiguous", "MultilineHeader", inMonitor)),
        (
            "a field whose name begins with a blank",
            Case(post("   " + chunked + five), "Ambiguous", "MultilineHeader", inMonitor)
        ),
        (
            "a field whose name begins with a blank",
            Case(post(" Content-Length: 4\r\n" + five), "Ambiguous", "MultilineHeader", inMonitor)
        ),
        (
            "a field whose name begins with a blank",
            Case(post("  \t: chunked\r\n" + five), "Ambiguous", "MultilineHeader", inMonitor)
        ),
        (
            "LF or CRLF within a name or a value",
            Case(
                post(five + "A: many\r\n lines \n of it \n Transfer-Encoding: chunked\r\n"), "Ambiguous",
                "MultilineHeader", inMonitor)
        ),
        (
            "LF or CRLF within a name or a value",
            Case(post(five + "A: b\n content-length: 4\r\n"), "Ambiguous", "MultilineHeader", inMonitor)
        ),
        (
            "LF or CRLF within a name or a value",
            Case(post("A\n:Content-Length: 4\r\n" + five), "Ambiguous", "MissingHeaderColon", inMonitor)
        ),
        (
            "LF or CRLF within the target",
            Case(get("", target: "/a\nHTTP/1.1"), "Ambiguous", "MissingHeaderColon", never)
        ),
        (
            "LF or CRLF within the target",
            Case(
                get("", target: "/a\tHTTP/1.1\r\nHost: b\r\n\r\nGET\t/c\t"), "Ambiguous", "AmbiguousUri", never)
        ),
    ]

    @Test("Every class and reason over the wire, in each mode", arguments: modes.indices)
    func classes(mode: Int) throws {
        try expect(Self.compliantAndAcceptable + Self.ambiguous + Self.severe, mode)
    }

    @Test("What differs from http-desync-guardian is as the page says, in each mode", arguments: modes.indices)
    func listedExceptions(mode: Int) throws {
        try expect(Self.exceptions.map(\.test), mode)
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/elbv2.md"), encoding: .utf8)
        for (row, test) in Self.exceptions {
            let cells = page.split(separator: "\n").first { $0.hasPrefix("| ") && $0.contains(row) }
            #expect(cells?.contains("`\(test.reason)`") == true, "\(row): \(test.reason)")
            #expect(cells != nil, "docs/elbv2.md has no row about \(row)")
        }
    }

    /// Sends each case on a connection of its own, and expects its answer, its line in the log and what the target got.
    private func expect(_ cases: [Case], _ mode: Int) throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(
            Document(
                target, attributes: ["routing.http.desync_mitigation_mode": .string(Self.modes[mode])]))
        var clients: [String] = []
        for test in cases {
            let client = try apus.client()
            clients.append("127.0.0.1:\(try client.socket.localPort())")
            let answer = try client.exchange(test.request, method: "GET")
            #expect((answer.status == 200) == (test.fates[mode] == .served), "\(test) \(answer.startLine)")
            if test.fates[mode] == .refused {
                #expect((400...505).contains(answer.status) && client.ended(), "\(test)")
            }
            client.close()
        }
        #expect(target.requests.count == cases.count { $0.fates[mode] == .served })
        let last = try #require(clients.last)
        #expect(eventually { apus.accessLog.contains { $0.client == last } })
        let lines = apus.accessLog
        for (test, client) in zip(cases, clients) {
            // What follows a head that is refused belongs to nobody.
            let line = eventually {
                lines.first { $0.client == client } ?? apus.accessLog.first { $0.client == client }
            }
            #expect(
                line?.classification == test.classification && line?.classificationReason == test.reason,
                "\(Self.modes[mode]): \(test): \(line?.line ?? "no line")")
        }
    }
}
