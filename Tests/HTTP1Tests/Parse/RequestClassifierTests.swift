import Core
import HTTP1
import Testing

/// The classes and reason codes, part by part: each case is a request line and fields, of any bytes.
@Suite struct RequestClassifierTests {
    /// A request in its parts; `fields` are name and value in turn.
    struct Case: Sendable, CustomTestStringConvertible {
        let expected: Compliance
        let method: String, target: String, version: String
        let fields: [String]
        var testDescription: String { "\(expected): \(method) \(target) \(version) \(fields)" }

        init(
            _ expected: Compliance, _ fields: String..., method: String = "POST", target: String = "/a/b",
            version: String = "HTTP/1.1"
        ) {
            self.expected = expected
            self.fields = fields
            self.method = method
            self.target = target
            self.version = version
        }
    }

    static let harmless: [Case] = [
        Case(.compliant, method: "GET"), Case(.compliant, "Transfer-Encoding", "chunked"),
        Case(.compliant, "Content-Length", "1000"), Case(.compliant, "Content-Length", " 22220  ", method: "PUT"),
        Case(.compliant, "TrAnSfEr-EnCoDiNg", " ChUnKeD"),
        Case(.compliant, "Transfer-Encoding", " gzip, chunked"),
        Case(.compliant, "Transfer-Encoding", "gzip , deflate , \tidentity\t, compress\t, chunked"),
        Case(
            .compliant, "Transfer-Encoding", "gzip", "Transfer-Encoding", " identity", "Transfer-Encoding", "chunked"),
        Case(.compliant, "Transfer-Encoding", "   gzip   ;   ", "Transfer-Encoding", "\t\tchunked;own;\t"),
        Case(.compliant, "A.!#$%&'*+^_`|~09", "\t\tb;\u{60}\u{85}\u{93}\u{A0}"), Case(.compliant, "A_b", "c"),
        Case(.compliant, "A", "Transfer-Encoding: chunked", "Content-Length", "4"),
        Case(.compliant, method: "GET", target: "/a-%09-%20-%0D-%0A"),
        Case(.compliant, method: "GET", target: "/a?a=b&%dd=%ee#"), Case(.compliant, version: "HTTP/1.0"),
        Case(.compliant, target: ""),
    ]

    static let acceptable: [Case] = [
        Case(.getHeadZeroContentLength, "Content-Length", "0", method: "GET"),
        Case(.getHeadZeroContentLength, "Content-Length", "0", method: "HEAD"),
        Case(.nonCompliantHeader, "a ", "b"), Case(.nonCompliantHeader, "a ", "b", "Transfer-Encoding", "chunked"),
        Case(.nonCompliantHeader, "\u{1}a", "b", "Content-Length", "5"), Case(.nonCompliantHeader, "a\u{1}", "b"),
        Case(.nonCompliantHeader, "a", "\u{1}b"), Case(.nonCompliantHeader, "a", "b\u{7F}"),
        Case(.nonCompliantHeader, "a\u{80}", "b"),
        Case(.nonCompliantVersion, "a", "b", version: "HTTP/0.9"), Case(.nonCompliantVersion, version: ""),
        Case(.nonCompliantVersion, version: "HTTP/1.2"), Case(.nonCompliantVersion, version: "HTTP/1.1 "),
        Case(.spaceInUri, method: "GET", target: "/a?b=not escaped"),
    ]

