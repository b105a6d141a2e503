import Core
import Model
import TLS
import TestCertificates
import Testing

@testable import Control

@Suite struct CertificateWarningTests {
    private static let authority = TestAuthority()

    private func warnings(days: Int) throws -> [CertificateWarning] {
        let pair = Self.authority.issue(["localhost"], days: days)
        let certificate = try TLSCertificate(
            chain: pair.certificate, privateKey: pair.privateKey, name: "test",
            now: Int(WallClock.now() / 1_000_000_000))
        return CertificateWarning.all(
            CertificateFiles(certificateFile: "a.pem", privateKeyFile: "a.key"), certificate)
    }

    /// One that is valid for so many days has as many left for a second, and one less afterwards.
    @Test func whoExpiresSoonIsNamed() throws {
        let soon = try warnings(days: 29)
        #expect(soon.map(\.file) == ["a.pem"], "\(soon)")
        #expect(["It expires in 29 days.", "It expires in 28 days."].contains(soon.first?.reason))
        #expect(soon.first?.description.hasPrefix("A certificate expires soon. It expires in ") == true)
        #expect(try warnings(days: 32).isEmpty)
    }
}
