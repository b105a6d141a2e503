import Testing

@testable import Core

@Suite struct CookieWalkTests {
    private func head(_ fields: [(String, String)]) -> Head {
        let head = Head()
        for (name, value) in fields {
            let lines = head.appendFieldLine(Array(name.utf8).span, Array(value.utf8).span)
            head.addField(name: lines.name, value: lines.value, id: .other)
        }
        return head
    }

    private func cookies(_ head: Head) -> [String] {
        var walk = CookieWalk()
        var found: [String] = []
        while let cookie = walk.next(in: head) {
            found.append("\(head.bytes(cookie.name).text)=\(head.bytes(cookie.value).text)")
        }
        if walk.next(in: head) != nil { Issue.record("the end did not stay the end") }
        return found
    }

    @Test(arguments: [
        ("", []), ("a=1", ["a=1"]), ("a=1; b=2", ["a=1", "b=2"]), ("a=1;b=2", ["a=1", "b=2"]),
        ("  a = 1 ;\tb=\t2\t", ["a=1", "b=2"]), ("a=", ["a="]), ("a=; b=2", ["a=", "b=2"]), ("a=b=c", ["a=b=c"]),
        ("a=\"x y\"", ["a=\"x y\""]),
        // What is no cookie hides none behind it.
        ("a", []), ("a; b=2", ["b=2"]), ("=1; b=2", ["b=2"]), (";;; ;b=2;;", ["b=2"]), ("=", []), (";", []),
        ("a=1; b", ["a=1"]), (" =; =; c=3", ["c=3"]),
    ])
    func oneField(_ value: String, _ expected: [String]) {
        #expect(cookies(head([("Cookie", value)])) == expected)
    }

    @Test func allCookieFieldsCount() {
        let head = head([("Host", "a"), ("cookie", "a=1"), ("X-Cookie", "x=0"), ("COOKIE", ""), ("Cookie", "b=2; c=3")])
        #expect(cookies(head) == ["a=1", "b=2", "c=3"])
        head.removeField(1)
        #expect(cookies(head) == ["b=2", "c=3"])
    }

    @Test func thousandsAreReadOnce() {
        let value = Array(repeating: "a=1", count: 5000).joined(separator: ";")
        #expect(cookies(head([("Cookie", value)])).count == 5000)
        #expect(cookies(head([("Cookie", String(repeating: ";", count: 16_000))])) == [])
    }
}
