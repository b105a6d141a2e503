import Testing

@testable import TLS

@Suite struct TLSWireTests {
    /// A handshake record of `count` bytes in all.
    private func record(_ count: Int, kind: UInt8 = 22) -> [UInt8] {
        [kind, 3, 3, UInt8((count - 5) >> 8), UInt8((count - 5) & 255)] + [UInt8](repeating: 0, count: count - 5)
    }

    private func whole(_ parts: [UInt8]...) -> Int {
        let bytes = parts.flatMap { $0 }
        return wholeRecordsCount(bytes.span)
    }

    @Test func countsCompleteRecords() {
        #expect(whole() == 0)
        #expect(whole(record(5)) == 5)
        #expect(whole(record(300)) == 300)
        #expect(whole(record(300), record(10)) == 310)
        #expect(whole(record(300), record(10).dropLast()) == 300)
        #expect(whole(record(300), [22]) == 300)
        let largest = 5 + 16384 + 2048
        #expect(whole(record(largest)) == largest)
    }

    @Test func noPrefixOfARecordCounts() {
        let record = record(300)
        for count in 0..<record.count { #expect(whole(Array(record[..<count])) == 0) }
    }

    @Test func nonRecordsCountInFull() {
        let request = Array("GET / HTTP/1.1\r\n".utf8)
        #expect(whole(request) == request.count)
        #expect(whole(record(10, kind: 19), [1]) == 11)
        #expect(whole(record(10, kind: 24)) == 10)
        #expect(whole([22, 2, 0, 0, 1]) == 5)
        #expect(whole([22, 3, 3, 255, 255]) == 5)
        #expect(whole(record(20), request) == 20 + request.count)
        // Too short to decide.
        #expect(whole(Array(request.prefix(4))) == 0)
    }
}
