import Testing

@testable import Core

@Suite struct NetlinkTests {
    @Test func findsAttributes() {
        var bytes: [UInt8] = [9, 9, 9, 9]
        bytes.append(attribute: 7, [1, 2, 3])
        bytes.append(attribute: 8, [])
        bytes.append(attribute: 9, [4, 0, 0, 0])
        #expect(bytes.count == 4 + 8 + 4 + 8, "each is padded to a whole word")
        #expect(bytes.attribute(7, from: 4) == [1, 2, 3])
        #expect(bytes.attribute(8, from: 4) == [])
        #expect(bytes.attribute(9, from: 4)?.number(at: 0) == 4 as UInt32)
        #expect(bytes.attribute(1, from: 4) == nil)
    }

    @Test(arguments: [[], [4], [3, 0, 1, 0], [0, 0, 1, 0], [9, 0, 1, 0, 1], [255, 255, 1, 0]] as [[UInt8]])
    func truncatedAttributeIsNone(bytes: [UInt8]) {
        #expect(bytes.attribute(1, from: 0) == nil)
        #expect(bytes.number(at: 4) == 0 as UInt64)
    }

    @Test func numbersAreInTheProcessorsOrder() {
        var bytes: [UInt8] = []
        bytes.append(number: 0x0102_0304 as UInt32)
        bytes.append(number: 0xFFFE as UInt16)
        #expect(bytes == [4, 3, 2, 1, 0xFE, 0xFF])
        #expect(bytes.number(at: 0) == 0x0102_0304 as UInt32)
        #expect(bytes.number(at: 4) == 0xFFFE as UInt16)
    }
}
