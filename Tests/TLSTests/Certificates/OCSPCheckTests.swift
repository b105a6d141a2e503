import COpenSSL
import Testing

@testable import TLS

@Suite struct OCSPCheckTests {
    /// The problem of a response; the certificate is served without it.
    private func problem(_ response: [UInt8]) -> String? {
        let certificate = Mint.ecdsa.served("a.pem", ocsp: response)
        #expect((certificate.ocspResponse == nil) == (certificate.ocspProblem != nil))
        #expect(certificate.ocspProblem?.remedy.hasSuffix(".") != false)
        return certificate.ocspProblem?.problem
    }

    @Test func keepsAValidResponse() {
        let response = Mint.intermediate.answer(about: Mint.ecdsa)
        #expect(problem(response) == nil)
        let certificate = Mint.ecdsa.served(ocsp: response)
        #expect(certificate.ocspResponse == response)
        let until = certificate.ocspNotAfter ?? 0
        #expect(until > Minted.now && until <= Minted.now + 2 * 86_400)
    }

    @Test func rejectsAnythingElse() {
        let good = Mint.intermediate.answer(about: Mint.ecdsa)
        #expect(problem([]) == "The OCSP response for a.pem is not DER.")
        #expect(problem(Array(good.dropLast())) == "The OCSP response for a.pem is not DER.")
        let other = Mint.intermediate.answer(about: Mint.rsa)
        #expect(problem(other) == "The OCSP response for a.pem is for another certificate.")
        // The serial number alone is not enough.
        let stranger = Mint.other.answer(about: Mint.ecdsa)
        #expect(problem(stranger) == "The OCSP response for a.pem is for another certificate.")
        let revoked = Mint.intermediate.answer(about: Mint.ecdsa, status: V_OCSP_CERTSTATUS_REVOKED)
        #expect(problem(revoked) == "The OCSP response for a.pem does not say that the certificate is good.")
        let old = Mint.intermediate.answer(about: Mint.ecdsa, nextUpdate: -43_200)
        #expect(problem(old)?.hasPrefix("The OCSP response for a.pem was valid until 20") == true)
        let large = [UInt8](repeating: 0, count: 9000)
        #expect(problem(large) == "The OCSP response for a.pem has 9000 bytes, 8192 at most.")
        // tryLater, without a body. Source: RFC 6960 §4.2.1.
        #expect(problem([0x30, 3, 0x0A, 1, 3]) == "The OCSP response for a.pem is not a successful one.")
    }

    @Test func everyPrefixIsRefused() {
        let good = Mint.intermediate.answer(about: Mint.ecdsa)
        for count in 0..<good.count { #expect(problem(Array(good[..<count])) != nil) }
    }
}
