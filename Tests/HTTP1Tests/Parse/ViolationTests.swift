import HTTP1
import Testing

@Suite struct ViolationTests {
    @Test func eachHasItsOwnReasonCode() {
        let codes = Violation.allCases.map { $0.reasonCode.description }
        #expect(Set(codes).count == codes.count)
        for (violation, code) in zip(Violation.allCases, codes) {
            #expect(code.lowercased() == "\(violation)".lowercased())
            #expect(code.first?.isUppercase == true)
            #expect(code.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
        }
    }

    @Test func eachHasAFittingStatus() {
        #expect(Set(Violation.allCases.map(\.status)) == [400, 405, 413, 414, 417, 501, 505])
        #expect(Violation.methodNotAllowed.status == 405)
        #expect(Violation.headTooLarge.status == 413)
        #expect(Violation.requestLineTooLong.status == 414)
        #expect(Violation.badExpectation.status == 417)
        #expect(Violation.unsupportedTransferEncoding.status == 501)
        #expect(Violation.unsupportedVersion.status == 505)
        #expect(Violation.contentLengthWithTransferEncoding.status == 400)
    }
}
