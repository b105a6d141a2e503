/// Many CIDR blocks, of which one that has an address is found fast.
///
/// Shape:  two sorted arrays, one for each family, without blocks that lie in others. CIDR blocks lie in each other or
///         apart, so the last one that begins at or before an address is the only one that can have it.
/// Limits: a look-up costs the logarithm of the number of blocks, and allocates nothing.
public struct AddressSet: Equatable, Sendable {
    private let ofIPv4: [AddressRange]
    private let ofIPv6: [AddressRange]

    /// The addresses of `ranges`, which may overlap and be in any order.
    public init(_ ranges: [AddressRange]) {
        ofIPv4 = Self.apart(ranges.filter { $0.family == .ipv4 })
        ofIPv6 = Self.apart(ranges.filter { $0.family == .ipv6 })
    }

    /// How many blocks there are that lie apart.
    public var count: Int { ofIPv4.count + ofIPv6.count }

    /// Whether one of the blocks has `address`.
    public func contains(_ address: SocketAddress) -> Bool {
        switch address.family {
        case .ipv4: Self.contains(address, in: ofIPv4)
        case .ipv6: Self.contains(address, in: ofIPv6)
        }
    }

    private static func contains(_ address: SocketAddress, in ranges: [AddressRange]) -> Bool {
        let words = address.words
        // All before `low` begin at or before the address, and all from `high` on behind it.
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = low + (high - low) / 2
            if ranges[middle].words <= words { low = middle + 1 } else { high = middle }
        }
        return low > 0 && ranges[low - 1].contains(address)
    }

    private static func apart(_ ranges: [AddressRange]) -> [AddressRange] {
        // Of blocks that begin alike the largest comes first, so that all that lie in a block follow it.
        let sorted = ranges.sorted {
            ($0.words.high, $0.words.low, $0.prefixLength) < ($1.words.high, $1.words.low, $1.prefixLength)
        }
        var apart: [AddressRange] = []
        apart.reserveCapacity(sorted.count)
        for range in sorted {
            if let last = apart.last, last.contains(range) { continue }
            apart.append(range)
        }
        return apart
    }
}
