import Core
import DNS
import Model
import Testing

@testable import Control

/// What the answers of a name server make of a name.
@Suite struct DNSResolutionTests {
    private typealias Question = DNSResolution.Question

    private func resolution(
        _ name: String, _ type: DNSDiscovery.RecordType = .a, known: [String: [IPAddress]] = [:]
    ) -> DNSResolution {
        var settings = DNSDiscovery(name: name)
        settings.type = type
        return DNSResolution(settings, known: known)
    }

    private func ip(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("no address: \(text)") }
        return address
    }

    private func message(_ name: String, _ texts: [String], seconds: UInt32 = 60) -> DNSResolution.Answer {
        .message(
            DNSMessage(
                code: .noError,
                records: texts.map { text in
                    guard let address = SocketAddress(literal: text, port: 0) else {
                        preconditionFailure("no address: \(text)")
                    }
                    return DNSRecord(name: name, secondsToLive: seconds, content: .address(address))
                }))
    }

    private func services(_ name: String, _ services: [DNSService]) -> DNSResolution.Answer {
        .message(
            DNSMessage(
                code: .noError,
                records: services.map { DNSRecord(name: name, secondsToLive: 30, content: .service($0)) }))
    }

    private func service(_ host: String, _ port: UInt16 = 80, priority: UInt16 = 0, weight: UInt16 = 0) -> DNSService {
        DNSService(priority: priority, weight: weight, port: port, host: host)
    }

    private let empty = DNSResolution.Answer.message(DNSMessage(code: .noError, hasStartOfAuthority: true))
    private let noSuchName = DNSResolution.Answer.message(DNSMessage(code: .noSuchName))

    private func found(_ resolution: DNSResolution) throws -> (found: FoundTargets, seconds: UInt32) {
        guard case .found(let found, let seconds, _)? = resolution.outcome else {
            throw ConfigErrors(ConfigError(expected: "targets", found: "\(resolution.outcome as Any)", remedy: ""))
        }
        return (found, seconds)
    }

    /// Records come in another order each time; the targets do not.
    @Test func addressesAreTargetsOnce() throws {
        for texts in [["10.0.0.9", "10.0.0.10", "10.0.0.9"], ["10.0.0.10", "10.0.0.9", "10.0.0.10"]] {
            var resolution = resolution("web.test")
            #expect(resolution.question == Question(name: "web.test", type: .a))
            #expect(resolution.take(message("web.test", texts, seconds: 7), to: resolution.question).isEmpty)
            let (found, seconds) = try found(resolution)
            #expect(found.targets.map(\.target) == [.init(id: "10.0.0.9"), .init(id: "10.0.0.10")])
            #expect(found.targets.allSatisfy { $0.name == "web.test" } && found.priorities.isEmpty && seconds == 7)
            #expect(!resolution.hasServersFault)
        }
    }

    @Test func localAddressesAreUsedAndSaid() throws {
        var resolution = resolution("web.test")
        let texts = ["127.0.0.1", "127.0.0.2", "10.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "192.0.2.1"]
        _ = resolution.take(message("web.test", texts), to: resolution.question)
        let found = try found(resolution).found
        #expect(
            found.targets.map(\.target.id) == ["10.0.0.1", "127.0.0.1", "127.0.0.2", "169.254.169.254", "192.0.2.1"])
        #expect(found.remarks.map(\.kind) == [.private, .loopback, .linkLocal])
        #expect(found.remarks[1].text.contains("loopback addresses, such as 127.0.0.1"))
        #expect(found.refusals.compactMap(\.mistake.found) == ["0.0.0.0", "224.0.0.1"])
        var other = self.resolution("web.test")
        _ = other.take(message("web.test", ["0.0.0.0"]), to: other.question)
        #expect(other.outcome == .failed("names nothing that can be a target: \(found.refusals[0].mistake.message)"))
    }

    @Test func failuresAreTold() {
        for (answer, outcome, isServers) in [
            (.message(DNSMessage(code: .failed("SERVFAIL"))), .failed("answers SERVFAIL"), true),
            (.failed("does not answer"), .failed("does not answer"), true),
            (noSuchName, .failed("answers that there is no such name (NXDOMAIN)"), false),
            (empty, .empty("answers that there are no A records"), false),
        ] as [(DNSResolution.Answer, DNSResolution.Outcome, Bool)] {
            var resolution = resolution("web.test")
            #expect(resolution.take(answer, to: resolution.question).isEmpty)
            #expect(resolution.outcome == outcome && resolution.hasServersFault == isServers)
        }
    }

    @Test func hugeAnswersAreRefused() {
        var resolution = resolution("web.test")
        let texts = (0...Limits.dnsTargetsMax).map { "10.0.\($0 / 256).\($0 % 256)" }
        _ = resolution.take(message("web.test", texts), to: resolution.question)
        #expect(resolution.outcome == .failed("answers with 1001 addresses; 1000 at most are used"))
        resolution = self.resolution("web.test", .srv)
        let many = (0...Limits.dnsServicesMax).map { service("a\($0).test") }
        #expect(resolution.take(services("web.test", many), to: resolution.question).isEmpty)
        #expect(resolution.outcome == .failed("answers with 201 hosts of the service; 200 at most are used"))
        // Few hosts with many addresses each are many targets as well.
        resolution = self.resolution("web.test", .srv)
        let two = [service("a.test"), service("b.test")]
        for question in resolution.take(services("web.test", two), to: resolution.question) {
            _ = resolution.take(message(question.name, Array(texts.prefix(501))), to: question)
        }
        #expect(resolution.outcome == .failed("answers with 1002 targets; 1000 at most are used"))
    }

    @Test func servicesHaveHostsPortsWeightsAndPriorities() throws {
        var resolution = resolution("_http._tcp.test", .srv)
        let all = [
            service("b.test", 81, priority: 20, weight: 5), service("a.test", 80, priority: 10, weight: 1),
            service("a.test", 82, priority: 10, weight: 3), service("a.test", 82, priority: 10, weight: 3),
        ]
        let next = resolution.take(services("_http._tcp.test", all), to: resolution.question)
        #expect(next == [Question(name: "a.test", type: .a), Question(name: "b.test", type: .a)])
        #expect(resolution.take(message("a.test", ["10.0.0.2", "10.0.0.1"], seconds: 5), to: next[0]).isEmpty)
        #expect(resolution.outcome == nil)
        let six = resolution.take(empty, to: next[1])
        #expect(six == [Question(name: "b.test", type: .aaaa)], "a host without IPv4 may have IPv6")
        #expect(resolution.take(message("b.test", ["2001:db8::1"]), to: six[0]).isEmpty)
        let (found, seconds) = try found(resolution)
        #expect(seconds == 5)
        #expect(
            found.targets.map(\.target) == [
                .init(id: "10.0.0.1", port: 80, weight: 1), .init(id: "10.0.0.2", port: 80, weight: 1),
                .init(id: "10.0.0.1", port: 82, weight: 3), .init(id: "10.0.0.2", port: 82, weight: 3),
                .init(id: "2001:db8::1", port: 81),
            ])
        #expect(found.targets.map(\.name) == ["a.test", "a.test", "a.test", "a.test", "b.test"])
        #expect(found.priorities[TargetKey(id: "2001:db8::1", port: 81)] == 20)
        #expect(found.priorities[TargetKey(id: "10.0.0.1", port: 82)] == 10 && found.priorities.count == 5)
    }

    @Test func aServiceMayNotBeOffered() {
        var resolution = resolution("_http._tcp.test", .srv)
        _ = resolution.take(services("_http._tcp.test", [service("")]), to: resolution.question)
        #expect(resolution.outcome == .empty("answers that the service is not offered"))
    }

    /// A host of which nothing is said keeps what is known of it, and one that was never known is left out.
    @Test func hostsWithoutAnAnswerKeepTheirAddresses() throws {
        var resolution = resolution("_http._tcp.test", .srv, known: ["a.test": [ip("10.0.0.1")]])
        let next = resolution.take(
            services("_http._tcp.test", [service("a.test"), service("b.test"), service("c.test", 0)]),
            to: resolution.question)
        _ = resolution.take(.failed("does not answer"), to: next[0])
        _ = resolution.take(noSuchName, to: next[1])
        _ = resolution.take(message("c.test", ["10.0.0.3"]), to: next[2])
        let found = try found(resolution).found
        #expect(found.targets.map(\.target.id) == ["10.0.0.1"])
        #expect(found.refusals.map(\.name) == ["a.test", "b.test", "c.test"])
        #expect(found.refusals[0].mistake.remedy.contains("stay") && found.refusals[2].mistake.found == "0")
        #expect(resolution.hasServersFault)
    }

    @Test func aServiceWithoutAnyAddressFails() {
        var resolution = resolution("_http._tcp.test", .srv, known: ["a.test": [ip("10.0.0.1")]])
        let next = resolution.take(
            services("_http._tcp.test", [service("a.test"), service("a.test", 81), service("b.test")]),
            to: resolution.question)
        #expect(next.count == 2)
        _ = resolution.take(noSuchName, to: next[0])
        _ = resolution.take(empty, to: next[1])
        _ = resolution.take(empty, to: Question(name: "b.test", type: .aaaa))
        #expect(
            resolution.outcome
                == .failed(
                    "has addresses of no host of the service: of a.test the server answers that there is no such name "
                        + "(NXDOMAIN)"))
        // What was not asked is not answered.
        _ = resolution.take(message("x.test", ["10.0.0.1"]), to: Question(name: "x.test", type: .a))
    }
}
