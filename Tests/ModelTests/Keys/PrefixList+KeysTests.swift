import Testing

@testable import Model

@Suite struct PrefixListKeysTests {
    private static let expected =
        "a network such as 10.0.0.0/8 or 2001:db8::/32, without a bit set behind its prefix, or the name of a prefix "
        + "list"

    /// Texts that are no entries, and what to do about each.
    static let wrong: [(text: String, remedy: String)] = [
        ("10.1.2.3", "Write 10.1.2.3/32 for this address alone."),
        ("2001:DB8::1", "Write 2001:db8::1/128 for this address alone."),
        ("10.1.2.3/8", "Did you mean 10.0.0.0/8, or 10.1.2.3/32 for this address alone?"),
        ("2001:db8::1/33", "Did you mean 2001:db8::/33, or 2001:db8::1/128 for this address alone?"),
        ("10.0.0.0/33", "Write the length of the prefix as a number from 0 to 32, as in 10.0.0.0/32."),
        ("10.0.0.0/08", "Write the length of the prefix as a number from 0 to 32, as in 10.0.0.0/32."),
        ("10.0.0.0/255.0.0.0", "Write the length of the prefix as a number from 0 to 32, as in 10.0.0.0/32."),
        ("10.0.0/24", "Write a network, or the name of one of prefixLists."),
        ("010.0.0.0/8", "Write a network, or the name of one of prefixLists."),
        ("office network", "Write a network, or the name of one of prefixLists."),
        ("-", "Write a network, or the name of one of prefixLists."),
        ("example.com", "Write a network, or the name of one of prefixLists."),
        ("", "Write a network, or the name of one of prefixLists."),
    ]

    @Test(arguments: wrong) func saysWhatWasMeant(_ text: String, _ remedy: String) throws {
        let error = #expect(throws: ConfigErrors.self) {
            try PrefixList(["name": "office", "entries": ["10.0.0.0/8", .string(text)]])
        }
        #expect(
            error?.description == "entries[1] must be \(Self.expected), but found \(Value.quoted(text)). \(remedy)")
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"), ("10.1.2.3/32", "10.1.2.3/32"),
        ("2001:DB8:0::/48", "2001:db8::/48"), ("office", "office"), ("a-1", "a-1"), ("10", "10"),
        ("::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104"), ("255.255.255.255/32", "255.255.255.255/32"),
    ])
    func isReadAndWritten(_ text: String, _ canonical: String) throws {
        let list = try PrefixList(["name": "office", "entries": [.string(text)]])
        #expect(list.encoded() == ["name": "office", "entries": [.string(canonical)]])
        #expect(try PrefixList(list.encoded()) == list)
        #expect((list.entries[0].listName == nil) == text.contains("/"))
    }

    @Test func aListenerWithAListHasSomethingInIt() throws {
        let listener: Value = [
            "protocol": "HTTP", "port": 80, "apus.allow": [],
            "defaultActions": [["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]]],
        ]
        let error = #expect(throws: ConfigErrors.self) { try Listener(listener) }
        #expect(error?.first.description.contains("apus.allow must be a list of 1 to 1000") ?? false, "\(error!)")
        var right = listener
        right["apus.allow"] = ["office", "10.0.0.0/8"]
        let read = try Listener(right)
        #expect(read.allow == [.list("office"), .network(try #require(AddressBlock("10.0.0.0/8")))])
        #expect(read.deny == nil && read.encoded()["apus.deny"] == nil)
        #expect(try Listener(read.encoded()) == read)
    }

    @Test func tooManyEntriesAreRefused() {
        let entries = Value.array((0...Limits.prefixListEntriesMax).map { .string("10.0.\($0 / 256).\($0 % 256)/32") })
        let error = #expect(throws: ConfigErrors.self) { try PrefixList(["name": "a", "entries": entries]) }
        #expect(error?.description.contains("entries must be a list of at most 10000") ?? false)
    }
}