    static let ambiguous: [Case] = [
        Case(.ambiguousUri, target: "/a\tHTTP/1.1"), Case(.ambiguousUri, target: "/a\u{1}"),
        Case(.ambiguousUri, target: "/a b\u{7F}"),
        Case(.bothTeClPresent, "Transfer-Encoding", "chunked", "Content-Length", "100"),
        Case(.bothTeClPresent, "Content-Length", " 4", "Transfer-Encoding", "gzip"),
        Case(.bothTeClPresent, "Transfer-Encoding", "\tchunked;own", "Content-Length", "4"),
        Case(.duplicateContentLength, "Content-Length", "1000", "Content-Length", "1000"),
        Case(.emptyHeader, "", "chunked", "Content-Length", "1"), Case(.emptyHeader, " \t ", "a"),
        Case(.emptyHeader, ":a:Transfer-Encoding:", "chunked"),
        Case(.suspiciousHeader, "Transfer-Encoding ", "chunked"),
        Case(.suspiciousHeader, "Transfer-Encoding\t", "chunked"),
        Case(.suspiciousHeader, "\u{1}\u{1}Transfer-Encoding", "chunked"),
        Case(.suspiciousHeader, "\u{1}Content-Length", "1"), Case(.suspiciousHeader, "Content_Length", "1000"),
        Case(.suspiciousHeader, "Transfer- Encoding", "chunked"),
        Case(.suspiciousHeader, "Transfer---Encoding", "chunked"),
        Case(.suspiciousHeader, "Transfer___Encoding", "chunked"),
        Case(.suspiciousHeader, "a", "b", "TransferEncoding\u{88}", "chunked"),
        // U+017F, U+0131, U+2003 and U+2015 in UTF-8.
        Case(.suspiciousHeader, "Tran\u{C5}\u{BF}fer-Encoding", "chunked"),
        Case(.suspiciousHeader, "Transfer-Encod\u{C4}\u{B1}ng", "chunked"),
        Case(.suspiciousHeader, "\u{E2}\u{80}\u{83}Transfer-Encoding", "chunked"),
        Case(.suspiciousHeader, "Transfer\u{E2}\u{80}\u{95}Encoding", "chunked"),
        Case(.suspiciousHeader, "Content-Length\u{E2}\u{80}\u{83}", "1000"),
        Case(.suspiciousHeader, "\u{A0}Content-Length", "100"),
        Case(.undefinedContentLengthSemantics, "Content-Length", "1000", method: "GET"),
        Case(.undefinedContentLengthSemantics, "a", "b\u{1}", "Content-Length", "9", method: "HEAD"),
        Case(.undefinedContentLengthSemantics, "Content-Length", "9", method: "GET", target: "/a\t"),
        Case(.undefinedContentLengthSemantics, "Content-Length", "100", version: "HTTP/0.9"),
        Case(.undefinedContentLengthSemantics, "Content-Length", "100", version: ""),
        Case(.undefinedTransferEncodingSemantics, "Transfer-Encoding", "chunked", method: "GET"),
        Case(.undefinedTransferEncodingSemantics, "a", "b\u{1}", "Transfer-Encoding", "chunked", method: "HEAD"),
        Case(.undefinedTransferEncodingSemantics, "Transfer-Encoding", "chunked", version: "HTTP/1.0"),
        Case(.undefinedTransferEncodingSemantics, "Transfer-Encoding", "chunked", version: "HTTP/0.9"),
        Case(.undefinedTransferEncodingSemantics, "Transfer-Encoding", "chunked", version: ""),
    ]

