import Testing

@testable import DNS

/// Names in messages.
@Suite struct DNSNameTests {
    private func read(_ bytes: [UInt8], at start: Int = 0) -> (name: String?, end: Int) {
        var offset = start
        let name = DNSName.read(bytes.span, &offset)
        return (name, offset)
    }

    @Test(
        arguments: [
            ([0], "", 1), ([3, 87, 69, 98, 0], "web", 5), ([1, 97, 1, 98, 0, 9], "a.b", 5),
            ([3, 0x2E, 0x5C, 0x20, 0], "\\046\\092\\032", 5), ([2, 0, 255, 0], "\\000\\255", 4),
        ] as [([UInt8], String, Int)])
    func areRead(bytes: [UInt8], name: String, end: Int) {
        let read = read(bytes)
        #expect(read.name == name && read.end == end)
        var offset = 0
        #expect(DNSName.skip(bytes.span, &offset) && offset == end)
    }

    @Test func pointersLeadBack() {
        let bytes: [UInt8] = [1, 97, 0, 1, 98, 0xC0, 0, 0xC0, 3]
        #expect(read(bytes, at: 3) == ("b.a", 7))
        #expect(read(bytes, at: 7) == ("b.a", 9))
        var offset = 3
        #expect(DNSName.skip(bytes.span, &offset) && offset == 7)
    }

    @Test(
        arguments: [
            ([], 0), ([5], 0), ([5, 97], 0), ([1, 97], 0), ([0xC0], 0), ([0xC0, 0], 0), ([0xC0, 2, 0], 0),
            ([1, 97, 0xC0, 0], 0), ([0xC0, 9], 0), ([0x80, 0], 0), ([0x40, 0], 0), ([0], 1),
        ] as [([UInt8], Int)])
    func whatIsNoneIsRefused(bytes: [UInt8], start: Int) {
        #expect(read(bytes, at: start).name == nil)
    }

    @Test func areShort() {
        func label(_ count: Int) -> [UInt8] { [UInt8(count)] + Array(repeating: 97, count: count) }
        let three: [UInt8] = label(63) + label(63) + label(63)
        #expect(read(three + label(61) + [0]).name?.utf8.count == 253)
        #expect(read(three + label(62) + [0]).name == nil)
        // Each pointer leads to the one before it; the first to the root.
        var chain: [UInt8] = [0]
        for index in 0...127 { chain += [0xC0, UInt8(index == 0 ? 0 : index * 2 - 1)] }
        #expect(read(chain, at: chain.count - 4).name == "")
        #expect(read(chain, at: chain.count - 2).name == nil)
    }
}
