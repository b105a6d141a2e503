import HTTP2
import Testing

@Suite struct HTTP2FaultTests {
    @Test func eachHasItsOwnReasonCode() {
        for fault in HTTP2Fault.allCases {
            let word = fault.reasonCode.description
            #expect(word.lowercased() == "\(fault)".lowercased())
            #expect(word.first?.isUppercase == true)
        }
    }

    @Test func floodsEndWithEnhanceYourCalm() {
        for fault in HTTP2Fault.allCases {
            let isFlood = "\(fault)".hasSuffix("Flood") || fault == .memory
            #expect((fault.code == .enhanceYourCalm) == isFlood)
        }
    }
}
