/// What stands at the start of the octets given to `BodyDecoder.next`.
public enum BodyStep: Equatable, Sendable {
    /// After `skip` octets of framing come `count` octets of the body, at least one. Drop the `skip` octets; pass on
    /// as many of the others as there is room for, drop those too, and tell `BodyDecoder.consume` how many they were.
    case data(skip: Int, count: Int)
    /// Drop `skip` octets. The next step needs more than what remains.
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
