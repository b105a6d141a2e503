import Core
import Routing

/// Checks that the compiled rule table finds the same rule as a search that tries every value of every rule, for every
/// reading of a path.
enum Rules {
    /// The input has one rule on each line, as its host values, a space and its path values, each list with commas;
    /// after an empty line it has one request on each, as a host, a space and a path.
    static func check(_ input: Span<UInt8>) {
        let lines = copyBytes(input).split(separator: .lineFeed, omittingEmptySubsequences: false)
        let patterns = lines.prefix { !$0.isEmpty }.map { line in
            let (hosts, paths) = halves(line)
            return RulePattern(hosts: values(hosts), paths: values(paths))
        }
        let table = RuleTable(patterns.map(\.conditions))
        for line in lines.dropFirst(patterns.count + 1) {
            let (mixedHost, path) = halves(line)
            let host = mixedHost.map(\.lowercased)
            let found = table.firstMatch(host: host.span, path: path.span)
            let expected = patterns.firstIndex { pattern in
                matches(any: pattern.hosts.map { $0.utf8.map(\.lowercased) }, host)
                    && matches(any: pattern.paths.map { Array($0.utf8) }, path)
            }
            demand(
                found == expected,
                "rule \(String(describing: found)), not \(String(describing: expected)), for "
                    + "\(shown(host.span)) \(shown(path.span))")
            Readings.check(path, host: host, table, patterns)
        }
    }

    /// The bytes before and after the first space.
    private static func halves(_ line: ArraySlice<UInt8>) -> ([UInt8], [UInt8]) {
        let space = line.firstIndex(of: .space) ?? line.endIndex
        return (Array(line[..<space]), Array(line[space...].dropFirst()))
    }

    private static func values(_ list: [UInt8]) -> [String] {
        list.split(separator: .comma).map { Array($0).span.text }
    }

    private static func matches(any patterns: [[UInt8]], _ text: [UInt8]) -> Bool {
        patterns.isEmpty || patterns.contains { matches($0, text) }
    }

    /// Whether `pattern` matches `text`. For each byte of the pattern it keeps which prefixes of the text may have been
    /// matched.
    private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var reached = [true] + Array(repeating: false, count: text.count)
        for byte in pattern {
            if byte == .asterisk {
                for index in text.indices where reached[index] { reached[index + 1] = true }
            } else {
                for index in text.indices.reversed() {
                    reached[index + 1] = reached[index] && (byte == .questionMark || byte == text[index])
                }
                reached[0] = false
            }
        }
        return reached[text.count]
    }
}

/// The values of a rule's host-header and path-pattern conditions.
struct RulePattern {
    var hosts: [String]
    var paths: [String]

    /// The conditions; a condition without values is left out.
    var conditions: [CompiledCondition] {
        (hosts.isEmpty ? [] : [.hostHeader(HostHeaderCondition(hosts))])
            + (paths.isEmpty ? [] : [.pathPattern(PathPatternCondition(paths))])
    }
}

extension RuleTable {
    /// `firstMatch` of a request for this host and path.
    func firstMatch(host: Span<UInt8>, path: Span<UInt8>) -> Int? {
        firstMatch(RuleFacts(host: host, path: path, client: .someClient))
    }
}

extension SocketAddress {
    /// A client address; no rule tests it here.
    static var someClient: SocketAddress {
        guard let address = SocketAddress(literal: "192.0.2.1", port: 4000) else { fatalError("no literal") }
        return address
    }
}
