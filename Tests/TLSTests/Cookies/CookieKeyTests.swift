import Testing

@testable import TLS

@Suite struct CookieKeyTests {
    @Test func aRandomKeyIsNoOther() {
        let keys = (0..<100).map { CookieKey.random(createdAt: UInt64($0)) }
        #expect(Set(keys.map(\.secret)).count == 100 && Set(keys.map(\.id)).count == 100)
        #expect(keys.allSatisfy { $0.secret.count == CookieKey.secretCount })
        #expect(keys.map(\.createdAt) == Array(0..<100))
    }

    @Test(arguments: [0, 1, 31, 33, 64]) func aSecretHasOneLength(count: Int) {
        #expect(CookieKey(id: 1, secret: Array(repeating: 1, count: count), createdAt: 1) == nil)
    }

    @Test func whatWasKeptIsTheSame() {
        let key = CookieKey.random(createdAt: 9)
        #expect(CookieKey(id: key.id, secret: key.secret, createdAt: 9) == key)
    }
}
