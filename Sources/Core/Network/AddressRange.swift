/// A CIDR block: all addresses that begin with the same bits. Source: RFC 4632 §3.1, RFC 4291 §2.3.
///
/// Shape: trivial, so that a list of them can be compared with every new connection.
public struct AddressRange: Equatable, Sendable {
    /// IPv4 or IPv6.
    public let family: SocketAddress.Family
    private let high: UInt64
    private let low: UInt64
    private let highMask: UInt64
    private let lowMask: UInt64

    /// The addresses that share the first `prefixLength` bits with `address`, of which IPv4 has 32 and IPv6 128.
    public init(_ address: SocketAddress, prefixLength: Int) {
        family = address.family
        // An IPv4 address is stored in the last 32 of the 128 bits.
        let length = family == .ipv4 ? prefixLength + 96 : prefixLength
        precondition((0...128).contains(length), "address range: a prefix of \(prefixLength) bits")
        highMask = Self.mask(min(length, 64))
        lowMask = Self.mask(max(0, length - 64))
        high = address.words.high & highMask
        low = address.words.low & lowMask
    }

    /// All addresses of a family.
    public init(all family: SocketAddress.Family) {
        self.family = family
        high = 0
        low = 0
        // An IPv4 address is the last 32 bits of zeros.
        highMask = family == .ipv4 ? ~0 : 0
        lowMask = family == .ipv4 ? ~0 << 32 : 0
    }

    /// How many bits its addresses share.
    public var prefixLength: Int {
        highMask.nonzeroBitCount + lowMask.nonzeroBitCount - (family == .ipv4 ? 96 : 0)
    }

    /// Its first address as two words, an IPv4 address in the last 32 bits.
    public var words: (high: UInt64, low: UInt64) { (high, low) }

    /// Whether `address` is in the block.
    public func contains(_ address: SocketAddress) -> Bool {
        let words = address.words
        return family == address.family && words.high & highMask == high && words.low & lowMask == low
    }

    /// Whether all addresses of `other` are in the block.
    public func contains(_ other: AddressRange) -> Bool {
        family == other.family && prefixLength <= other.prefixLength && other.high & highMask == high
            && other.low & lowMask == low
    }

    private static func mask(_ length: Int) -> UInt64 { length == 0 ? 0 : ~0 << UInt64(64 - length) }
}
