import Core
import HTTP1
import Testing

/// Whole heads, as they are taken apart for their class.
@Suite struct LenientLinesTests {
    private func compliance(_ head: String) -> Compliance {
        let input = bytes(head)
        return Compliance(headOf: input.span)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nA: b\r\n\r\n", Compliance.compliant), ("", .compliant), ("\r\n\r\n", .compliant),
        ("\r\nGET / HTTP/1.1\r\nA:b\r\n\r\n", .compliant), ("GET / HTTP/1.1\nA: b\r\n\r\n", .nonCrLfLineTermination),
        ("GET / HTTP/1.1\r\nA: b\r\n\n", .nonCrLfLineTermination),
        ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", .multilineHeader),
        ("GET / HTTP/1.1\r\n A: b\r\n\r\n", .multilineHeader),
        ("POST / HTTP/1.1\r\nContent-Type: a\r\n\tb\r\n\r\n", .compliant),
        ("GET / HTTP/1.1\r\nA\r\n\r\n", .missingHeaderColon), ("GET / HTTP/1.1\r\n: b\r\n\r\n", .emptyHeader),
        ("GET HTTP/1.1\r\n\r\n", .missingUri), ("GET\r\n\r\n", .missingUri), ("GET  HTTP/1.1\r\n\r\n", .missingUri),
        ("GET /\r\n\r\n", .nonCompliantVersion), ("GET / \r\n\r\n", .nonCompliantVersion),
        ("GET / HTTP/1.1 \r\n\r\n", .nonCompliantVersion), ("GET / HTTQ/1.1\r\n\r\n", .badVersion),
        ("GET / HTTP/1.1 HTTP/1.1\r\n\r\n", .badVersion), ("GET HTTP/1.1 HTTP/1.1\r\n\r\n", .badVersion),
        ("GET / HTTP/1.1 b HTTP/1.1\r\n\r\n", .badVersion), ("GET /a HTTQ/1.1 HTTP/1.1\r\n\r\n", .spaceInUri),
        ("GET /\tHTTP/1.1 HTTP/1.1\r\n\r\n", .ambiguousUri), ("GET /a b HTTP/1.1\r\n\r\n", .spaceInUri),
        ("GET\t/ HTTP/1.1\r\n\r\n", .badMethod),
        ("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", .badHeader), ("GET /\r HTTP/1.1\r\n\r\n", .badUri),
        // What follows the head is not part of it.
        ("GET / HTTP/1.1\r\nA : b\r\n\r\nContent-Length: x\r\n: \0\r\n", .nonCompliantHeader),
        // Its end has not come.
        ("G(T", .badMethod), ("GET /\u{1}", .ambiguousUri), ("GET /a b HTT", .spaceInUri), ("GET / HTT", .compliant),
        ("GET / HTTP/1.1\r\nA", .compliant), ("GET / HTTP/1.1\r\nA\0", .compliant),
        ("GET / HTTP/1.1\r\nA\0: ", .badHeader), ("GET / HTTP/1.1\r\nContent_Length: ", .badContentLength),
    ])
    func headsAreClassified(head: String, expected: Compliance) {
        #expect(compliance(head) == expected, "\(head.debugDescription)")
    }

    /// What is served has the class that it would have had if it had been refused.
    @Test(arguments: ["", "Content-Length: 0\r\n", "Content-Length: 3\n", "Transfer-Encoding: chunked\r\n", "A:\n"])
    func agreesWithTheParser(fields: String) {
        for method in ["GET", "HEAD", "POST"] {
            for version in ["1.0", "1.1", "1.2"] {
                for end in ["\r\n", "\n"] {
                    let head = "\(method) / HTTP/\(version)\(end)Host: a\r\n\(fields)\r\n"
                    guard let parsed = request(head).parsed else { continue }
                    #expect(parsed.compliance == compliance(head), "\(head.debugDescription)")
                }
            }
        }
    }
}
