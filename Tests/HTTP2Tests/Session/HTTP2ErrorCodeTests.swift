import HTTP2
import Testing

@Suite struct HTTP2ErrorCodeTests {
    @Test func eachHasANameAndUnknownOnesShareOne() {
        let names = (0...14 as ClosedRange<UInt32>).map { HTTP2ErrorCode(rawValue: $0).name.description }
        #expect(Set(names).count == 15 && names.last == "UnknownError")
        #expect(HTTP2ErrorCode.cancel.rawValue == 8 && HTTP2ErrorCode.http11Required.rawValue == 13)
    }
}
