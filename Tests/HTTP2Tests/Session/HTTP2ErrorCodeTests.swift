import HTTP2
import Testing

@Suite struct HTTP2ErrorCodeTests {
    @Test func eachHasAWordAndTheRestHaveOne() {
        let words = (0...14 as ClosedRange<UInt32>).map { HTTP2ErrorCode(rawValue: $0).word.description }
        #expect(Set(words).count == 15 && words.last == "UnknownError")
        #expect(HTTP2ErrorCode.cancel.rawValue == 8 && HTTP2ErrorCode.http11Required.rawValue == 13)
    }
}
