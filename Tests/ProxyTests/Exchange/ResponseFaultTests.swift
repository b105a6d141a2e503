import HTTP1
import HTTP2
import Telemetry
import Testing

@testable import Proxy

@Suite struct ResponseFaultTests {
    /// `BadChunkSize` as metrics have it: `bad_chunk_size`; `OnHTTP10` has its digits.
    private func metricsWord(_ code: StaticString) -> String {
        var word = ""
        var wasUpper = true
        for character in "\(code)" {
            if character.isUppercase && !wasUpper { word += "_" }
            wasUpper = character.isUppercase
            word += character.lowercased()
        }
        return word
    }

    /// What breaks a rule that responses have too is counted under that rule's name, and nothing else is.
    @Test(arguments: Violation.allCases) func aViolationHasTheSameNameEverywhere(_ violation: Violation) {
        let fault = ResponseFault.violation(violation)
        #expect("\(fault.reasonCode)" == "\(violation.reasonCode)")
        guard fault.reason != .other else { return }
        #expect("\(fault.reason.label)" == metricsWord(violation.reasonCode))
        #expect(ResponseFault.stream(.violation(violation)).reason == fault.reason, "whichever version brings it")
    }

    /// Those that only requests can have. A violation that responses can have, too, must not disappear in `other`.
    @Test func whatOnlyRequestsCanHaveIsOther() {
        let others = Set(Violation.allCases.filter { ResponseFault.violation($0).reason == .other })
        #expect(
            others == [
                .badRequestLine, .badMethod, .badTarget, .badPercentEncoding, .pathAboveRoot, .ambiguousPath,
                .badVersion, .methodNotAllowed, .requestLineTooLong, .missingHost, .duplicateHost, .badHost,
                .authorityMismatch, .badScheme, .unsupportedProtocol, .badExpectation, .nonCompliant,
            ])
    }

    @Test(arguments: [
        (ResponseFault.unexpectedUpgrade, MalformedReason.unexpectedUpgrade), (.upgradeIgnored, .upgradeIgnored),
        (.tooManyInterimResponses, .tooManyInterimResponses), (.stream(.badField), .badField),
        (.stream(.badMessage), .badMessage), (.stream(.flowControl), .stream), (.stream(.tooMuch), .stream),
    ]) func otherFaultsAreCountedByTheirKind(_ fault: ResponseFault, _ reason: MalformedReason) {
        #expect(fault.reason == reason)
    }
}
