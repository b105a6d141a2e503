/// What a cookie of stickiness says, before it is sealed and once it was opened.
///
/// Names are 64-bit hashes: a cookie has the same length whatever things are called.
/// Limits: times up to the year 2106.
/// Source: docs/stickiness.md.
public struct StickyCookie: Equatable, Sendable {
    /// What it names. A cookie of one kind is never taken for one of another.
    public enum Kind: UInt8, Sendable {
        /// A target, for as long as the group says.
        case target = 1
        /// A target, for as long as the client also sends the cookie of the application.
        case application = 2
        /// A target group of a forward action.
        case group = 3
    }

    /// What it names.
    public let kind: Kind
    /// When it was made: seconds since 1970.
    public let issuedAt: UInt32
    /// Where it counts: a load balancer, and for a target its group.
    public let scope: UInt64
    /// The target or the group.
    public let name: UInt64

    /// A cookie that is made now.
    public init(_ kind: Kind, issuedAt: UInt32, scope: UInt64, name: UInt64) {
        self.kind = kind
        self.issuedAt = issuedAt
        self.scope = scope
        self.name = name
    }

    /// Reads what was opened; nil if it is of a kind that this version does not know.
    public init?(_ bytes: InlineArray<24, UInt8>) {
        guard let kind = Kind(rawValue: bytes[0]), bytes[1] | bytes[2] | bytes[3] == 0 else { return nil }
        self.kind = kind
        issuedAt = UInt32(Self.word(bytes, 4, count: 4))
        scope = Self.word(bytes, 8, count: 8)
        name = Self.word(bytes, 16, count: 8)
    }

    /// What is sealed.
    public var bytes: InlineArray<24, UInt8> {
        var bytes = InlineArray<24, UInt8>(repeating: 0)
        bytes[0] = kind.rawValue
        for index in 0..<4 { bytes[4 + index] = UInt8(truncatingIfNeeded: issuedAt >> (24 - 8 * UInt32(index))) }
        for index in 0..<8 {
            bytes[8 + index] = UInt8(truncatingIfNeeded: scope >> (56 - 8 * UInt64(index)))
            bytes[16 + index] = UInt8(truncatingIfNeeded: name >> (56 - 8 * UInt64(index)))
        }
        return bytes
    }

    /// Whether it is older than so many seconds. One from a time to come was made before the clock was set back: it is
    /// as good as new, unless it lies further ahead than a cookie may be old.
    public func isStale(after seconds: UInt32, now: UInt32) -> Bool {
        now > issuedAt ? now - issuedAt > seconds : issuedAt - now > seconds
    }

    private static func word(_ bytes: InlineArray<24, UInt8>, _ start: Int, count: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in start..<(start + count) { word = word << 8 | UInt64(bytes[index]) }
        return word
    }
}
