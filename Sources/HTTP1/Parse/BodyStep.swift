/// What stands at the start of the bytes given to `BodyDecoder.next`.
public enum BodyStep: Equatable, Sendable {
    /// After `skip` bytes of framing come `count` bytes of the body, at least one. Drop the `skip` bytes; pass on
    /// as many of the others as there is room for, drop those too, and tell `BodyDecoder.consume` how many they were.
    case data(skip: Int, count: Int)
    /// Drop `skip` bytes. The next step needs more than what remains.
    case needMore(skip: Int)
    /// The message is complete after `skip` bytes, which are to be dropped.
    case end(skip: Int)
    /// Close the connection.
    case refused(Violation)
}

/// What the end of the connection means to a body.
public enum BodyEnd: Equatable, Sendable {
    /// The body is complete.
    case complete
    /// Bytes are missing.
    case truncated
}
