import Core
import Testing

@testable import Routing

@Suite struct PathReadingTests {
    private func read(_ path: String, _ reading: PathReading) -> (path: String, hasEmptySegments: Bool) {
        let bytes = Array(path.utf8)
        let out = Head()
        out.append("before")
        let hasEmptySegments = reading.append(bytes.span, to: out)
        return (String(out.bytes.text.dropFirst(6)), hasEmptySegments)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let reading: PathReading
        let path: String
        let expected: String
        var testDescription: String { "\(path) → \(expected)" }

        init(_ reading: PathReading, _ path: String, _ expected: String) {
            self.reading = reading
            self.path = path
            self.expected = expected
        }
    }

    private static let plain = PathReading()
    private static let merging = PathReading(mergesSlashes: true)
    private static let decoding = PathReading(decodeCount: 1)
    private static let nginx = PathReading(decodeCount: 1, mergesSlashes: true)
    private static let twice = PathReading(decodeCount: 2, mergesSlashes: true)
    private static let windows = PathReading(decodeCount: 1, readsBackslashes: true, mergesSlashes: true)
    private static let tomcat = PathReading(decodeCount: 1, parameters: .cutBeforeDecoding, mergesSlashes: true)
    private static let late = PathReading(decodeCount: 1, parameters: .cutAfterDecoding, mergesSlashes: true)

    static let cases = [
        Case(plain, "/", "/"), Case(plain, "/a//b;c%2fd\\e/", "/a//b;c%2fd\\e/"), Case(plain, "//", "//"),
        Case(merging, "//admin/x", "/admin/x"), Case(merging, "///a////b//", "/a/b/"), Case(merging, "//", "/"),
        Case(merging, "/%2fadmin", "/%2fadmin"),
        Case(decoding, "/%2fadmin/x", "//admin/x"), Case(decoding, "/%40a%C3%A9%3b", "/@a\u{E9};"),
        Case(decoding, "/a%252fb", "/a%2fb"), Case(decoding, "/%", "/%"), Case(decoding, "/%2", "/%2"),
        Case(decoding, "/%zz", "/%zz"),
        Case(nginx, "/%2fadmin/x", "/admin/x"), Case(nginx, "/a%2F/b", "/a/b"), Case(nginx, "/a%2f..", "/"),
        Case(twice, "/%252fadmin", "/admin"), Case(twice, "/%25252fadmin", "/%2fadmin"), Case(twice, "/a%25", "/a%"),
        Case(twice, "/x/%252e%252e/admin", "/admin"), Case(twice, "/%252e%252e/admin", "/admin"),
        Case(twice, "/%252e/a/%252e", "/a/"), Case(twice, "/a%25zz", "/a%zz"), Case(twice, "/a/b/%252e%252e", "/a/"),
        Case(windows, "/\\admin", "/admin"), Case(windows, "/x%5c%5Cadmin", "/x/admin"),
        Case(nginx, "/x%5cadmin", "/x\\admin"), Case(windows, "/x%255cadmin", "/x%5cadmin"),
        Case(tomcat, "/admin;a=b/x", "/admin/x"), Case(tomcat, "/;a/admin;", "/admin"),
        Case(tomcat, "/a;b%2fc/d", "/a/d"), Case(tomcat, "/a%3bb/c", "/a;b/c"), Case(tomcat, "/a;b%3bc/d", "/a/d"),
        Case(late, "/a;b%2fc/d", "/a/c/d"), Case(late, "/a%3bb/c", "/a/c"), Case(late, "/x/..;/admin", "/admin"),
        Case(merging, "/a//../b", "/b"), Case(decoding, "/a//../b", "/a/b"),
    ]

    @Test(arguments: cases) func readsAsServersDo(test: Case) {
        let result = read(test.path, test.reading)
        // One byte a character: an escape above 0x7F is no UTF-8.
        let expected = test.expected.replacing("\u{E9}", with: "\u{FFFD}\u{FFFD}")
        #expect(result.path == expected || result.path == test.expected)
        #expect(result.hasEmptySegments || !result.path.contains("//"))
    }

    /// Consecutive slashes are reported even if a dot segment removed them, since a server that merges slashes first
    /// resolves to another path.
    @Test func reportsConsecutiveSlashes() {
        #expect(read("/a//../b", Self.decoding).hasEmptySegments)
        #expect(!read("/a/../b", Self.decoding).hasEmptySegments)
        #expect(!read("//a//", Self.merging).hasEmptySegments)
    }

    @Test(arguments: [
        ("/a//b", 1), ("/a%20b", 2), ("/%2fa", 2), ("/a%252f", 3), ("/a\\b", 2), ("/a%5cb", 4), ("/a;b", 3),
        ("/a%3bb", 6), ("/%255c", 6), ("/a%253b", 9), ("/%5c;%25;", 12), ("/%5c;%252f", 18), ("/a%25", 2), ("/a%", 1),
    ])
    func numberOfDifferentReadings(path: String, count: Int) {
        let bytes = Array(path.utf8)
        let readings = PathReadings(bytes.span)
        #expect(readings.count == count)
        let all = (0..<count).map { readings[$0] }
        #expect(all.first == PathReading())
        for (index, reading) in all.enumerated() { #expect(!all[..<index].contains(reading), "\(reading) twice") }
    }
}
