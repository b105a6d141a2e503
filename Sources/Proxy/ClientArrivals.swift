import Core

/// Client connections in the order in which they were accepted, to find those that never said anything.
///
/// Shape:  a queue of tokens. Who has spoken or left stays in it until it is looked at, or until the owner `keep`s the
///         others: so a connection costs eight bytes and no more work when it speaks or ends.
/// Limits: the owner keeps it below twice the connections that there are.
struct ClientArrivals {
    private var tokens: [Token] = []
    /// The first that was not taken.
    private var head = 0

    /// How many tokens it holds.
    var count: Int { tokens.count - head }

    /// A connection was accepted.
    mutating func append(_ token: Token) { tokens.append(token) }

    /// The oldest, which is taken out; nil if there is none.
    mutating func takeFirst() -> Token? {
        guard head < tokens.count else { return nil }
        head += 1
        return tokens[head - 1]
    }

    /// Forgets all but those that `isKept` says.
    mutating func keep(where isKept: (Token) -> Bool) {
        tokens = tokens[head...].filter(isKept)
        head = 0
    }
}
