import Core
import Testing

@testable import Routing

@Suite struct RedirectTemplateTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String
        let template: RedirectTemplate
        var authority = "example.com"
        var path = "/a/b"
        var query = "?x=1"
        var port: UInt16 = 80
        let location: String
        var testDescription: String { why }
    }

    static let cases = [
        Case(
            why: "everything kept, as ELB's defaults do", template: RedirectTemplate(),
            location: "http://example.com:80/a/b?x=1"),
        Case(
            why: "to HTTPS", template: RedirectTemplate(scheme: "HTTPS", port: "443"),
            location: "https://example.com:443/a/b?x=1"),
        Case(
            why: "the client's port is not the host's", template: RedirectTemplate(scheme: "HTTPS", port: "8443"),
            authority: "example.com:8080", port: 8080, location: "https://example.com:8443/a/b?x=1"),
        Case(
            why: "the listener's port", template: RedirectTemplate(host: "www.#{host}"),
            authority: "example.com:9", port: 65535, location: "http://www.example.com:65535/a/b?x=1"),
        Case(
            why: "an IPv6 address", template: RedirectTemplate(port: "1"), authority: "[2001:db8::1]",
            location: "http://[2001:db8::1]:1/a/b?x=1"),
        Case(
            why: "an IPv6 address and a port", template: RedirectTemplate(port: "1"), authority: "[2001:db8::1]:80",
            location: "http://[2001:db8::1]:1/a/b?x=1"),
        Case(
            why: "a host of digits has no port", template: RedirectTemplate(), authority: "1234",
            location: "http://1234:80/a/b?x=1"),
        Case(
            why: "the host in lower case, without the dot at its end", template: RedirectTemplate(),
            authority: "Www.EXAMPLE.com.:8080", path: "/A", location: "http://www.example.com:80/A?x=1"),
        Case(
            why: "a port that is empty", template: RedirectTemplate(), authority: "example.com:",
            location: "http://example.com:80/a/b?x=1"),
        Case(
            why: "no query, no question mark", template: RedirectTemplate(), query: "",
            location: "http://example.com:80/a/b"),
        Case(
            why: "an empty query neither", template: RedirectTemplate(), query: "?",
            location: "http://example.com:80/a/b"),
        Case(
            why: "the query dropped", template: RedirectTemplate(path: "/new", query: ""),
            location: "http://example.com:80/new"),
        Case(
            why: "the query extended", template: RedirectTemplate(query: "from=#{host}&#{query}"),
            location: "http://example.com:80/a/b?from=example.com&x=1"),
        Case(
            why: "every placeholder in the query",
            template: RedirectTemplate(
                host: "h", path: "/#{host}/#{port}/#{path}", query: "#{protocol}#{port}#{path}#{query}"),
            location: "http://h:80/example.com/80/a/b?http80a/bx=1"),
        Case(
            why: "the root", template: RedirectTemplate(), path: "/", query: "", location: "http://example.com:80/"),
        Case(
            why: "OPTIONS *", template: RedirectTemplate(), path: "*", query: "", location: "http://example.com:80/"),
        Case(
            why: "a path that looks like an authority", template: RedirectTemplate(), path: "//evil.example", query: "",
            location: "http://example.com:80//evil.example"),
        Case(
            why: "what is no placeholder stays", template: RedirectTemplate(path: "/#{nope}/#/#{path", query: "}#{"),
            location: "http://example.com:80/#{nope}/#/#{path?}#{"),
        Case(
            why: "a placeholder in the request is only text", template: RedirectTemplate(), path: "/#{host}", query: "",
            location: "http://example.com:80/#{host}"),
        Case(
            why: "no host in the request, none needed", template: RedirectTemplate(host: "other"), authority: "",
            location: "http://other:80/a/b?x=1"),
    ]

    private func head(authority: String, path: String, query: String) -> Head {
        let head = Head()
        head.authority = head.append(Array(authority.utf8).span)
        // As the parser finds it: a colon inside the brackets of an IPv6 address begins no port.
        let digits = authority.utf8.reversed().prefix { (48...57).contains($0) }.count
        let end = authority.utf8.count - digits - 1
        let hasPort = end >= 0 && Array(authority.utf8)[end] == UInt8(ascii: ":")
        head.noteAuthority(hostCount: hasPort ? end : authority.utf8.count)
        head.path = head.append(Array(path.utf8).span)
        head.query = head.append(Array(query.utf8).span)
        return head
    }

    @Test(arguments: cases) func location(_ test: Case) throws {
        let head = head(authority: test.authority, path: test.path, query: test.query)
        let outcome = test.template.write(into: head, scheme: .http, port: test.port)
        guard case .written(let range) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(head.bytes(range).text == test.location)
        #expect(range.end == head.byteCount)
    }

    @Test func theListenersProtocol() {
        let head = head(authority: "h", path: "/", query: "")
        let outcome = RedirectTemplate(path: "/x").write(into: head, scheme: .https, port: 443)
        #expect(outcome == .written(ByteRange(start: 2, count: 15)))
        #expect(head.bytes.text == "h/https://h:443/x")
    }

    @Test(arguments: ["", ":80"]) func aRequestWithoutHost(_ authority: String) {
        let head = head(authority: authority, path: "/", query: "")
        let count = head.byteCount
        #expect(RedirectTemplate().write(into: head, scheme: .http, port: 80) == .hostMissing)
        #expect(head.byteCount == count)
    }

    @Test(arguments: [1, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 65_535] as [UInt16])
    func eightKibibytesFitAndNoMore(_ port: UInt16) {
        let prefix = "http://h:\(port)/".utf8.count
        for (excess, fits) in [(0, true), (1, false)] {
            let rest = Limits.locationBytesMax - prefix + excess
            let head = head(authority: "h", path: "/" + String(repeating: "p", count: rest - 11), query: "?0123456789")
            let count = head.byteCount
            let outcome = RedirectTemplate().write(into: head, scheme: .http, port: port)
            let written = ByteRange(start: count, count: Limits.locationBytesMax)
            #expect(outcome == (fits ? .written(written) : .tooLong))
            #expect(head.byteCount == (fits ? written.end : count))
        }
    }
}
