import Core
import Testing

@testable import DNS

/// What messages say of a name.
@Suite struct DNSMessageAnswerTests {
    private func address(_ text: String) -> DNSRecord.Content {
        guard let address = SocketAddress(literal: text, port: 0) else { preconditionFailure("no address: \(text)") }
        return .address(address)
    }

    private func record(_ name: String, _ content: DNSRecord.Content, _ seconds: UInt32 = 60) -> DNSRecord {
        DNSRecord(name: name, secondsToLive: seconds, content: content)
    }

    @Test func theNameIsLookedFor() {
        let message = DNSMessage(
            code: .noError,
            records: [
                record("web.test", address("10.0.0.1"), 30), record("other.test", address("10.0.0.2"), 1),
                record("web.test", address("10.0.0.3"), 20), record("web.test", address("2001:db8::1"), 5),
            ])
        #expect(
            message.answer(to: "WEB.test.", .a)
                == .found([address("10.0.0.1"), address("10.0.0.3")], secondsToLive: 20))
        #expect(message.answer(to: "web.test", .aaaa) == .found([address("2001:db8::1")], secondsToLive: 5))
        guard case .unusable(_, isServersFault: true) = message.answer(to: "web.test", .srv) else {
            Issue.record("there is no service")
            return
        }
    }

    @Test func aliasesAreFollowed() {
        var records = [
            record("web.test", .alias("a.test"), 9), record("a.test", .alias("b.test"), 3),
            record("b.test", address("10.0.0.1"), 60),
        ]
        let found = DNSAnswer.found([address("10.0.0.1")], secondsToLive: 3)
        #expect(DNSMessage(code: .noError, records: records).answer(to: "web.test", .a) == found)
        #expect(DNSMessage(code: .noError, records: records.reversed()).answer(to: "web.test", .a) == found)
        records.removeLast()
        #expect(
            DNSMessage(code: .noError, hasStartOfAuthority: true, records: records).answer(to: "web.test", .a) == .empty
        )
        #expect(DNSMessage(code: .noSuchName, records: records).answer(to: "web.test", .a) == .noSuchName)
        #expect(
            DNSMessage(code: .noError, records: records).answer(to: "web.test", .a)
                == .unusable(
                    "tells an alias and nothing of where it leads (web.test, a.test, b.test)", isServersFault: true))
    }

    @Test func aliasesInACircleAreNoAnswer() {
        let circle = DNSMessage(
            code: .noError,
            records: [record("web.test", .alias("a.test")), record("a.test", .alias("web.test"))])
        #expect(
            circle.answer(to: "web.test", .a)
                == .unusable(
                    "answers with aliases that lead in a circle (web.test, a.test, web.test)", isServersFault: false))
        let own = DNSMessage(code: .noError, records: [record("web.test", .alias("web.test"))])
        #expect(own.answer(to: "web.test", .a) != .empty)
        var names = ["web.test"] + (0...16).map { "a\($0).test" }
        func chain() -> DNSMessage {
            let aliases = zip(names, names.dropFirst()).map { record($0, .alias($1)) }
            return DNSMessage(
                code: .noError, records: aliases + [record(names[names.count - 1], address("10.0.0.1"))])
        }
        #expect(
            chain().answer(to: "web.test", .a)
                == .unusable("answers with more than 16 aliases", isServersFault: false))
        names.removeLast()
        #expect(chain().answer(to: "web.test", .a) == .found([address("10.0.0.1")], secondsToLive: 60))
    }

    @Test func failuresAreTheServers() {
        #expect(
            DNSMessage(code: .failed("SERVFAIL")).answer(to: "a", .a)
                == .unusable("answers SERVFAIL", isServersFault: true))
        #expect(
            DNSMessage(code: .noError, isTruncated: true).answer(to: "a", .a)
                == .unusable("sends an answer that is cut, over TCP as well", isServersFault: true))
        #expect(DNSMessage(code: .noSuchName).answer(to: "a", .a) == .noSuchName)
        #expect(DNSMessage(code: .noError, hasStartOfAuthority: true).answer(to: "a", .srv) == .empty)
        guard case .unusable(let reason, true) = DNSMessage(code: .noError).answer(to: "a", .srv) else {
            Issue.record("nobody says that it is empty")
            return
        }
        #expect(reason.contains("no SRV record") && reason.contains("SOA"))
    }
}
