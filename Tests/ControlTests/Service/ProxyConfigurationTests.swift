import Foundation
import Model
import Testing

@testable import Control

@Suite struct ProxyConfigurationTests {
    static let listens: [(String, String, Int)] = [
        ("8080", "0.0.0.0", 8080), (":8080", "0.0.0.0", 8080), ("*:80", "0.0.0.0", 80),
        ("127.0.0.1:8080", "127.0.0.1", 8080), ("localhost:1", "127.0.0.1", 1), ("[::1]:8080", "::1", 8080),
        ("[::]:65535", "::", 65535), ("[2001:DB8::0]:80", "2001:db8::", 80),
    ]

    @Test(arguments: listens) func readsWhereToListen(_ text: String, _ address: String, _ port: Int) throws {
        let listen = try #require(ProxyConfiguration.Listen(text))
        #expect(listen.address == address && listen.port == port)
    }

    @Test(arguments: [
        "", ":", "0", "65536", "-1", "+80", "80a", "::1:80", "[::1]80", "[]:80", "web:80", "1.2.3:80", "127.0.0.1",
        "127.0.0.1:", "http://127.0.0.1:80", "8080 ", "٣",
    ])
    func refusesOtherTexts(_ text: String) { #expect(ProxyConfiguration.Listen(text) == nil) }

    @Test func readsTargets() throws {
        let plain = try #require(ProxyConfiguration.Target("127.0.0.1:3000"))
        #expect(plain.address == "127.0.0.1" && plain.port == 3000 && plain.weight == nil && plain.scheme == nil)
        for text in ["3000", ":3000", "localhost:3000"] { #expect(ProxyConfiguration.Target(text) == plain) }
        let full = try #require(ProxyConfiguration.Target("https://[::1]:8443=3"))
        #expect(full.address == "::1" && full.port == 8443 && full.weight == 3 && full.scheme == .https)
        #expect(ProxyConfiguration.Target("http://10.0.0.1:80/")?.scheme == .http)
        #expect(ProxyConfiguration.Target("10.0.0.1:80=0")?.weight == 0)
    }

    static let refusals: [(String, String)] = [
        (
            "web.internal:3000",
            "Targets are addresses, and web.internal is a name: find its address, as with \"getent ahosts "
                + "web.internal\", and write ADDRESS:3000."
        ),
        ("http://web:80=2", "Targets are addresses, and web is a name"), ("127.0.0.1", "Write an address and a port"),
        ("127.0.0.1:0", "Write an address and a port"), ("127.0.0.1:80=", "Write an address and a port"),
        ("127.0.0.1:80=257", "Write an address and a port"), ("127.0.0.1:80=-1", "Write an address and a port"),
        ("http://127.0.0.1:80/path", "Write an address and a port"), ("1.2.3:80", "Write an address and a port"),
        ("ftp://127.0.0.1:80", "Write an address and a port"), ("", "Write an address and a port"),
    ]

    @Test(arguments: refusals) func saysHowTargetsAreWritten(_ text: String, _ help: String) {
        #expect(ProxyConfiguration.Target(text) == nil)
        #expect(ProxyConfiguration.Target.help(for: text).hasPrefix(help))
    }

    private func proxy(_ listen: String = "8080", _ targets: String...) throws -> ProxyConfiguration {
        ProxyConfiguration(
            listen: try #require(ProxyConfiguration.Listen(listen)),
            targets: try (targets.isEmpty ? ["3000"] : targets).map { try #require(ProxyConfiguration.Target($0)) })
    }

    private func document(
        _ proxy: ProxyConfiguration, _ purpose: ProxyConfiguration.Purpose = .service
    ) throws -> Document {
        try Document.load(yaml: proxy.text(for: purpose), file: "apus.yaml")
    }

    @Test func someOptionsDoNotGoTogether() throws {
        #expect(try proxy().mistake == nil)
        #expect(try proxy("1", "http://1.2.3.4:80", "1.2.3.5:80").mistake == nil)
        #expect(try proxy("1", "http://1.2.3.4:80", "https://1.2.3.4:81").mistake?.hasPrefix("All targets") == true)
        var tcp = try proxy("1", "http://1.2.3.4:80")
        tcp.isNetwork = true
        #expect(tcp.mistake?.hasPrefix("With --tcp") == true)
        var health = try proxy()
        health.healthPath = "health"
        #expect(health.mistake == "--health is a path, as in /health.")
    }

    @Test func standsForAnApplicationLoadBalancer() throws {
        let document = try document(proxy("127.0.0.1:8080", "127.0.0.1:3000", "[::1]:3001=3"))
        let balancer = try #require(document.loadBalancers.first)
        #expect(balancer.type == .application && balancer.addresses == ["127.0.0.1"])
        let listener = try #require(balancer.listeners.first)
        #expect(listener.protocol == .http && listener.port == 8080)
        let group = try #require(document.targetGroups.first)
        #expect(group.protocol == .http && group.port == 3000)
        #expect(
            group.targets == [
                TargetDescription(id: "127.0.0.1", port: 3000), TargetDescription(id: "::1", port: 3001, weight: 3),
            ])
        #expect(group.healthCheck.path == "/" && group.healthCheck.matcher.httpCode.text == "200-499")
        #expect(document.admin == Admin() && document.runtime == Runtime())
    }

    @Test func optionsAreInTheText() throws {
        var secure = try proxy("8443", "https://10.0.0.1:443")
        secure.certificate = ProxyConfiguration.Certificate(file: "/tls/a \"b\".pem", keyFile: "key.pem")
        secure.healthPath = "/health?a=\"b\"&c:d#e"
        let first = try document(secure)
        let listener = try #require(first.loadBalancers.first?.listeners.first)
        #expect(listener.protocol == .https && listener.certificates[0].certificateFile == "/tls/a \"b\".pem")
        let folder = FileManager.default.currentDirectoryPath
        #expect(listener.certificates[0].privateKeyFile == "\(folder)/key.pem")
        #expect(first.targetGroups[0].protocol == .https && first.targetGroups[0].healthCheck.protocol == .https)
        #expect(first.targetGroups[0].healthCheck.path == "/health?a=\"b\"&c:d#e")
        #expect(first.targetGroups[0].healthCheck.matcher.httpCode.text == "200-299")

        var network = try proxy("5432", "10.0.0.1:5432")
        network.isNetwork = true
        let second = try document(network)
        #expect(second.loadBalancers[0].type == .network && second.loadBalancers[0].listeners[0].protocol == .tcp)
        #expect(second.targetGroups[0].protocol == .tcp && second.targetGroups[0].healthCheck.protocol == .tcp)
        network.healthPath = "/health"
        network.certificate = ProxyConfiguration.Certificate(file: "/c.pem", keyFile: "/c.pem")
        let third = try document(network)
        #expect(third.loadBalancers[0].listeners[0].protocol == .tls)
        #expect(third.targetGroups[0].healthCheck.protocol == .http)
    }

    @Test func theTextSaysWhereItsFilesAre() throws {
        for purpose in [ProxyConfiguration.Purpose.run(in: "/tmp/a: b"), .file(in: "/tmp/a: b")] {
            let document = try document(proxy(), purpose)
            #expect(document.admin.socket == "/tmp/a: b/admin.sock")
            #expect(document.runtime.stateDirectory == "/tmp/a: b/state")
        }
        #expect(try proxy().text(for: .run(in: "/tmp/x")).contains("export APUS_SOCKET=/tmp/x/admin.sock\n"))
    }

    /// What cannot be served is refused without the place in a text that nobody has seen.
    @Test func mistakesHaveNoPlaces() throws {
        let error = #expect(throws: StartError.self) { try proxy("8080", "3000", "127.0.0.1:3000").fileText() }
        let text = try #require(error).description
        #expect(!text.contains("apus.yaml") && !text.contains("line ") && text.contains("127.0.0.1"), "\(text)")
        #expect(try proxy("8080", "127.0.0.1:3000").fileText().contains("port: 8080"))
    }
}
