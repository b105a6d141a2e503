import HTTP1
import HTTP2
import Testing

@Suite struct HTTP2StreamFaultTests {
    @Test func eachHasItsOwnReasonCode() {
        let faults: [HTTP2StreamFault] = [
            .badField, .badMessage, .flowControl, .streamClosed, .tooMuch, .violation(.suspiciousHeader), .other,
        ]
        let words = faults.map { $0.reasonCode.description }
        #expect(Set(words).count == faults.count)
        #expect(words[5] == "SuspiciousHeader", "the reason code of HTTP/1")
        #expect(words.allSatisfy { $0.first?.isUppercase == true })
    }
}
