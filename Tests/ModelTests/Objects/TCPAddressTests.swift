import Testing

@testable import Model

@Suite struct TCPAddressTests {
    @Test(arguments: ["127.0.0.1:9099", "0.0.0.0:1", "[::1]:65535", "[::]:80"]) func isReadAndWritten(text: String) {
        #expect(TCPAddress(text)?.description == text)
    }

    @Test(arguments: [
        "", ":", "9099", ":9099", "localhost:9099", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
        "127.0.0.1:+80", "127.0.0.1:080", "::1:80", "::1", "[::1]", "[127.0.0.1]:80", "[::1]:80 ", "127.0.0.1:80/",
        "127.0.0.1:99999999999999999999",
    ])
    func isNone(text: String) { #expect(TCPAddress(text) == nil) }

    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1", true), ("127.0.0.1:80", "127.0.0.2", false), ("0.0.0.0:80", "127.0.0.1", true),
        ("127.0.0.1:80", "0.0.0.0", true), ("[::]:80", "127.0.0.1", false), ("[::1]:80", "::", true),
    ])
    func overlapsWhatCannotBeBoundBesideIt(text: String, address: String, overlaps: Bool) throws {
        #expect(try #require(TCPAddress(text)).overlaps(address) == overlaps)
    }

    @Test func isAKeyOfTheFile() throws {
        let document = try Document.load(yaml: "admin: { metrics: \"[::1]:9099\" }", file: "a")
        #expect(document.admin.metrics == TCPAddress("[::1]:9099"))
        #expect(try Document(document.encoded()) == document)
        #expect(try Document.load(yaml: "{}", file: "a").admin.metrics == nil)
        let error = #expect(throws: ConfigErrors.self) {
            try Document.load(yaml: "admin: { metrics: localhost:9099 }", file: "a.yaml")
        }
        #expect(
            error?.description
                == "a.yaml:1:19: metrics must be an IPv4 or IPv6 address and a port, but found \"localhost:9099\". "
                + "Write it as in 127.0.0.1:9099 or \"[::1]:9099\".")
    }

    @Test func aListenerCannotHaveItsPort() throws {
        func listener(_ port: Int, _ kind: TrafficProtocol = .http) -> Listener {
            Listener(protocol: kind, port: port, defaultActions: [Sample.answer(200)])
        }
        var document = Document(
            admin: Admin(metrics: TCPAddress("127.0.0.1:81")),
            loadBalancers: [LoadBalancer(name: "web", listeners: [listener(80), listener(81)])])
        let errors = document.validate()
        #expect(errors.map(\.path) == ["loadBalancers[0].listeners[1].port"])
        #expect(
            errors.first?.message == "port must not be that of admin.metrics, but found 81, and admin.metrics is "
                + "127.0.0.1:81.")
        document.loadBalancers[0].addresses = ["127.0.0.2"]
        #expect(document.validate().isEmpty)
        #expect(throws: Never.self) { try document.applying(.putListener(loadBalancer: "web", listener(81))) }
        document.loadBalancers = [LoadBalancer(name: "web", listeners: [listener(80)])]
        for change in [
            Change.putListener(loadBalancer: "web", listener(81)),
            .putLoadBalancer(LoadBalancer(name: "other", listeners: [listener(81)])),
        ] {
            let error = #expect(throws: ConfigErrors.self) { try document.applying(change) }
            #expect(error?.description.contains("admin.metrics is 127.0.0.1:81") == true)
        }
    }
}
