import Core
@testable import HTTP1
import Testing

@Suite struct ScanTests {
    /// Each scan stops where a simple loop stops, for each byte at each position of a word, whatever follows.
    @Test(arguments: 0...255 as ClosedRange<UInt8>) func stopsWhereALoopStops(byte: UInt8) {
        for place in 0..<20 {
            for follower: UInt8 in [0x61, 0x00, 0x0A, 0xFF, byte ^ 1] {
                var input = Array(repeating: UInt8(0x61), count: 21)
                input[place] = byte
                input[place + 1] = follower
                check(input)
            }
        }
    }

    private func check(_ input: [UInt8]) {
        func first(_ stops: (UInt8) -> Bool) -> Int { input.firstIndex(where: stops) ?? input.count }
        let span = input.span
        #expect(span.endOfFieldName(from: 0) == first { $0 <= 0x20 || $0 == 0x3A || $0 == 0x7F })
        #expect(span.endOfFieldValue(from: 0) == first { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F })
        #expect(span.endOfTarget(from: 0) == first { $0 <= 0x20 || $0 == 0x23 || $0 == 0x7F })
        #expect(span.endOfPlainPath(from: 0, to: input.count) == endOfPlainPath(input))
        #expect(span.firstLineFeed(from: 0) ?? input.count == first { $0 == 0x0A })
        #expect(
            span.endOfPlainName(from: 0)
                == first {
                    !(($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A
                        || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2D)
                })
        let token = Array("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        #expect(span.endOfToken(from: 0) == first { !token.contains($0) })
    }

    private func endOfPlainPath(_ input: [UInt8]) -> Int {
        input.indices.first { index in
            [0x25, 0x2E, 0x3B, 0x3F, 0x5C].contains(input[index])
                || index > 0 && input[index] == 0x2F && input[index - 1] == 0x2F
        } ?? input.count
    }

    /// Consecutive slashes are found at every position, within and across words.
    @Test(arguments: 0..<20) func findsTwoSlashes(place: Int) {
        for (before, after) in [(0x61, 0x61), (0x2E, 0x61), (0x61, 0x2E), (0x2F, 0x61), (0x61, 0x2F)]
            as [(UInt8, UInt8)]
        {
            var input = Array(repeating: UInt8(0x61), count: 26)
            input.replaceSubrange(place..<place + 4, with: [before, 0x2F, 0x2F, after])
            #expect(input.span.endOfPlainPath(from: 0, to: input.count) == endOfPlainPath(input))
            input[place + 2] = 0x61
            #expect(input.span.endOfPlainPath(from: 0, to: input.count) == endOfPlainPath(input))
        }
    }

    @Test func whitespaceIsSkippedFromBothSides() {
        let input = bytes(" \t a b\t ")
        #expect(input.span.skippingWhitespace(from: 0, to: 8) == 3)
        #expect(input.span.trimmingWhitespace(from: 3, to: 8) == 6)
        #expect(input.span.skippingWhitespace(from: 6, to: 8) == 8)
        #expect(input.span.trimmingWhitespace(from: 8, to: 8) == 8)
    }
}
