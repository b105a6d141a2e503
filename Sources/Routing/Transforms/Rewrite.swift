import Core
import RegularExpressions

/// A regular expression and what its first match is replaced with.
///
/// Shape:  the replacement is cut apart once; applying it copies bytes within the head's arena.
/// Source: Application Load Balancer user guide, "Transforms for listener rules".
public struct Rewrite: Equatable, Sendable {
    /// What became of a text.
    enum Outcome: Equatable {
        /// There is no match: it stays as it is.
        case notFound
        /// The new text lies there in the head's arena.
        case written(ByteRange)
        /// The new text would have been longer than it may be. Nothing was written.
        case tooLong
        /// The search was given up at its limit. Nothing was written.
        case limit
    }

    private enum Part: Equatable, Sendable {
        /// These bytes of `literals`.
        case literal(ByteRange)
        /// What this group of the match has captured; nothing if it took no part.
        case capture(Int)
    }

    private let expression: RegularExpression
    private var parts: [Part] = []
    private var literals: [UInt8] = []

    /// A rewrite by `expression`, a copy that no other worker has. In `replacement`, `$1` to `$9` and `${1}` to `${9}`
    /// stand for what the groups have captured, `$0` for the whole match and `$$` for a dollar sign.
    public init(_ expression: RegularExpression, replacement: String) {
        self.expression = expression
        let bytes = Array(replacement.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == .dollar, let (group, next) = Self.group(of: bytes, behindDollarAt: index) {
                if let group { parts.append(.capture(group)) } else { append(literal: .dollar) }
                index = next
            } else {
                append(literal: bytes[index])
                index += 1
            }
        }
    }

    /// The group that the dollar sign at `index` begins to name, nil for the dollar sign itself, and where what follows
    /// begins; nil if it stands for itself.
    private static func group(of bytes: [UInt8], behindDollarAt index: Int) -> (group: Int?, next: Int)? {
        guard index + 1 < bytes.count else { return nil }
        let byte = bytes[index + 1]
        if byte == .dollar { return (nil, index + 2) }
        if byte.isDigit { return (Int(byte - 0x30), index + 2) }
        guard byte == UInt8(ascii: "{"), index + 3 < bytes.count, bytes[index + 2].isDigit,
            bytes[index + 3] == UInt8(ascii: "}")
        else { return nil }
        return (Int(bytes[index + 2] - 0x30), index + 4)
    }

    private mutating func append(literal byte: UInt8) {
        literals.append(byte)
        if case .literal(let range)? = parts.last {
            parts[parts.count - 1] = .literal(ByteRange(start: range.start, count: range.count + 1))
        } else {
            parts.append(.literal(ByteRange(start: literals.count - 1, count: 1)))
        }
    }

    /// Appends what becomes of the bytes of `text`, which lies in the arena of `head`, to that arena.
    func apply(to text: ByteRange, of head: Head, countMax: Int, in space: MatchSpace) -> Outcome {
        switch expression.search(head.bytes(text), in: space) {
        case .notFound: return .notFound
        case .limit: return .limit
        case .found: break
        }
        guard let match = space.capture(0) else { return .notFound }
        var count = text.count - match.count
        for index in parts.indices { count += length(of: parts[index], in: space) }
        guard count <= countMax else { return .tooLong }
        let start = head.byteCount
        head.appendCopy(of: ByteRange(start: text.start, count: match.lowerBound))
        for index in parts.indices {
            switch parts[index] {
            case .literal(let range): head.append(literals.span.extracting(range))
            case .capture(let group):
                guard let range = space.capture(group) else { continue }
                head.appendCopy(of: ByteRange(start: text.start + range.lowerBound, count: range.count))
            }
        }
        head.appendCopy(of: ByteRange(start: text.start + match.upperBound, count: text.count - match.upperBound))
        return .written(head.range(from: start))
    }

    private func length(of part: Part, in space: MatchSpace) -> Int {
        switch part {
        case .literal(let range): range.count
        case .capture(let group): space.capture(group)?.count ?? 0
        }
    }
}
