import Core
import HTTP1
import Testing

@Suite struct ComplianceTests {
    @Test func eachHasTheWordsOfALB() {
        for compliance in Compliance.allCases where compliance != .compliant {
            let reason = compliance.reason?.description ?? ""
            #expect(reason.lowercased() == "\(compliance)".lowercased())
            #expect(["Acceptable", "Ambiguous", "Severe"].contains(compliance.classification?.description))
        }
        #expect(Compliance.compliant.reason == nil && Compliance.compliant.classification == nil)
        #expect(
            Compliance.allCases.allSatisfy {
                ($0.tier == .ambiguous) == ($0.classification?.description == "Ambiguous")
            })
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n", "", Compliance.compliant), ("GET / HTTP/1.0\r\n", "", .compliant),
        ("POST / HTTP/1.1\r\n", "Content-Length: 0\r\n", .compliant),
        ("POST / HTTP/1.1\r\n", "Transfer-Encoding: chunked\r\n", .compliant),
        ("GET / HTTP/1.1\r\n", "Content-Length: 0\r\n", .getHeadZeroContentLength),
        ("HEAD / HTTP/1.9\r\n", "Content-Length: 0\r\n", .getHeadZeroContentLength),
        ("GET / HTTP/1.2\r\n", "", .nonCompliantVersion), ("GET / HTTP/1.1\n", "", .nonCrLfLineTermination),
        ("GET / HTTP/1.1\r\n", "A: b\n", .nonCrLfLineTermination),
        ("HEAD / HTTP/1.1\r\n", "Content-Length: 3\r\n", .undefinedContentLengthSemantics),
        ("GET / HTTP/1.2\r\n", "Transfer-Encoding: chunked\r\n", .undefinedTransferEncodingSemantics),
    ])
    func ofRequestsThatAreServed(line: String, fields: String, expected: Compliance) {
        #expect(request(line + "Host: a\r\n" + fields + "\r\n").parsed?.compliance == expected)
    }

    @Test func strictestRefusesWhatIsNotToTheLetter() {
        let strictest = RequestOptions(refusesNonCompliant: true)
        let head = "GET / HTTP/1.1\r\nHost: a\r\n"
        #expect(request(head + "\r\n", strictest).parsed != nil)
        for fields in ["Content-Length: 0\r\n", "A: b\n", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n"] {
            #expect(request(head + fields + "\r\n", strictest).violation == .nonCompliant, "\(fields)")
        }
    }

    @Test(arguments: [
        ("G(T / HTTP/1.1\r\n", "", Compliance.badMethod), ("GET /\r\n", "", .nonCompliantVersion),
        ("\r\nGET /\0 HTTP/1.1\r\n", "", .badUri), ("GET /\u{1} HTTP/1.1\r\n", "", .ambiguousUri),
        ("GET /#a HTTP/1.1\r\n", "", .compliant), ("GET /a b HTTP/1.1\r\n", "", .spaceInUri),
        ("GET / HTTQ/1.1\r\n", "", .badVersion), ("GET / HTTP/2.0\r\n", "", .badVersion),
        ("GET / HTTP/1.1\r\n", "A\0: b\r\n", .badHeader), ("GET / HTTP/1.1\r\n", "A : b\r\n", .nonCompliantHeader),
        ("GET / HTTP/1.1\r\n", ": b\r\n", .emptyHeader), ("GET / HTTP/1.1\r\n", "A: b\u{1}\r\n", .nonCompliantHeader),
        ("GET / HTTP/1.1\r\n", "A: b\0\r\n", .badHeader), ("GET / HTTP/1.1\r\n", "A: b\rc\r\n", .badHeader),
        ("GET / HTTP/1.1\r\n", "A: b\r\n c\r\n", .multilineHeader),
        ("GET / HTTP/1.1\r\n", "Content_Length: 5\r\n", .suspiciousHeader),
        ("POST / HTTP/1.1\r\n", "Content-Length: x\r\n", .badContentLength),
        ("POST / HTTP/1.1\r\n", "Content-Length: 5\r\nA: b\r\ncontent-length:5 \r\n", .duplicateContentLength),
        ("POST / HTTP/1.1\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n", .multipleContentLength),
        ("POST / HTTP/1.1\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", .bothTeClPresent),
        ("POST / HTTP/1.1\r\n", "Transfer-Encoding: x\r\n", .badTransferEncoding),
        (
            "POST / HTTP/1.1\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            .multipleTransferEncodingChunked
        ),
        ("POST / HTTP/1.0\r\n", "Transfer-Encoding: chunked\r\n", .undefinedTransferEncodingSemantics),
        // For reasons that ALB has no code for.
        ("TRACE / HTTP/1.1\r\n", "", .compliant), ("GET / HTTP/1.1\r\n", "Host: b\r\n", .compliant),
    ])
    func ofRequestsThatAreRefused(line: String, fields: String, expected: Compliance) throws {
        let input = bytes(line + "Host: a\r\n" + fields + "\r\n")
        #expect(request(line + "Host: a\r\n" + fields + "\r\n").violation != nil)
        #expect(Compliance(headOf: input.span) == expected)
    }

    /// The input may end anywhere.
    @Test func readsNothingBeyondTheInput() {
        let input = bytes("\r\nGET /a b HTTP/1.1\r\n: c\r\nContent-Length: 5\r\nContent-Length:")
        for count in 0...input.count {
            let compliance = Compliance(headOf: input.span.extracting(first: count))
            #expect(compliance.reason?.description != "")
        }
    }
}
