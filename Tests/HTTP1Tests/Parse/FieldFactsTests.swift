import Core
import HTTP1
import Testing

@Suite struct FieldFactsTests {
    @Test func hostIsNeededOnceOnHTTP11() {
        #expect(request("GET / HTTP/1.1\r\n\r\n").violation == .missingHost)
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").violation == .duplicateHost)
        #expect(request("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n").violation == .duplicateHost)
        let head = Head()
        #expect(request("GET / HTTP/1.0\r\n\r\n", into: head).parsed != nil)
        #expect(head.authority.isEmpty)
    }

    @Test func duplicateHostsAreKeptIfConfigured() {
        let head = Head()
        let options = RequestOptions(keepsDuplicateHosts: true)
        let result = request("GET /a/./b HTTP/1.1\r\nA: b\r\nHost: one\r\nHost: two\r\n\r\n", into: head, options)
        #expect(result.parsed != nil)
        #expect(text(head, head.authority) == "one")
        #expect(fields(head) == ["A: b", "Host: one", "Host: two"])
        #expect(request("GET / HTTP/1.1\r\n\r\n", options).violation == .missingHost)
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\nHost: b c\r\n\r\n", options).violation == .badHost)
    }

    @Test(arguments: [
        ("1.1", "100-continue", true), ("1.1", "100-Continue", true), ("1.0", "100-continue", false),
        ("1.0", "anything", false),
    ])
    func expectIsAnsweredAtThisHop(version: String, value: String, expectsContinue: Bool) {
        let head = Head()
        let input = "PUT / HTTP/\(version)\r\nHost: a\r\nExpect: \(value)\r\nContent-Length: 3\r\n\r\n"
        #expect(request(input, into: head).parsed?.expectsContinue == expectsContinue)
        #expect(fields(head) == ["Host: a"])
    }

    @Test(arguments: ["", "100-continue, 100-continue", "100", "200-ok", "100-continue; a"])
    func otherExpectationsAreRefused(value: String) {
        #expect(request("PUT / HTTP/1.1\r\nHost: a\r\nExpect: \(value)\r\n\r\n").violation == .badExpectation)
    }

    @Test func expectWithoutBodyIsIgnored() {
        let head = "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        #expect(request(head + "\r\n").parsed?.expectsContinue == false)
        #expect(request(head + "Content-Length: 0\r\n\r\n").parsed?.expectsContinue == false)
        #expect(request(head + "Transfer-Encoding: chunked\r\n\r\n").parsed?.expectsContinue == true)
    }

    @Test func responsesHaveNoHostAndNoExpectation() {
        let head = Head()
        #expect(response("HTTP/1.1 204 x\r\nHost: a b\r\nHost: c\r\nExpect: x\r\n\r\n", into: head).parsed != nil)
        #expect(fields(head) == ["Host: a b", "Host: c", "Expect: x"])
    }

    @Test func wellKnownFieldsAreNumbered() {
        let head = Head()
        let input = "GET / HTTP/1.1\r\nhOST: a\r\nuser-agent: b\r\nX-Other: c\r\nUPGRADE: d\r\n\r\n"
        #expect(request(input, into: head).parsed != nil)
        #expect((0..<head.fieldCount).map { head.field($0).id } == [.host, .userAgent, .other, .upgrade])
        #expect(head.mayContain(.upgrade))
        #expect(head.firstField(.upgrade) == nil)
    }
}
