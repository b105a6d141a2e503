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
    ])
    func isNotSuspicious(name: String) {
        let head = Head()
        #expect(request("POST / HTTP/1.1\r\nHost: a\r\n\(name): 5\r\n\r\n", into: head).parsed != nil)
        #expect(fields(head) == ["Host: a", "\(name): 5"])
    }

    @Test(arguments: [
        ("A-b1", true), ("X", true), ("a-name-longer-than-eight-9", true), ("A_b", false), ("A.b", false),
        ("a-name-longer-than-ei_ght", false), ("A'", false), ("abcdefgh`ijklmnop", false), ("!#$%&'*+.^_`|~", false),
    ])
    func invalidNamesAreDroppedIfConfigured(name: String, isValid: Bool) {
        let head = Head()
        let input = "GET / HTTP/1.1\r\nHost: a\r\n\(name): b\r\nC: d\r\n\r\n"
        #expect(request(input, into: head).parsed != nil)
        #expect(fields(head) == ["Host: a", "\(name): b", "C: d"])
        #expect(head.hasInvalidNames == !isValid)
        #expect(request(input, into: head, RequestOptions(dropsInvalidNames: true)).parsed != nil)
        #expect(fields(head) == (isValid ? ["Host: a", "\(name): b", "C: d"] : ["Host: a", "C: d"]))
        #expect(head.hasInvalidNames == !isValid)
    }

    /// A field name has to be a token. Source: RFC 9110 §5.1.
    @Test(arguments: Array("\"(),/;<=>?@[\\]{}".unicodeScalars) + (0x80...0xFF).compactMap(Unicode.Scalar.init))
    func nonTokenIsRejected(scalar: Unicode.Scalar) {
        for name in ["\(scalar)", "X\(scalar)A", "a-name-longer-than-eight\(scalar)"] {
            let head = "\r\nHost: a\r\n\(name): b\r\n\r\n"
            #expect(request("GET / HTTP/1.1" + head).violation == .badFieldName)
            let dropping = RequestOptions(dropsInvalidNames: true)
            #expect(request("GET / HTTP/1.1" + head, dropping).violation == .badFieldName)
            // The operator chooses the targets, so what old servers send is accepted.
            #expect(response("HTTP/1.1 200 OK" + head).parsed != nil)
        }
    }

    @Test(arguments: [
        "X_Forwarded_For", "x.forwarded.for", "X-Forwarded_For", "X_Forwarded_Proto", "X_FORWARDED_PORT",
        "X_Amzn_Trace_Id", "X_Amzn_Tls_Version", "X_Amzn_Tls_Cipher_Suite", "X_Amzn_Mtls_Clientcert",
        "X_Amzn_Mtls_Clientcert_Serial_Number", "X_Amzn_Mtls_Clientcert_Issuer", "X_Amzn_Mtls_Clientcert_Subject",
        "X_Amzn_Mtls_Clientcert_Validity", "X_Amzn_Mtls_Clientcert_Leaf", "x+amzn~mtls!clientcert|leaf",
        "Sec_WebSocket_Key",
    ])
    func fieldConfusableWithOursIsRemoved(name: String) {
        let head = Head()
        let input = "GET / HTTP/1.1\r\nHost: a\r\n\(name): b\r\nC_D: e\r\n\r\n"
        #expect(request(input, into: head).parsed != nil)
        #expect(fields(head) == ["Host: a", "C_D: e"])
        #expect(head.hasDroppedNames && head.hasInvalidNames)
        #expect(request(input, into: head, RequestOptions(dropsInvalidNames: true)).parsed != nil)
        #expect(fields(head) == ["Host: a"])
        // Not in responses, since clients have no CGI variables.
        #expect(response("HTTP/1.1 200 OK\r\n\(name): b\r\n\r\n", into: head).parsed != nil)
        #expect(fields(head) == ["\(name): b"])
    }

    @Test(arguments: [
        "XForwardedFor", "X__Forwarded_For", "X_Forwarded_For_", "X_Forwarded_Host", "User_Agent", "X_Real_IP",
        "X_Amzn_Mtls_Clientcert_Leaf2",
    ])
    func otherFieldIsKept(name: String) {
        let head = Head()
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\n\(name): b\r\n\r\n", into: head).parsed != nil)
        #expect(fields(head) == ["Host: a", "\(name): b"])
        #expect(!head.hasDroppedNames)
    }
}
