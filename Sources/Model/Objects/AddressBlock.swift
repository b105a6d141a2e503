/// A network: all addresses that begin with the same bits. Source: RFC 4632 §3.1 (CIDR notation), RFC 4291 §2.3.
public struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
    /// Its first address: no bit after the prefix is set.
    public let address: IPAddress
    /// Bits that all its addresses share: 0–32 for IPv4, 0–128 for IPv6.
    public let prefixLength: Int

    /// Reads a network such as `10.0.0.0/8` or `2001:db8::/32`; nil when the text is not a network, or when bits after
    /// the prefix are set: the writer may have meant another network.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Self.number(parts[1]),
            length <= address.bytes.count * 8, address.isZero(from: length)
        else { return nil }
        self.address = address
        prefixLength = length
    }

    /// The text from which it can be read.
    public var description: String { "\(address)/\(prefixLength)" }

    private static func number(_ digits: Substring) -> Int? {
        guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return digits.utf8.count > 1 && digits.utf8.first == 48 ? nil : Int(digits)
    }

    /// Reads and writes a network.
    static let codec = Codec.text(.addressBlock).converted(
        to: { text, _ in AddressBlock(text) }, from: \AddressBlock.description)
}

extension IPAddress {
    /// Whether no bit is set from index `bit` on; the first bit has index 0.
    fileprivate func isZero(from bit: Int) -> Bool {
        (bit..<bytes.count * 8).allSatisfy { bytes[$0 / 8] & (0x80 >> UInt8($0 % 8)) == 0 }
    }
}

extension TextRule {
    /// A network in CIDR notation.
    static let addressBlock = TextRule(
        "a network such as 10.0.0.0/8 or 2001:db8::/32, without a bit set behind its prefix", length: 3...49,
        remedy: "Write the network's first address and the length of its prefix; one address is 10.1.2.3/32."
    ) { AddressBlock($0) != nil && $0 != "255.255.255.255/32" }

    /// A pattern for the name that TLS asks for.
    static let serverNamePattern = TextRule(
        "a name of 1 to 128 letters, digits, hyphens, underscores and dots, in which * and ? may stand",
        length: 1...128, remedy: "Write a name such as db.example.com or *.example.com."
    ) { $0.utf8.allSatisfy { isAlphanumeric($0) || "-_.*?".utf8.contains($0) } }
}