    static let severe: [Case] = [
        Case(.badContentLength, "Content-Length", "1000,1000"), Case(.badContentLength, "Content-Length", "1 1"),
        Case(.badContentLength, "Content-Length", "1.1"), Case(.badContentLength, "Content-Length", "\u{1}1"),
        Case(.badContentLength, "Content-Length", "18446744073709551616"),
        Case(.badContentLength, "Content-Length", ""),
        Case(.badContentLength, "a", "b\u{12}", "Content-Length", "1\u{11}"),
        Case(.badContentLength, "Content-Length", "1\u{A0}"),
        Case(.badHeader, "a", "b\r\n c"), Case(.badHeader, "a", "b\n c"), Case(.badHeader, "a", "b\rc"),
        Case(.badHeader, "a\r", "1"), Case(.badHeader, "a\n", "Content-Length:1\r\n", "Content-Length", "100"),
        Case(.badHeader, "a\0", "1"), Case(.badHeader, "\0a", "1"), Case(.badHeader, "a", "\0b"),
        Case(.badHeader, "a", "b\0", "Content-Length", "100"),
        Case(.badHeader, "\rTransfer-Encoding", "chunked", "Content-Length", "4"),
        Case(.badHeader, "\rContent-Length", "4", "Content-Length", "4"),
        Case(.badHeader, "Content-Length", "6", "\0Transfer-Encoding", "chunked"),
        Case(.badHeader, "Transfer-Encoding", " \0chunked", "Content-Length", "6"),
        Case(.badHeader, "a\t", "\u{11}\0", "Transfer-Encoding\t", "chunked"),
        Case(.badMethod, "a", "b", method: "bad\u{1}"), Case(.badMethod, method: ""),
        Case(.badTransferEncoding, "Transfer-Encoding", "xchunked"),
        Case(.badTransferEncoding, "Transfer-Encoding", "chunk", "Content-Length", "4"),
        Case(.badTransferEncoding, "Transfer-Encoding", "chunked\u{1}"),
        Case(.badTransferEncoding, "Transfer-Encoding", "\u{A0}chunked"),
        Case(.badTransferEncoding, "Transfer-Encoding", "chunked", "Transfer-Encoding", " cow", "Content-Length", "6"),
        Case(.badTransferEncoding, "a", "\u{11}", "Transfer-Encoding", "chunked\u{80}", "Content-Length", "$9"),
        Case(.badTransferEncoding, "Transfer-Encoding", ""),
        Case(.badUri, target: "/a\rHTTP/1.1"), Case(.badUri, target: "/a\nHTTP/1.1"), Case(.badUri, target: "\0/a"),
        Case(.badUri, target: "/a\tHTTP/1.1\r\nHost:b\r\n\r\nGET\t/c\t"),
        Case(.badVersion, version: "HTTP/1.1 HTTP/1.1"), Case(.badVersion, version: "HTTP/2.0"),
        Case(.badVersion, version: "HTTQ/1.1"),
        Case(.multipleContentLength, "Content-Length", "1000", "Content-Length", "100"),
        Case(.multipleContentLength, "Content-Length ", "100", "Content-Length", "1000"),
        Case(.multipleContentLength, " Content-Length", "100", "Content-Length", "1000"),
        Case(.multipleTransferEncodingChunked, "Transfer-Encoding", "chunked,chunked", "Content-Length", "4"),
        Case(.multipleTransferEncodingChunked, "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"),
        Case(.multipleTransferEncodingChunked, "Transfer-Encoding ", "chunked", "Transfer-Encoding", "chunked"),
        Case(.suspiciousTeClPresent, "Transfer-Encoding ", "chunked", "Content-Length", "1000"),
        Case(.suspiciousTeClPresent, " Transfer-Encoding", "chunked", " Content-Length", "1000"),
        Case(.suspiciousTeClPresent, "Transfer-Encoding", "chunked", "Content_Length", "1000"),
    ]

    @Test(arguments: harmless + acceptable + ambiguous + severe) func isClassified(_ test: Case) {
        var classifier = RequestClassifier()
        for index in stride(from: 0, to: test.fields.count, by: 2) {
            let name = bytes(test.fields[index]), value = bytes(test.fields[index + 1])
            classifier.readField(name: name.span, value: value.span)
        }
        let method = bytes(test.method), target = bytes(test.target), version = bytes(test.version)
        classifier.finish(method: method.span, target: target.span, version: version.span)
        #expect(classifier.compliance == test.expected)
    }

    /// Each reason is tried, but for those of whole heads: `LenientLinesTests`.
    @Test func everyReasonIsTried() {
        let tried = Set((Self.harmless + Self.acceptable + Self.ambiguous + Self.severe).map(\.expected))
        let ofHeads: Set<Compliance> = [.missingHeaderColon, .missingUri, .multilineHeader, .nonCrLfLineTermination]
        #expect(tried.union(ofHeads) == Set(Compliance.allCases) && tried.isDisjoint(with: ofHeads))
    }
}
