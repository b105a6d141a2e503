import Core
import Testing

@testable import Routing

@Suite struct SourceIPConditionTests {
    @Test(arguments: [
        ("10.1.2.3", true), ("11.0.0.1", false), ("2001:db8:1::1", true), ("2001:db9::1", false),
        ("192.0.2.7", true), ("192.0.2.8", false), ("::ffff:10.1.2.3", true),
    ])
    func theClientIsInANetwork(_ client: String, _ holds: Bool) {
        let networks = [("10.0.0.0", 8), ("2001:db8::", 32), ("192.0.2.7", 32)].map {
            AddressRange(SocketAddress(literal: $0.0, port: 0)!, prefixLength: $0.1)
        }
        var request = SampleRequest(fields: [("X-Forwarded-For", "10.9.9.9")])
        request.client = client
        #expect(request.meets(.sourceIP(SourceIPCondition(networks))) == holds)
    }

    @Test(arguments: [("10.1.2.3", true), ("2001:db8::1", false)])
    func theClientIsOfAFamily(_ client: String, _ isIPv4: Bool) {
        let request = SampleRequest(client: client)
        #expect(request.meets(.sourceFamily(SourceFamilyCondition(.ipv4))) == isIPv4)
        #expect(request.meets(.sourceFamily(SourceFamilyCondition(.ipv6))) == !isIPv4)
    }
}
