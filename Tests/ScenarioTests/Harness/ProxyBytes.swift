/// PROXY headers as scenarios write and read them: by the protocol's text, and by none of the sources.
///
/// Source: W. Tarreau, "The PROXY protocol, versions 1 & 2", HAProxy 2020, §2.
enum ProxyBytes {
    /// What version 2 begins with.
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// 203.0.113.7:4711 to 192.0.2.1:443, as version 2 says it.
    static let addresses: [UInt8] = [203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 0x01, 0xBB]
    /// [2001:db8::7]:4711 to [2001:db8::1]:443.
    static let longAddresses: [UInt8] = long(7) + long(1) + [0x12, 0x67, 0x01, 0xBB]
    /// An extension that means nothing.
    static let padding: [UInt8] = [0x04, 0, 5, 1, 2, 3, 4, 5]

    private static func long(_ last: UInt8) -> [UInt8] {
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [last]
    }

    /// A header of version 2.
    static func binary(
        _ command: UInt8 = 0x21, family: UInt8 = 0x11, _ rest: [UInt8] = addresses, length: Int? = nil
    ) -> [UInt8] {
        let length = length ?? rest.count
        return signature + [command, family, UInt8(length >> 8), UInt8(length & 255)] + rest
    }

    /// The same with a checksum behind it, right or wrong.
    static func summed(
        _ command: UInt8 = 0x21, family: UInt8 = 0x11, _ rest: [UInt8] = addresses, isRight: Bool = true
    ) -> [UInt8] {
        var header = binary(command, family: family, rest + [3, 0, 4, 0, 0, 0, 0])
        let sum = checksum(header) ^ (isRight ? 0 : 1)
        for index in 0..<4 { header[header.count - 4 + index] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * index)) }
        return header
    }

    /// CRC-32C, bit by bit. Source: RFC 3720 §B.4.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
    }

    /// A header of version 2 that stands at the start of what a target got.
    struct Header: Equatable {
        /// Version and command, and the family.
        let command: UInt8
        let family: UInt8
        /// The addresses with their ports, as they are.
        let addresses: [UInt8]
        /// Whether there is a checksum, and it is right.
        let isSummed: Bool
        /// What stands behind it.
        let rest: [UInt8]

        /// The client's address of IPv4.
        var client: String { text(at: 0, port: 8) }
        /// The address it connected to.
        var listener: String { text(at: 4, port: 10) }

        private func text(at start: Int, port: Int) -> String {
            guard addresses.count == 12 else { return "none" }
            let number = Int(addresses[port]) << 8 | Int(addresses[port + 1])
            return addresses[start..<start + 4].map { "\($0)" }.joined(separator: ".") + ":\(number)"
        }
    }

    /// Reads a header of version 2; nil if there is none, or not all of it.
    static func read(_ bytes: [UInt8]) -> Header? {
        guard bytes.count >= 16, Array(bytes[0..<12]) == signature else { return nil }
        let end = 16 + (Int(bytes[14]) << 8 | Int(bytes[15]))
        let addressCount = [0x00: 0, 0x11: 12, 0x21: 36][bytes[13]] ?? 0
        guard bytes.count >= end, 16 + addressCount <= end else { return nil }
        var zeroed = Array(bytes[0..<end])
        var told: [UInt8] = []
        var index = 16 + addressCount
        while index + 3 <= end {
            let valueEnd = index + 3 + (Int(bytes[index + 1]) << 8 | Int(bytes[index + 2]))
            guard valueEnd <= end else { return nil }
            if bytes[index] == 3 {
                told = Array(bytes[index + 3..<valueEnd])
                for place in index + 3..<valueEnd { zeroed[place] = 0 }
            }
            index = valueEnd
        }
        let right = checksum(zeroed)
        return Header(
            command: bytes[12], family: bytes[13], addresses: Array(bytes[16..<16 + addressCount]),
            isSummed: told == (0..<4).map { UInt8(truncatingIfNeeded: right >> (24 - 8 * $0)) },
            rest: Array(bytes[end...]))
    }
}
