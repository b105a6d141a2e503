import Core

/// The condition `query-string`: the parameters of a query. It holds when any of its pairs matches any parameter.
///
/// A parameter is what stands between two `&`; its key ends at the first `=`, behind which its value begins. Keys and
/// values are compared as they are written and as they are read: with their escapes decoded, and `+` taken for a space,
/// as most servers do, or for itself, as others do. Some servers end parameters at `;` as well, so these are looked at
/// too. So no way to write a parameter leads past a rule.
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
        let query = facts.bytes.extracting(facts.query)
        if matches(QueryParameters(query)) { return true }
        return query.hasSemicolon && matches(QueryParameters(query, endAtSemicolons: true))
    }

    private func matches(_ all: consuming QueryParameters) -> Bool {
        var parameters = all
        while parameters.advance() {
            let pairs = pairs.span
            for index in pairs.indices where pairs[index].matches(key: parameters.key, value: parameters.value) {
                return true
            }
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

extension Span where Element == UInt8 {
    /// Whether some servers find other parameters in this query than those between `&`.
    var hasSemicolon: Bool {
        for index in 0..<count where self[index] == .semicolon { return true }
        return false
    }
}

/// The parameters of a query, one after the other. Empty ones, between two `&`, are passed over.
struct QueryParameters: ~Escapable {
    private let query: Span<UInt8>
    /// Whether a semicolon ends a parameter as `&` does. Source: HTML 4.01, B.2.2.
    private let endsAtSemicolons: Bool
    /// Where the next one begins.
    private var next = 0
    /// The key of this one, as it is written.
    private(set) var key: Span<UInt8>
    /// The value of this one, as it is written; empty without `=`.
    private(set) var value: Span<UInt8>

    /// Before the first parameter of `query`, which begins with its question mark.
    @_lifetime(copy query)
    init(_ query: Span<UInt8>, endAtSemicolons: Bool = false) {
        self.query = query
        endsAtSemicolons = endAtSemicolons
        next = query.isEmpty ? 0 : 1
        key = query.extracting(first: 0)
        value = query.extracting(first: 0)
    }

    /// Goes to the next parameter; false if there is none.
    mutating func advance() -> Bool {
        while next < query.count {
            let start = next
            var equals = -1
            while next < query.count, query[next] != .ampersand, !endsAtSemicolons || query[next] != .semicolon {
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
