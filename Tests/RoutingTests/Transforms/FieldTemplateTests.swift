import Core
import Testing

@testable import Routing

@Suite struct FieldTemplateTests {
    static let request = SampleRequest(
        host: "Shop.Example:8080", path: "/a/b", query: "?c=d",
        fields: [
            ("User-Agent", "one"), ("x-tenant", "t1"), ("X-Tenant", "t2"), ("X-Bad", "a\r\nB: c"), ("X-Nul", "a\0"),
        ])

    /// What comes of `text`: written into the request itself, and into another head.
    private func written(_ text: String, sni: String? = nil, client: String = "192.0.2.1") throws -> String {
        let head = Self.request.head
        head.authority = head.append(Array("Shop.Example:8080".utf8).span)
        head.noteAuthority(hostCount: 12)
        let other = Head()
        let template = FieldTemplate(text)
        let address = try #require(SocketAddress(literal: client, port: 4000))
        let name = Array((sni ?? "").utf8)
        let facts =
            sni == nil
            ? PlaceholderFacts(head, port: 443, client: address)
            : PlaceholderFacts(head, port: 443, client: address, serverName: name.span)
        template.write(facts, to: other)
        let start = head.byteCount
        template.write(facts, to: head)
        let (own, most) = (head.bytes(head.range(from: start)).text, template.byteCountMax(facts))
        #expect(own == other.bytes.text && other.byteCount <= most, "\(text)")
        return other.bytes.text
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("#{host}", "shop.example"), ("#{path}", "a/b"),
        ("/#{path}?#{query}", "/a/b?c=d"),
        ("#{method} #{port}", "GET 443"), ("#{client-ip}:#{client-port}", "192.0.2.1:4000"),
        ("#{protocol}://", "http://"), ("#{sni}", ""), ("<#{header x-TENANT}>", "<t1>"),
        ("#{header user-agent}", "one"),
        ("#{header X-None}", ""), ("#{Host}", "#{Host}"), ("#{host", "#{host"), ("##{host}#", "#shop.example#"),
        ("#{}", "#{}"), ("#{header }", "#{header }"), ("{host}", "{host}"),
    ])
    func placeholdersStandForTheRequest(_ text: String, _ expected: String) throws {
        #expect(try written(text) == expected)
    }

    @Test func tellsTheNameThatTLSAskedFor() throws {
        #expect(try written("#{protocol} #{sni}", sni: "a.example") == "https a.example")
        #expect(try written("#{client-ip}", client: "2001:db8::1") == "2001:db8::1")
    }

    /// What a client sends cannot end a field.
    @Test func controlCharactersAreLeftOut() throws {
        #expect(try written("<#{header X-Bad}#{header X-Nul}>") == "<>")
        #expect(try written("<#{sni}>", sni: "a\r\nB: c") == "<>")
    }
}
