/// How far the request of an exchange has come.
///
/// Errors: an event that only our own code can cause traps with its name.
enum RequestProgress: Equatable, CaseIterable {
    /// Its head was read.
    case received
    /// Field rules were applied to its head: a retry sends the same one.
    case prepared
    /// It was read to its end and handed to the target's connection.
    case passedOn
    /// Its head could not be read: the exchange has the request line at most.
    case unreadable

    /// What happened to the request.
    enum Event: Equatable, CaseIterable {
        /// Field rules were applied to its head.
        case prepared
        /// The end of the request was handed to the target's connection.
        case passedOn
        /// It goes out again.
        case sentAgain
        /// The target has agreed to a WebSocket, whose bytes follow.
        case tunnelOpened
        /// Its head could not be read.
        case refused
    }

    /// Moves on.
    mutating func receive(_ event: Event) {
        switch (self, event) {
        case (.received, .prepared), (.prepared, .sentAgain), (.passedOn, .sentAgain), (.prepared, .tunnelOpened),
            (.passedOn, .tunnelOpened):
            self = .prepared
        case (.prepared, .passedOn): self = .passedOn
        case (.received, .refused): self = .unreadable
        case (.prepared, .prepared), (.passedOn, .prepared),  // rules are applied once
            (.received, .passedOn), (.passedOn, .passedOn),
            (.received, .sentAgain), (.received, .tunnelOpened),  // no target has seen it
            (.prepared, .refused), (.passedOn, .refused), (.unreadable, _):
            preconditionFailure("request: \(event) when \(self)")
        }
    }
}

/// How far the response of an exchange has come.
///
/// Errors: an event that only our own code can cause traps with its name.
enum ResponseProgress: Equatable, CaseIterable {
    /// No byte of one has come.
    case awaited
    /// Bytes have come.
    case begun
    /// It was read to its end, or made here, and handed to the client's connection.
    case passedOn

    /// What happened to the response.
    enum Event: Equatable, CaseIterable {
        /// A byte has come.
        case bytes
        /// Its end was handed to the client's connection.
        case passedOn
        /// The request goes out again.
        case sentAgain
    }

    /// Moves on.
    mutating func receive(_ event: Event) {
        switch (self, event) {
        case (.awaited, .bytes), (.begun, .bytes): self = .begun
        case (.awaited, .passedOn), (.begun, .passedOn): self = .passedOn
        case (.awaited, .sentAgain), (.begun, .sentAgain): self = .awaited
        case (.passedOn, _): preconditionFailure("response: \(event) when \(self)")
        }
    }
}

/// Whether a connection serves another exchange after this one. Source: RFC 9112 §9.3.
///
/// Errors: deciding twice traps.
enum Persistence: Equatable, CaseIterable {
    case undecided
    /// It does.
    case persistent
    /// It is closed.
    case closing

    /// Decides, once.
    mutating func decide(_ isPersistent: Bool) {
        precondition(self == .undecided, "persistence: decided twice")
        self = isPersistent ? .persistent : .closing
    }

    /// Decides that it is closed, whatever was decided before: it has broken.
    mutating func revoke() { self = .closing }
}

/// An exchange's part in its client connection's share of connections to targets.
///
/// Errors: an event that only our own code can cause traps with its name.
enum ShareState: Equatable, CaseIterable {
    /// It has none, and does not wait for one.
    case none
    /// It waits until the client connection may have another connection to a target.
    case waiting
    /// It counts in its client connection's `targetCount`.
    case held

    /// What happened.
    enum Event: Equatable, CaseIterable {
        /// The share is used up.
        case refused
        /// The share has room again: it is asked once more.
        case invited
        /// It was counted.
        case granted
        /// The exchange is over.
        case released
    }

    /// Moves on.
    mutating func receive(_ event: Event) {
        switch (self, event) {
        case (.none, .refused): self = .waiting
        case (.waiting, .invited): self = .none
        case (.none, .granted): self = .held
        case (_, .released): self = .none
        case (.waiting, .refused), (.held, .refused), (.none, .invited), (.held, .invited), (.waiting, .granted),
            (.held, .granted):
            preconditionFailure("share: \(event) when \(self)")
        }
    }
}
