/// Networks under a name, by which listeners allow or deny clients.
public struct PrefixList: Hashable, Sendable {
    /// Its name, unique among prefix lists.
    public var name: String
    /// Its networks, and the lists whose networks it has as well: one level, so a list that others name has none.
    public var entries: [AddressEntry]

    /// A list.
    public init(name: String, entries: [AddressEntry] = []) {
        self.name = name
        self.entries = entries
    }
}

/// Some addresses: a network, or all networks of a prefix list.
public enum AddressEntry: Hashable, Sendable, CustomStringConvertible {
    /// A network.
    case network(AddressBlock)
    /// The prefix list of this name.
    case list(String)

    /// Reads a network in CIDR notation or a name; nil for anything else. A name has none of the characters that
    /// addresses have beside digits and letters, so that a mistyped network is never taken for one.
    public init?(_ text: String) {
        if text.utf8.contains(where: { "./:".utf8.contains($0) }) {
            guard let block = AddressBlock(text) else { return nil }
            self = .network(block)
        } else {
            guard TextRule.name.length.contains(text.utf8.count), TextRule.name.accepts(text) else { return nil }
            self = .list(text)
        }
    }

    /// The text from which it can be read.
    public var description: String {
        switch self {
        case .network(let block): block.description
        case .list(let name): name
        }
    }

    /// The name of the list that it stands for, if it does.
    public var listName: String? { if case .list(let name) = self { name } else { nil } }
}

extension Document {
    /// The networks that `entries` stand for, those of named lists among them. Unknown names stand for none.
    public func networks(of entries: [AddressEntry]) -> [AddressBlock] {
        let lists = Dictionary(prefixLists.map { ($0.name, $0.entries) }, uniquingKeysWith: { first, _ in first })
        var networks: [AddressBlock] = []
        var taken: Set<String> = []
        // A list adds those that it names itself; none is looked at twice, so that not even a loop would end it.
        var rest = entries[...]
        while let entry = rest.popFirst() {
            switch entry {
            case .network(let block): networks.append(block)
            case .list(let name):
                guard taken.insert(name).inserted else { continue }
                rest += lists[name] ?? []
            }
        }
        return networks
    }

    /// The prefix lists that `entries` name, and those that these name.
    public func prefixLists(namedBy entries: [AddressEntry]) -> [PrefixList] {
        let named = Set(entries.compactMap(\.listName))
        guard !named.isEmpty else { return [] }
        let within = prefixLists.filter { named.contains($0.name) }.flatMap(\.entries).compactMap(\.listName)
        let all = named.union(within)
        return prefixLists.filter { all.contains($0.name) }
    }
}
