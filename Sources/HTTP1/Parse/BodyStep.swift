/// What the bytes given to `BodyDecoder.next` begin with.
public enum BodyStep: Equatable, Sendable {
    /// `skip` bytes of framing, then `count` bytes of the body, at least one. Drop the `skip` bytes, forward as many of
    /// the others as there is room for, drop those too, and call `BodyDecoder.consume` with their number.
    case data(skip: Int, count: Int)
    /// Drop `skip` bytes. The next step needs more bytes than remain.
    case needMore(skip: Int)
    /// The message is complete after `skip` bytes. Drop them.
    case end(skip: Int)
    /// Close the connection.
    case refused(Violation)
}

/// Whether a body is complete when the connection ends.
public enum BodyEnd: Equatable, Sendable {
    /// The body is complete.
    case complete
    /// Bytes are missing.
    case truncated
}
