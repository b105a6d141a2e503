import Core

/// What stands at the start of the octets given to `BodyDecoder.next`.
public enum BodyStep: Equatable, Sendable {
    /// After `skip` octets of framing, at least one octet of the body, `count` in all. Drop the `skip` octets; pass on
    /// as many of the `count` as there is room for, drop those too, and tell `BodyDecoder.consume` how many they were.
    case data(skip: Int, count: Int)
    /// Drop `skip` octets; the next step needs more than what remains.
    case needMore(skip: Int)
    /// The message is complete after `skip` octets, which are to be dropped.
    case end(skip: Int)
    /// Close the connection.
    case refused(Violation)
}

/// What the end of the connection means to a body.
public enum BodyEnd: Equatable, Sendable {
    /// The body is complete.
    case complete
    /// Octets are missing.
    case truncated
}

/// Finds the octets of one body among those of the connection, whatever its framing.
public struct BodyDecoder: Sendable {
    private var remaining: UInt64 = 0

    public init(_ framing: Framing) {}

    /// Says what stands at the start of `input`, which begins where the last step's octets were dropped.
    ///
    /// `trailers` is reset and filled when the answer is `end`; without it trailers are checked and dropped.
    public mutating func next(_ input: Span<UInt8>, trailers: Head?) -> BodyStep { .needMore(skip: 0) }

    /// Tells that `count` octets of the body were taken; at most as many as the last `data` step offered.
    public mutating func consume(_ count: Int) {}

    /// Whether the message has been read to its end.
    public var isComplete: Bool { remaining == 0 }

    /// What it means that the connection ends here, all earlier octets having been consumed.
    public func endOfStream() -> BodyEnd { .truncated }
}
