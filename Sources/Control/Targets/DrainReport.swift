import Model

/// The result of a deregistration.
struct DeregistrationReport: Equatable, Sendable {
    /// The targets, in the order in which they were asked for.
    var targets: [Deregistration]
    /// What the group lacks since; nil if it lacks nothing.
    var warning: Warning?
}

/// What became of one target that was to be deregistered.
struct Deregistration: Equatable, Sendable {
    /// As it was asked for.
    let id: String
    /// Its effective port.
    let port: Int
    /// Whether it was in the group, or still on its way out of it.
    let wasRegistered: Bool
    /// How its draining ended; nil when that was not waited for.
    var drain: DrainReport?
}

/// How the draining of one deregistered target ended: it is safe to kill now.
struct DrainReport: Equatable, Sendable {
    /// As it was registered.
    let id: String
    /// Its effective port.
    let port: Int
    /// Exchanges in flight when it was deregistered that came to their own end.
    let finished: Int
    /// Exchanges that the end of the deregistration delay cut.
    let cut: Int
    /// Connections that were passed on and still are: their group does not have them terminated.
    var left = 0
    /// From the deregistration to the end of the last exchange.
    let seconds: Double
}
