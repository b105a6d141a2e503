import Core
import Testing

@testable import Proxy

/// To which connection a datagram belongs. The bytes are those of RFC 9000 §17.
@Suite struct QUICDestinationTests {
    static let id: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    static let value: UInt64 = 0x0102_0304_0506_0708

    /// A long header of this version, with a connection ID, and something behind it.
    static func long(_ connectionID: [UInt8], version: [UInt8] = [0, 0, 0, 1], first: UInt8 = 0xC0) -> [UInt8] {
        [first] + version + [UInt8(connectionID.count)] + connectionID + [0]
    }

    private static func read(_ bytes: [UInt8]) -> QUICDestination { QUICDestination(bytes.span) }

    @Test func aShortHeaderHasTheServersConnectionID() {
        #expect(Self.read([0x40, 0] + Self.id + [9, 9]) == .short(serverID: Self.value))
        #expect(Self.read([0x40, 0x1F] + Self.id) == .short(serverID: Self.value), "nothing behind it")
        // RFC 9287: the second bit of a packet may be 0. The first byte of the connection ID is the server's affair.
        #expect(Self.read([0x00, 0xFF] + Self.id) == .short(serverID: Self.value))
    }

    /// Initial, 0-RTT, Handshake and Retry, of this version and of another.
    @Test(
        arguments: [0xC0, 0xD0, 0xE0, 0xF0, 0x80] as [UInt8], [[0, 0, 0, 1], [0x6B, 0x33, 0x43, 0xCF]] as [[UInt8]])
    func aLongHeaderHasItsLength(first: UInt8, version: [UInt8]) {
        let nonce: [UInt8] = [7, 7, 7, 7, 7, 7, 7]
        func read(_ connectionID: [UInt8]) -> QUICDestination {
            Self.read(Self.long(connectionID, version: version, first: first))
        }
        #expect(read([0] + Self.id + nonce) == .long(serverID: Self.value))
        #expect(read([0] + Self.id) == .long(serverID: Self.value))
        #expect(read(Self.id) == .long(serverID: nil), "too short for a server id")
        #expect(read([]) == .long(serverID: nil))
    }

    @Test func otherThingsAreMalformed() {
        #expect(Self.read([]) == .malformed)
        #expect(Self.read(Self.long([0] + Self.id, version: [0, 0, 0, 0])) == .malformed, "a version negotiation")
        for bytes in [Self.long([0] + Self.id), [0x40, 0] + Self.id] {
            let end = bytes[0] == 0x40 ? bytes.count : bytes.count - 1
            for count in 0..<end { #expect(Self.read(Array(bytes.prefix(count))) == .malformed, "\(count) bytes") }
        }
        #expect(Self.read([0xC0, 0, 0, 0, 1, 255] + Self.id) == .malformed)
    }
}
