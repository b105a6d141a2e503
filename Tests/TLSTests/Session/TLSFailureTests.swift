import COpenSSL
import Testing

@testable import TLS

@Suite struct TLSFailureTests {
    @Test func reasonsBeyondTheirOffsetAreAlerts() {
        #expect(TLSFailure(reason: SSL_R_TLSV1_ALERT_UNKNOWN_CA) == .alertReceived(48))
        #expect(TLSFailure(reason: SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) == .alertReceived(116))
        #expect(TLSFailure(reason: SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC) == .malformed)
    }
}
