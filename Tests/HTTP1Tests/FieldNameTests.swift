import Core
import HTTP1
import Testing

@Suite struct FieldNameTests {
    @Test(arguments: [
        "Transfer_Encoding", "Transfer.Encoding", "TransferEncoding", "Transfer-Encoding-", "-Transfer-Encoding",
        "transfer--encoding", "!Transfer-Encoding", "Transfer-Encoding\"", "Tran\u{C5}\u{BF}fer-Encoding",
        "Transfer-Encod\u{C4}\u{B1}ng", "\u{E9}Transfer-Encoding", "Content_Length", "ContentLength", "Content-Length$",
        "(content)length", "Content-Length\u{A0}", "$$$$$$$$$$$$$Content-Length", "c.o.n.t.e.n.t.l.e.n.g.t.h",
    ])
    func isSuspicious(name: String) {
        #expect(request("POST / HTTP/1.1\r\nHost: a\r\n\(name): chunked\r\n\r\n").violation == .suspiciousHeader)
        #expect(response("HTTP/1.1 200 OK\r\n\(name): 5\r\n\r\n").violation == .suspiciousHeader)
        let dropping = RequestOptions(dropsInvalidNames: true)
        let result = request("POST / HTTP/1.1\r\nHost: a\r\n\(name): 5\r\n\r\n", dropping)
        #expect(result.violation == .suspiciousHeader)
    }

    @Test(arguments: [
        "X-Transfer-Encoding", "Transfer-Encodings", "Content-Length2", "Content-Lengt", "Content-Encoding",
        "Content-Language", "Transfer-Encodin-h", "Cache-Control", "Accept-Encoding", "-------------", "Contentxlength",
        "Tranzfer-Encoding", "Content-Lengthlengthlength",
        "\u{C5}\u{BF}\u{C5}\u{BF}\u{C5}\u{BF}\u{C5}\u{BF}\u{C5}\u{BF}\u{C5}\u{BF}\u{C5}\u{BF}",
    ])
    func isNotSuspicious(name: String) {
        let head = Head()
        #expect(request("POST / HTTP/1.1\r\nHost: a\r\n\(name): 5\r\n\r\n", into: head).parsed != nil)
        #expect(fields(head) == ["Host: a", "\(name): 5"])
    }

    @Test(arguments: [
        ("A-b1", true), ("X", true), ("a-name-longer-than-eight-9", true), ("A_b", false), ("A.b", false),
        ("\u{E9}", false), ("a-name-longer-than-ei_ght", false), ("A'", false), ("abcdefg/", false),
        ("abcdefgh@", false),
        ("abcdefgh`ijklmnop", false), ("abcdefgh[ijklmnop", false), ("abcdefgh{ijklmnop", false),
        ("\u{AD}bcdefgh", false),
    ])
    func invalidNamesAreDroppedIfSoAsked(name: String, isValid: Bool) {
        let head = Head()
        let input = "GET / HTTP/1.1\r\nHost: a\r\n\(name): b\r\nC: d\r\n\r\n"
        #expect(request(input, into: head).parsed != nil)
        #expect(fields(head) == ["Host: a", "\(name): b", "C: d"])
        #expect(head.hasInvalidNames == !isValid)
        #expect(request(input, into: head, RequestOptions(dropsInvalidNames: true)).parsed != nil)
        #expect(fields(head) == (isValid ? ["Host: a", "\(name): b", "C: d"] : ["Host: a", "C: d"]))
        #expect(head.hasInvalidNames == !isValid)
    }
}
