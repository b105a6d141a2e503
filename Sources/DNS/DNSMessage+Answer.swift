import Core

/// What a message says of a name.
public enum DNSAnswer: Equatable, Sendable {
    /// It has these, at least one, for so many seconds.
    case found([DNSRecord.Content], secondsToLive: UInt32)
    /// It is there and has none of the type. Source: RFC 2308 §2.2.
    case empty
    /// It is not there.
    case noSuchName
    /// Nothing that can be used: why, in words that follow the server's name. Another server may know better if the
    /// fault is the server's.
    case unusable(String, isServersFault: Bool)
}

extension DNSMessage {
    /// What the message says of `name`, which was asked for records of `type`. Aliases are followed within it.
    ///
    /// An answer without records counts as empty only with the record of who is responsible for the zone: without it,
    /// it may as well come from a server that does not know the name.
    public func answer(to name: String, _ type: DNSRecordType) -> DNSAnswer {
        if case .failed(let word) = code { return .unusable("answers \(word)", isServersFault: true) }
        if isTruncated { return .unusable("sends an answer that is cut, over TCP as well", isServersFault: true) }
        let byName = Dictionary(grouping: records, by: \.name)
        var path = [Self.key(of: name)]
        var seconds = UInt32.max
        while let here = byName[path[path.count - 1]] {
            let wanted = here.filter { $0.content.is(type) }
            if !wanted.isEmpty {
                return .found(
                    wanted.map(\.content), secondsToLive: wanted.reduce(seconds) { min($0, $1.secondsToLive) })
            }
            guard let alias = here.first(where: \.isAlias), case .alias(let next) = alias.content else { break }
            seconds = min(seconds, alias.secondsToLive)
            let isCircle = path.contains(next)
            path.append(next)
            if isCircle {
                return .unusable(
                    "answers with aliases that lead in a circle (\(Self.text(path)))", isServersFault: false)
            }
            guard path.count <= Limits.aliasesMax + 1 else {
                return .unusable("answers with more than \(Limits.aliasesMax) aliases", isServersFault: false)
            }
        }
        if code == .noSuchName { return .noSuchName }
        if hasStartOfAuthority { return .empty }
        if path.count > 1 {
            return .unusable("tells an alias and nothing of where it leads (\(Self.text(path)))", isServersFault: true)
        }
        return .unusable(
            "answers with no \(type.label) record, and without the SOA record that would say so for the zone",
            isServersFault: true)
    }

    /// A name as records have it.
    private static func key(of name: String) -> String {
        let name = name.lowercased()
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    /// The way from one name to another, shortened for people.
    private static func text(_ path: [String]) -> String {
        path.prefix(4).map { String($0.prefix(64)) }.joined(separator: ", ") + (path.count > 4 ? ", …" : "")
    }
}

extension DNSRecord.Content {
    /// Whether it is what a question of this type asks for.
    fileprivate func `is`(_ type: DNSRecordType) -> Bool {
        switch (self, type) {
        case (.address(let address), .a): address.family == .ipv4
        case (.address(let address), .aaaa): address.family == .ipv6
        case (.service, .srv): true
        default: false
        }
    }
}
