import Testing

@testable import Model

@Suite struct DocumentPrefixListsTests {
    private static func entries(_ texts: [String]) -> [AddressEntry] { texts.compactMap(AddressEntry.init) }

    private static func list(_ name: String, _ texts: String...) -> PrefixList {
        PrefixList(name: name, entries: entries(texts))
    }

    private static func listener(_ port: Int, allow: [String]? = nil, deny: [String]? = nil) -> Listener {
        var listener = Listener(port: port, defaultActions: [Sample.answer(200)])
        listener.allow = allow.map(entries)
        listener.deny = deny.map(entries)
        return listener
    }

    /// `all` names `office`, and a listener names `all` and `blocked`.
    private static let base = Document(
        prefixLists: [
            list("office", "198.51.100.0/24"), list("all", "office", "2001:db8::/32"), list("blocked"),
        ],
        loadBalancers: [
            LoadBalancer(name: "web", listeners: [listener(80, allow: ["all", "10.0.0.0/8"], deny: ["blocked"])])
        ])

    @Test func namesStandForNetworks() {
        #expect(Self.base.validate().isEmpty)
        let listener = Self.base.loadBalancers[0].listeners[0]
        #expect(
            Self.base.networks(of: listener.allow ?? []).map(\.description)
                == ["10.0.0.0/8", "2001:db8::/32", "198.51.100.0/24"])
        #expect(Self.base.networks(of: listener.deny ?? []).isEmpty)
        #expect(Self.base.prefixLists(namedBy: listener.allow ?? []).map(\.name) == ["office", "all"])
        #expect(Self.base.prefixLists(namedBy: Self.entries(["10.0.0.0/8"])).isEmpty)
    }

    /// What a document may not say, and the message, with the place in the file.
    static let mistakes: [(yaml: String, message: String)] = [
        (
            "prefixLists: [{name: a, entries: []}, {name: a, entries: []}]",
            "f.yaml:1:46: name must be unique, but found a second prefix list a. "
                + "Choose another name, or remove one."
        ),
        (
            "prefixLists: [{name: a, entries: [a]}]",
            "f.yaml:1:35: a prefix list must not name itself, but found a. Remove it."
        ),
        (
            "prefixLists: [{name: a, entries: [b]}, {name: b, entries: [a]}]",
            "f.yaml:1:35: a prefix list that another one names must name none itself, so "
                + "that none names itself through others, but found b, which names others. Name those lists here "
                + "instead of b, or write its networks."
        ),
        (
            "prefixLists: [{name: office, entries: []}, {name: b, entries: [offcie]}]",
            "f.yaml:1:64: entries[0] must name a prefix list, but found \"offcie\". Did you "
                + "mean office?"
        ),
    ]

    @Test(arguments: mistakes) func aMistakeHasItsPlace(_ yaml: String, _ message: String) {
        let error = #expect(throws: ConfigErrors.self) {
            try Document(Value.parse(yaml: yaml, file: "f.yaml"), file: "f.yaml")
        }
        #expect(error?.first.description == message)
    }

    @Test func aListenerNamesListsThatAreThere() {
        let yaml = """
            prefixLists: [{name: office, entries: []}]
            loadBalancers:
              - name: web
                listeners:
                  - protocol: HTTP
                    port: 80
                    apus.deny: [10.0.0.0/8, ofice]
                    defaultActions: [{type: fixed-response, fixedResponseConfig: {statusCode: 200}}]
            """
        let error = #expect(throws: ConfigErrors.self) {
            try Document(Value.parse(yaml: yaml, file: "f.yaml"), file: "f.yaml")
        }
        #expect(
            error?.first.description
                == "f.yaml:7:33: apus.deny[1] must name a prefix list, but found "
                + "\"ofice\". Did you mean office?")
        #expect(error?.first.code == .resourceNotFound)
    }

    @Test func entriesAreCountedOverAllLists() {
        var document = Document()
        let full = (0..<Limits.prefixListEntriesMax).compactMap {
            AddressEntry("10.\($0 / 65_536).\($0 / 256 % 256).\($0 % 256)/32")
        }
        let lists = Limits.prefixListEntriesOfAllMax / Limits.prefixListEntriesMax
        document.prefixLists = (0..<lists).map { PrefixList(name: "l\($0)", entries: full) }
        #expect(document.validate().isEmpty)
        document.prefixLists.append(Self.list("more", "::/0"))
        #expect(
            document.validate().first?.description
                == "prefixLists: prefix lists must have at most 50000 entries in all, but found 50001. "
                + "Write larger networks in place of many small ones.")
        document.prefixLists.removeLast()
        #expect(throws: ConfigErrors.self) { try document.applying(.putPrefixList(Self.list("more", "::/0"))) }
        #expect(throws: Never.self) { try document.applying(.putPrefixList(Self.list("l0", "::/0"))) }
    }

    // MARK: Changes

    static let refusals: [(change: Change, code: ConfigError.Code, message: String)] = [
        (
            .deletePrefixList(name: "office"), .resourceInUse,
            "prefix list office is in use by prefix list all. Take it out there first; a list may also be put without "
                + "entries."
        ),
        (
            .deletePrefixList(name: "blocked"), .resourceInUse,
            "prefix list blocked is in use by apus.deny of web:80. Take it out there first; a list may also be put "
                + "without entries."
        ),
        (
            .deletePrefixList(name: "ofice"), .resourceNotFound,
            "expected a prefix list, but found \"ofice\". Did you mean office?"
        ),
        (
            .putPrefixList(list("office", "blocked")), .invalidConfigurationRequest,
            "entries: a prefix list that another one names must name none itself, but found blocked, though all names "
                + "office. Write the networks of blocked in its place."
        ),
        (
            .putPrefixList(list("more", "all")), .invalidConfigurationRequest,
            "entries[0]: a prefix list that another one names must name none itself, so that none names itself "
                + "through others, but found all, which names others. Name those lists here instead of all, or write "
                + "its networks."
        ),
        (
            .putPrefixList(list("more", "nobody")), .resourceNotFound,
            "entries[0] must name a prefix list, but found \"nobody\". Known: office, all, blocked, more."
        ),
        (
            .putListener(loadBalancer: "web", listener(81, allow: ["blockd"])), .resourceNotFound,
            "apus.allow[0] must name a prefix list, but found \"blockd\". Did you mean blocked?"
        ),
        (
            .putLoadBalancer(LoadBalancer(name: "b", listeners: [listener(81, deny: ["blockd"])])), .resourceNotFound,
            "listeners[0].apus.deny[0] must name a prefix list, but found \"blockd\". Did you mean blocked?"
        ),
    ]

    @Test(arguments: refusals) func aChangeIsRefused(_ change: Change, _ code: ConfigError.Code, _ message: String) {
        let error = #expect(throws: ConfigErrors.self) { try Self.base.applying(change) }
        #expect(error?.first.code == code)
        #expect(error?.description == message)
    }

    @Test func listsArePutAndDeleted() throws {
        var document = try Self.base.applying(.putPrefixList(Self.list("office", "203.0.113.0/24")))
        #expect(document.prefixLists.map(\.name) == ["office", "all", "blocked"], "it stays where it was")
        document = try document.applying(.putListener(loadBalancer: "web", Self.listener(80)))
        document = try document.applying(.deletePrefixList(name: "all"))
        document = try document.applying(.deletePrefixList(name: "office"))
        #expect(document.prefixLists.map(\.name) == ["blocked"] && document.validate().isEmpty)
    }

    /// A list that the file has and a change has replaced is told as hidden, and survives the disk.
    @Test func changesAreKeptOnTopOfTheFile() throws {
        let changes: [Change] = [
            .putPrefixList(Self.list("office", "203.0.113.0/24")), .putPrefixList(Self.list("new", "10.0.0.0/8")),
            .putListener(loadBalancer: "web", Self.listener(80, allow: ["new"])), .deletePrefixList(name: "all"),
        ]
        let (document, recorded) = try ChangesTests.play(changes, over: Self.base)
        #expect(recorded.apply(to: Self.base).0 == document)
        #expect(try Changes(Value.parse(json: recorded.encoded().json())) == recorded)
        #expect(
            recorded.overrides(of: Self.base, by: document).map(\.object)
                == ["listener web:80", "prefix list all", "prefix list office"])
        // The file has a new listener that names the list which was deleted, and that wins.
        var edited = Self.base
        edited.loadBalancers[0].listeners.append(Self.listener(81, deny: ["all"]))
        let (again, notApplicable) = recorded.apply(to: edited)
        #expect(again.validate().isEmpty && again.prefixLists.contains { $0.name == "all" })
        #expect(
            notApplicable == [
                "The change \"delete prefix list all\" no longer applies: prefix list all is in use by apus.deny of "
                    + "web:81. Take it out there first; a list may also be put without entries."
            ])
    }

    @Test func withoutListsTheStateIsAsBefore() { #expect(Changes().encoded()["prefixLists"] == nil) }
}
