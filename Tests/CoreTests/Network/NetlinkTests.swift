import Testing

@testable import Core

@Suite struct NetlinkTests {
    @Test func attributesAreFoundAgain() {
        var octets: [UInt8] = [9, 9, 9, 9]
        octets.append(attribute: 7, [1, 2, 3])
        octets.append(attribute: 8, [])
        octets.append(attribute: 9, [4, 0, 0, 0])
        #expect(octets.count == 4 + 8 + 4 + 8, "each is padded to a whole word")
        #expect(octets.attribute(7, from: 4) == [1, 2, 3])
        #expect(octets.attribute(8, from: 4) == [])
        #expect(octets.attribute(9, from: 4)?.number(at: 0) == 4 as UInt32)
        #expect(octets.attribute(1, from: 4) == nil)
    }

    @Test(arguments: [[], [4], [3, 0, 1, 0], [0, 0, 1, 0], [9, 0, 1, 0, 1], [255, 255, 1, 0]] as [[UInt8]])
    func whatIsCutOffIsNoAttribute(octets: [UInt8]) {
        #expect(octets.attribute(1, from: 0) == nil)
        #expect(octets.number(at: 4) == 0 as UInt64)
    }

    @Test func numbersAreInTheProcessorsOrder() {
        var octets: [UInt8] = []
        octets.append(number: 0x0102_0304 as UInt32)
        octets.append(number: 0xFFFE as UInt16)
        #expect(octets == [4, 3, 2, 1, 0xFE, 0xFF])
        #expect(octets.number(at: 0) == 0x0102_0304 as UInt32)
        #expect(octets.number(at: 4) == 0xFFFE as UInt16)
    }
}
