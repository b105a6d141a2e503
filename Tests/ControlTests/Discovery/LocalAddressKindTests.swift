import Model
import Testing

@testable import Control

/// Addresses that mean something else on each host or network.
@Suite struct LocalAddressKindTests {
    @Test(
        arguments: [
            ("127.0.0.1", .loopback), ("127.255.255.254", .loopback), ("::1", .loopback), ("10.0.0.1", .private),
            ("172.15.0.1", nil), ("172.16.0.1", .private), ("172.31.0.1", .private), ("172.32.0.1", nil),
            ("192.168.0.1", .private), ("192.169.0.1", nil), ("100.63.0.1", nil), ("100.64.0.1", .private),
            ("100.127.0.1", .private), ("100.128.0.1", nil), ("169.254.169.254", .linkLocal), ("169.253.0.1", nil),
            ("fe80::1", .linkLocal), ("febf::1", .linkLocal), ("fec0::1", nil), ("fc00::1", .private),
            ("fdff::1", .private), ("2001:db8::1", nil), ("8.8.8.8", nil), ("::2", nil),
        ] as [(String, LocalAddressKind?)])
    func areTold(text: String, kind: LocalAddressKind?) throws {
        #expect(LocalAddressKind(try #require(IPAddress(text))) == kind)
    }
}
