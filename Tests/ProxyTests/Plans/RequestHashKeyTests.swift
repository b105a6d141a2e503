import Core
import HTTP1
import Testing

@testable import Proxy

@Suite struct RequestHashKeyTests {
    private let client = Plans.address("192.0.2.7", 50_000)

    private func hash(_ key: RequestHashKey, _ path: String = "/", _ fields: String = "") -> UInt64 {
        let head = Head()
        let bytes = Array("GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        var scan = HeadScan()
        guard case .complete = parseRequestHead(bytes.span, into: head, options: RequestOptions(), scan: &scan) else {
            fatalError("not a request: \(path) \(fields)")
        }
        return key.hash(head, client: client)
    }

    @Test func theAddressCountsAndNotThePort() {
        let head = Head()
        let key = RequestHashKey(.sourceIP)
        #expect(key.hash(head, client: client) == key.hash(head, client: Plans.address("192.0.2.7", 1)))
        #expect(key.hash(head, client: client) != key.hash(head, client: Plans.address("192.0.2.8", 50_000)))
    }

    @Test func thePathCountsAndNotTheQuery() {
        #expect(hash(.path, "/a?b") == hash(.path, "/a?c") && hash(.path, "/a") != hash(.path, "/b"))
    }

    @Test func theFirstFieldOfTheNameCounts() {
        let key = RequestHashKey(.header("X-User"))
        #expect(hash(key, "/a", "x-user: 7\r\n") == hash(key, "/b", "X-USER: 7\r\nX-User: 8\r\n"))
        #expect(hash(key, "/a", "X-User: 7\r\n") != hash(key, "/a", "X-User: 8\r\n"))
        #expect(hash(key) == hash(.sourceIP), "without the field by the address")
    }

    @Test(arguments: [
        "Cookie: id=7\r\n", "Cookie: a=b; id=7\r\n", "Cookie: a=b;id=7;c=d\r\n", "Cookie: a=b\r\ncookie: id=7\r\n",
        "Cookie: xid=8; id=7; id=9\r\n", "Cookie: idx=1; id=7\r\n",
    ])
    func theFirstCookieOfTheNameCounts(_ fields: String) {
        let key = RequestHashKey(.cookie("id"))
        #expect(hash(key, "/", fields) == hash(key, "/", "Cookie: id=7\r\n"))
    }

    @Test(arguments: ["", "Cookie: a=b\r\n", "Cookie: id\r\n", "Cookie: ID=7\r\n", "Cookie: ;; =; \r\n"])
    func withoutTheCookieByTheAddress(_ fields: String) {
        #expect(hash(RequestHashKey(.cookie("id")), "/", fields) == hash(.sourceIP))
    }

    @Test func longValuesCountToTheirEnd() {
        let key = RequestHashKey(.header("K")), value = String(repeating: "a", count: 63)
        let hashes = (0..<8).map { hash(key, "/", "K: \(value.dropLast($0))\r\n") }
        #expect(Set(hashes).count == 8)
    }

    // MARK: Rate limits

    /// Clients of IPv6 have 64 bits for themselves.
    @Test func aLimitIsForAnAddressOrTheFirstHalfOfOne() {
        let head = Head(), key = RequestHashKey(.sourceIP)
        func hash(_ literal: String) -> UInt64 { key.limitHash(head, client: Plans.address(literal, 7)) }
        #expect(hash("192.0.2.7") == hash("192.0.2.7") && hash("192.0.2.7") != hash("192.0.2.8"))
        #expect(hash("2001:db8:0:1::1") == hash("2001:db8:0:1:ffff::2"))
        #expect(hash("2001:db8:0:1::1") != hash("2001:db8:0:2::1"))
        #expect(hash("192.0.2.7") != key.hash(head, client: Plans.address("192.0.2.7", 7)), "it is not foreseen")
    }

    @Test func aLimitIsForAValueOrElseForTheAddress() {
        let key = RequestHashKey(.header("X-Key"))
        func hash(_ fields: String) -> UInt64 {
            let head = Head()
            let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
            var scan = HeadScan()
            _ = parseRequestHead(bytes.span, into: head, options: RequestOptions(), scan: &scan)
            return key.limitHash(head, client: client)
        }
        #expect(hash("X-Key: a\r\n") == hash("x-key: a\r\n") && hash("X-Key: a\r\n") != hash("X-Key: b\r\n"))
        #expect(hash("") == RequestHashKey(.sourceIP).limitHash(Head(), client: client))
        #expect(hash("") != hash("X-Key: 192.0.2.7\r\n"))
    }
}
