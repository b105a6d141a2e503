import Core
import HTTP1
import Routing

/// Checks that a path is rejected for ambiguity exactly if another reading of it, made here step by step, matches
/// another rule.
enum Readings {
    /// One way in which a target may read a path, as in `Routing.PathReading`.
    private struct Reader {
        var decodeCount: Int
        var readsBackslashes: Bool
        /// Whether parameters are cut off, before or after decoding; nil if they are not.
        var cutsAt: Int?
        var mergesSlashes: Bool

        static let all = (0...2).flatMap { decodeCount in
            [false, true].flatMap { readsBackslashes in
                [nil, 0, 1].flatMap { cutsAt in
                    [false, true].map { mergesSlashes in
                        Reader(
                            decodeCount: decodeCount, readsBackslashes: readsBackslashes, cutsAt: cutsAt,
                            mergesSlashes: mergesSlashes)
                    }
                }
            }
        }

        /// The paths as which it may read `path`.
        func read(_ path: [UInt8]) -> [[UInt8]] {
            var text = cutsAt == 0 ? cut(path) : path
            for _ in 0..<decodeCount { text = Self.decoded(text) }
            if readsBackslashes { text = text.map { $0 == .backslash ? .slash : $0 } }
            if cutsAt == 1 { text = cut(text) }
            var paths = [resolved(text, mergesSlashes: mergesSlashes)]
            // Two slashes may begin an authority.
            let unmerged = resolved(text, mergesSlashes: false)
            if unmerged.starts(with: [.slash, .slash]) {
                let rest = paths[0].drop { $0 == .slash }.drop { $0 != .slash }
                paths.append(rest.isEmpty ? [.slash] : Array(rest))
            }
            return paths
        }

        private func cut(_ text: [UInt8]) -> [UInt8] {
            var result: [UInt8] = []
            var isCut = false
            for byte in text {
                if byte == .slash || readsBackslashes && byte == .backslash { isCut = false }
                if byte == .semicolon { isCut = true }
                if !isCut { result.append(byte) }
            }
            return result
        }

        private static func decoded(_ text: [UInt8]) -> [UInt8] {
            var result: [UInt8] = []
            var index = 0
            while index < text.count {
                if text[index] == .percent, index + 2 < text.count, let high = text[index + 1].hexadecimalValue,
                    let low = text[index + 2].hexadecimalValue
                {
                    result.append(high << 4 | low)
                    index += 3
                } else {
                    result.append(text[index])
                    index += 1
                }
            }
            return result
        }

        private func resolved(_ text: [UInt8], mergesSlashes: Bool) -> [UInt8] {
            var segments = text.dropFirst().split(separator: .slash, omittingEmptySubsequences: false).map(Array.init)
            let last = segments.count - 1
            if mergesSlashes { segments = segments.enumerated().filter { $0 == last || !$1.isEmpty }.map(\.element) }
            var kept: [[UInt8]] = []
            for (index, segment) in segments.enumerated() {
                let isDots = segment == [.dot] || segment == [.dot, .dot]
                if segment == [.dot, .dot], !kept.isEmpty { kept.removeLast() }
                if !isDots { kept.append(segment) }
                if isDots, index == segments.count - 1 { kept.append([]) }
            }
            return [.slash] + Array(kept.joined(separator: [.slash]))
        }
    }

    /// Checks one path of a request for `host`, if it is a valid path.
    static func check(_ path: [UInt8], host: [UInt8], _ table: RuleTable, _ patterns: [RulePattern]) {
        // Patterns with these bytes are skipped: rules cannot have them, except for repeated slashes, which are handled
        // apart.
        let values = patterns.flatMap(\.paths)
        guard !values.contains(where: { $0.contains(/[%;\\]|\/\//) }), values.contains(where: { !$0.isEmpty }) else {
            return
        }
        let head = Head()
        var scan = HeadScan()
        let text = Array("GET ".utf8) + path + Array(" HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        guard path.first == .slash,
            case .complete = parseRequestHead(text.span, into: head, options: RequestOptions(), scan: &scan)
        else { return }
        let canonical = copyBytes(head.bytes(head.path))
        let matched = table.firstMatch(host: host.span, path: canonical.span)
        let isRefused =
            head.isPathAmbiguous
            && table.isAmbiguous(
                RuleFacts(host: host.span, path: canonical.span, client: .someClient), matched: matched,
                scratch: Head())
        let other = Reader.all.flatMap { $0.read(canonical) }.first { reading in
            table.firstMatch(host: host.span, path: reading.span) != matched
        }
        if let other {
            demand(isRefused, "\(shown(canonical.span)) is served although it may be read as \(shown(other.span))")
        } else {
            demand(
                !isRefused || canonical.count > 3000,
                "\(shown(canonical.span)) is refused although every reading is the same")
        }
    }
}
