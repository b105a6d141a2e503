extension PrefixList {
    /// The keys of a prefix list.
    static let description = Description(
        "PrefixList", "a prefix list", blank: PrefixList(name: ""),
        keys: [
            Key(
                "name", \.name, .text(.name), required: true,
                "Its name, unique among prefix lists, by which listeners and other lists name it."),
            Key(
                "entries", \.entries, .list(AddressEntry.codec, count: 0...Limits.prefixListEntriesMax),
                required: true,
                "Its networks; a name stands for the networks of another list, which must name none itself."),
        ])
}

extension AddressEntry {
    private static let rule = TextRule(
        "a network such as 10.0.0.0/8 or 2001:db8::/32, without a bit set behind its prefix, or the name of a prefix "
            + "list",
        length: 1...49, remedy: "Write a network, or the name of one of prefixLists."
    ) { AddressEntry($0) != nil }

    /// Reads and writes an entry. A network that is almost one is told apart from a name, and what was probably meant
    /// is the remedy.
    static let codec = Codec<AddressEntry>(
        shape: .text(rule),
        decode: { value, findings in
            if let entry = value.string.flatMap(AddressEntry.init) { return entry }
            findings.report(
                "\(findings.subject) must be \(rule.expected)", found: value.brief, at: value.location,
                remedy: value.string.flatMap(remedy) ?? rule.remedy)
            return nil
        },
        encode: { .string($0.description) })

    /// Reads and writes the entries of a listener. None at all would leave open whether that means all clients or none.
    static let listCodec = Codec.list(codec, count: 1...Limits.accessEntriesMax)

    /// What was meant by a text that has an address; nil if it has none.
    private static func remedy(for text: String) -> String? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
        let bits = address.bytes.count * 8
        let alone = "\(address)/\(bits)"
        guard parts.count == 2 else { return "Write \(alone) for this address alone." }
        guard let length = Int(parts[1]), (0...bits).contains(length), "\(length)" == parts[1] else {
            return "Write the length of the prefix as a number from 0 to \(bits), as in \(alone)."
        }
        return "Did you mean \(address.masked(to: length))/\(length), or \(alone) for this address alone?"
    }
}
