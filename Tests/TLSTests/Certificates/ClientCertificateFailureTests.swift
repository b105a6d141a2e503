import COpenSSL
import Testing

@testable import TLS

@Suite struct ClientCertificateFailureTests {
    @Test(arguments: [
        (X509_V_ERR_CERT_CHAIN_TOO_LONG, "ClientCertMaxChainDepthExceeded"),
        (X509_V_ERR_CERT_REVOKED, "ClientCertCrlHit"),
        (X509_V_ERR_CRL_HAS_EXPIRED, "ClientCertCrlProcessingError"),
        (X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "ClientCertUntrusted"),
        (X509_V_ERR_CERT_NOT_YET_VALID, "ClientCertNotYetValid"), (X509_V_ERR_CERT_HAS_EXPIRED, "ClientCertExpired"),
        (X509_V_ERR_APPLICATION_VERIFICATION, "ClientCertTypeUnsupported"),
        (X509_V_ERR_CERT_SIGNATURE_FAILURE, "ClientCertInvalid"),
        (X509_V_ERR_INVALID_PURPOSE, "ClientCertPurposeInvalid"), (X509_V_ERR_CERT_REJECTED, "ClientCertRejected"),
        (X509_V_ERR_EE_KEY_TOO_SMALL, "ClientCertIncompatible"), (X509_V_ERR_OUT_OF_MEM, "UnmappedConnectionError"),
    ])
    func verdictsHaveTheirCodes(verdict: Int32, code: String) {
        #expect(ClientCertificateFailure(verdict: Int(verdict)).map { "\($0.reasonCode)" } == code)
    }

    @Test func noVerdictIsNoFailure() {
        #expect(ClientCertificateFailure(verdict: Int(X509_V_OK)) == nil)
        #expect("\(ClientCertificateFailure.maxSizeExceeded.reasonCode)" == "ClientCertMaxSizeExceeded")
    }
}
