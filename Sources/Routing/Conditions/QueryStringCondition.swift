import Core

/// The condition `query-string`: the parameters of a query. It holds when any of its pairs matches any parameter.
///
/// A parameter is what stands between two `&`; its key ends at the first `=`, behind which its value begins. Keys and
/// values are compared as they are written and as they are read: with their escapes decoded and `+` taken for a space,
/// as servers do. So an escape that was not needed leads past no rule.
///
/// Shape:  patterns as `EscapedGlob` has them. The case of ASCII letters does not matter.
/// Source: Application Load Balancer user guide, "Query string conditions"; URL standard,
///         "application/x-www-form-urlencoded parsing".
public struct QueryStringCondition: Equatable, Sendable {
    /// A parameter that is looked for.
    struct Pair: Equatable, Sendable {
        /// What its key must match; nil for any key.
        let key: EscapedGlob?
        /// What its value must match.
        let value: EscapedGlob
    }

    /// The parameters, of which any may match.
    let pairs: [Pair]

    /// A condition with these pairs; a pair without a key is for any key.
    public init(_ pairs: [(key: String?, value: String)]) {
        self.pairs = pairs.map { Pair(key: $0.key.map(EscapedGlob.init), value: EscapedGlob($0.value)) }
    }

    /// Whether it holds.
    func matches(_ facts: borrowing RuleFacts) -> Bool {
        var parameters = QueryParameters(facts.bytes.extracting(facts.query))
        while parameters.advance() {
            for pair in pairs where pair.matches(key: parameters.key, value: parameters.value) { return true }
        }
        return false
    }
}

extension QueryStringCondition.Pair {
    fileprivate func matches(key text: Span<UInt8>, value: Span<UInt8>) -> Bool {
        if let key, !key.matchesWrittenOrRead(text) { return false }
        return self.value.matchesWrittenOrRead(value)
    }
}

/// The parameters of a query, one after the other. Empty ones, between two `&`, are passed over.
struct QueryParameters: ~Escapable {
    private let query: Span<UInt8>
    /// Where the next one begins.
    private var next = 0
    /// The key of this one, as it is written.
    private(set) var key: Span<UInt8>
    /// The value of this one, as it is written; empty without `=`.
    private(set) var value: Span<UInt8>

    /// Before the first parameter of `query`, which begins with its question mark.
    @_lifetime(copy query)
    init(_ query: Span<UInt8>) {
        self.query = query
        next = query.isEmpty ? 0 : 1
        key = query.extracting(first: 0)
        value = query.extracting(first: 0)
    }

    /// Goes to the next parameter; false if there is none.
    mutating func advance() -> Bool {
        while next < query.count {
            let start = next
            var equals = -1
            while next < query.count, query[next] != .ampersand {
                if query[next] == .equalsSign, equals < 0 { equals = next }
                next += 1
            }
            let end = next
            next += 1
            if end == start { continue }
            key = query.extracting(start..<(equals < 0 ? end : equals))
            value = query.extracting((equals < 0 ? end : equals + 1)..<end)
            return true
        }
        return false
    }
}
