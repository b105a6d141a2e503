import Testing

@testable import TLS

@Suite struct TLSTicketKeyTests {
    @Test func randomKeysDifferInEveryPart() {
        let (one, other) = (TLSTicketKey.random(), TLSTicketKey.random())
        #expect(one != other)
        #expect(one.name != other.name && one.name.count == 16)
        #expect(one.encryptionKey != other.encryptionKey && one.encryptionKey.count == 32)
        #expect(one.authenticationKey != other.authenticationKey && one.authenticationKey.count == 32)
        #expect(one.encryptionKey != one.authenticationKey)
    }
}
