import Core
import Model
import Testing

@testable import Proxy

@Suite struct ListenerSettingsTests {
    /// A rate below one byte a second still asks for something in its window.
    @Test(arguments: [(50, 10.0, 500), (1, 2.5, 3), (1, 0.2, 0), (0, 10.0, 0)])
    func theRateOfBodiesIsRounded(_ rate: Int, _ seconds: Double, _ bytes: UInt64) {
        var attributes = LoadBalancerAttributes()
        attributes.minBodyRateBytesPerSecond = rate
        attributes.minBodyRateWindowSeconds = seconds
        let settings = ListenerSettings(attributes, nil)
        #expect(settings.bodyRateWindowBytes == bytes)
        #expect(settings.bodyRateWindow == Nanoseconds(seconds * 1_000_000_000))
    }

    /// Without attributes of a listener its responses are left alone.
    @Test func theDefaultsChangeNoResponse() {
        #expect(ListenerSettings(LoadBalancerAttributes(), nil).responseFields.isEmpty)
        #expect(ListenerSettings(LoadBalancerAttributes(), ListenerAttributes()).responseFields.isEmpty)
    }

    @Test func everyResponseAttributeSetsItsField() throws {
        var own = ListenerAttributes()
        own.server = false
        for (index, field) in ListenerAttributes.responseFields.enumerated() {
            let path = try #require(field.value as? WritableKeyPath<ListenerAttributes, String>)
            own[keyPath: path] = "value \(index)"
        }
        let fields = ListenerSettings(LoadBalancerAttributes(), own).responseFields
        #expect(fields.first == ResponseFieldPlan(name: Array("Server".utf8), value: nil))
        #expect(fields.count == ListenerAttributes.responseFields.count + 1)
        for (index, field) in ListenerAttributes.responseFields.enumerated() {
            let plan = ResponseFieldPlan(name: Array(field.name.utf8), value: Array("value \(index)".utf8))
            #expect(fields.contains(plan), "\(field.name)")
        }
    }

    /// The name that an attribute gives a field is what clients may not send either.
    @Test func namesOfFieldsMayBeOthers() {
        var own = ListenerAttributes()
        own.clientCertificateSubject = "X-Subject"
        let names = ListenerSettings(LoadBalancerAttributes(), own).fieldNames
        #expect(names.subject == Array("X-Subject".utf8) && names.issuer == TLSFieldNames().issuer)
        #expect(names.all.contains(Array("X-Subject".utf8)) && names.all.count == 8)
    }

    /// The time for the first byte counts until a client has asked once, unless it is the longer one.
    @Test func theFirstByteHasATimeOfItsOwn() {
        var settings = Plans.settings
        settings.idleTimeout = 60
        settings.firstByteTimeout = 30
        #expect(settings.idleTimeout(hasAsked: false) == (30, true))
        #expect(settings.idleTimeout(hasAsked: true) == (60, false))
        settings.firstByteTimeout = 90
        #expect(settings.idleTimeout(hasAsked: false) == (60, false))
    }

    /// Clients of an IPv4-mapped network connect from IPv4 addresses.
    @Test(arguments: [
        ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false), ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "11.1.2.3", false), ("2001:db8::/32", "2001:db8:1::1", true),
        ("2001:db8::/32", "2001:db9::1", false), ("::/0", "2001:db9::1", true),
    ]) func aNetworkIsTrusted(_ block: String, _ address: String, isTrusted: Bool) throws {
        let range = AddressRange(try #require(AddressBlock(block)))
        #expect(range.contains(Plans.address(address, 1)) == isTrusted)
    }
}
