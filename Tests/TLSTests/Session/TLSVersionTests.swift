import Testing

@testable import TLS

@Suite struct TLSVersionTests {
    @Test func versionsHaveAnOrderNumbersAndNames() {
        #expect(TLSVersion.allCases == TLSVersion.allCases.sorted())
        #expect(TLSVersion.allCases.map { "\($0.name)" } == ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"])
        #expect(TLSVersion.allCases.map { "\($0.networkName)" } == ["tlsv10", "tlsv11", "tlsv12", "tlsv13"])
        for version in TLSVersion.allCases { #expect(TLSVersion(number: version.number) == version) }
        #expect(TLSVersion.tls13.number == 0x0304)
        #expect(TLSVersion(number: 0x0300) == nil)
    }
}
