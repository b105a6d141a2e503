// Prefix lists, and what names them: listeners, and other lists.

extension Document {
    /// Reports names that stand twice or that no list has, lists that name each other, and more entries than there may
    /// be.
    func validatePrefixLists(_ findings: inout Findings) {
        let names = PrefixListNames(self)
        findings.within(.key("prefixLists")) { findings in
            var seen: Set<String> = []
            for (index, list) in prefixLists.enumerated() {
                if !seen.insert(list.name).inserted {
                    findings.repeated("name", list.name, at: index, "prefix list", .validationError)
                }
                findings.within(.index(index)) { findings in list.validate(names, &findings) }
            }
            let count = prefixListEntryCount
            if count > Limits.prefixListEntriesOfAllMax { findings.tooManyPrefixListEntries(count) }
        }
        findings.within(.key("loadBalancers")) { findings in
            for (index, loadBalancer) in loadBalancers.enumerated() {
                findings.within(.index(index)) { findings in loadBalancer.validateAccess(names, &findings) }
            }
        }
    }

    /// Reports what is wrong with a list that is to be put here.
    func checkPrefixList(_ list: PrefixList, _ findings: inout Findings) {
        var changed = self
        changed.prefixLists.put(list)
        if changed.prefixLists.count > Limits.prefixListsMax {
            findings.full("prefix lists", Limits.prefixListsMax, .validationError)
        }
        list.validate(PrefixListNames(changed), &findings)
        let count = changed.prefixListEntryCount
        if count > Limits.prefixListEntriesOfAllMax { findings.tooManyPrefixListEntries(count) }
        // The lists that name this one have one level already.
        guard let inner = list.entries.compactMap(\.listName).first,
            let outer = prefixLists.first(where: { $0.name != list.name && $0.names(list.name) })
        else { return }
        findings.within(.key("entries")) { findings in
            findings.report(
                "a prefix list that another one names must name none itself",
                found: "\(inner), though \(outer.name) names \(list.name)",
                remedy: "Write the networks of \(inner) in its place.", code: .invalidConfigurationRequest)
        }
    }

    /// Errors: there is no list of this name, or something names it.
    func checkDeletion(ofPrefixList name: String) throws(ConfigErrors) {
        guard prefixLists.index(of: name) != nil else {
            throw .notFound("a prefix list", name, prefixLists.map(\.name), .resourceNotFound)
        }
        guard let user = userOfPrefixList(name) else { return }
        throw ConfigErrors(
            ConfigError(
                expected: "prefix list \(name) is in use by \(user)",
                remedy: "Take it out there first; a list may also be put without entries.", code: .resourceInUse))
    }

    private func userOfPrefixList(_ name: String) -> String? {
        if let list = prefixLists.first(where: { $0.names(name) }) { return "prefix list \(list.name)" }
        for loadBalancer in loadBalancers {
            for listener in loadBalancer.listeners {
                for (key, entries) in listener.accessEntries where entries.contains(.list(name)) {
                    return "\(key) of \(loadBalancer.name):\(listener.port)"
                }
            }
        }
        return nil
    }

    private var prefixListEntryCount: Int { prefixLists.reduce(0) { $0 + $1.entries.count } }
}

/// The names of the prefix lists of a document.
struct PrefixListNames {
    /// In the document's order, to suggest one.
    let list: [String]
    /// Whether each names others itself.
    fileprivate let namesOthers: [String: Bool]

    /// The names in `document`.
    init(_ document: Document) {
        list = document.prefixLists.map(\.name)
        namesOthers = Dictionary(
            document.prefixLists.map { list in (list.name, list.entries.contains { $0.listName != nil }) },
            uniquingKeysWith: { $0 || $1 })
    }
}

extension PrefixList {
    /// Whether it has the networks of the list `name`.
    fileprivate func names(_ name: String) -> Bool { entries.contains(.list(name)) }

    /// Reports entries that name no list, this one, or one that names others itself.
    fileprivate func validate(_ names: PrefixListNames, _ findings: inout Findings) {
        findings.within(.key("entries")) { findings in
            for (index, entry) in entries.enumerated() {
                guard case .list(let inner) = entry else { continue }
                findings.within(.index(index)) { findings in
                    if inner == name {
                        findings.report(
                            "a prefix list must not name itself", found: inner, remedy: "Remove it.",
                            code: .invalidConfigurationRequest)
                    } else if names.namesOthers[inner] ?? false {
                        findings.report(
                            "a prefix list that another one names must name none itself, so that none names itself "
                                + "through others", found: "\(inner), which names others",
                            remedy: "Name those lists here instead of \(inner), or write its networks.",
                            code: .invalidConfigurationRequest)
                    } else {
                        findings.checkPrefixListName(inner, names)
                    }
                }
            }
        }
    }
}

extension LoadBalancer {
    /// Reports prefix lists that its listeners name and that do not exist.
    func validateAccess(_ names: PrefixListNames, _ findings: inout Findings) {
        findings.within(.key("listeners")) { findings in
            for (index, listener) in listeners.enumerated() {
                findings.within(.index(index)) { findings in listener.validateAccess(names, &findings) }
            }
        }
    }
}

extension Listener {
    /// The entries of both lists of addresses, with their keys.
    fileprivate var accessEntries: [(key: String, entries: [AddressEntry])] {
        [("apus.allow", allow ?? []), ("apus.deny", deny ?? [])]
    }

    /// Reports prefix lists that it names and that do not exist.
    func validateAccess(_ names: PrefixListNames, _ findings: inout Findings) {
        for (key, entries) in accessEntries {
            findings.within(.key(key)) { findings in
                for (index, entry) in entries.enumerated() {
                    guard case .list(let name) = entry else { continue }
                    findings.within(.index(index)) { findings in findings.checkPrefixListName(name, names) }
                }
            }
        }
    }
}

extension Findings {
    fileprivate mutating func checkPrefixListName(_ name: String, _ names: PrefixListNames) {
        guard names.namesOthers[name] == nil else { return }
        let remedy = remedy(
            for: name, among: names.list, otherwise: "Add a list of this name to prefixLists, or write a network.")
        report(
            "\(subject) must name a prefix list", found: Value.quoted(name), remedy: remedy, code: .resourceNotFound)
    }

    fileprivate mutating func tooManyPrefixListEntries(_ count: Int) {
        report(
            "prefix lists must have at most \(Limits.prefixListEntriesOfAllMax) entries in all", found: "\(count)",
            remedy: "Write larger networks in place of many small ones.")
    }
}
