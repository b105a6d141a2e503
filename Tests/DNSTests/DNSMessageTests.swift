import Core
import Testing

@testable import DNS

/// Answers as bytes.
@Suite struct DNSMessageTests {
    private func address(_ text: String) throws -> DNSRecord.Content {
        .address(try #require(SocketAddress(literal: text, port: 0)))
    }

    @Test func recordsAreRead() throws {
        var writer = MessageWriter("Web.Test", answers: 5)
        writer.add(MessageWriter.pointer, 5, seconds: 7, MessageWriter.name("x.Web.test"))
        writer.add(MessageWriter.name("x.web.test"), 1, [10, 0, 0, 5])
        writer.add(MessageWriter.name("x.web.test"), 28, [0x20, 1, 0xD, 0xB8] + Array(repeating: 0, count: 11) + [1])
        writer.add(MessageWriter.pointer, 33, seconds: 0x8000_0000, [0, 1, 0, 2, 0x1F, 0x90] + MessageWriter.pointer)
        writer.add(MessageWriter.pointer, 16, [3, 65, 66, 67])
        let message = try DNSMessage(writer.bytes)
        #expect(message.code == .noError && !message.isTruncated && !message.hasStartOfAuthority)
        #expect(
            message.records == [
                DNSRecord(name: "web.test", secondsToLive: 7, content: .alias("x.web.test")),
                DNSRecord(name: "x.web.test", secondsToLive: 60, content: try address("10.0.0.5")),
                DNSRecord(name: "x.web.test", secondsToLive: 60, content: try address("2001:db8::1")),
                DNSRecord(
                    name: "web.test", secondsToLive: 0,
                    content: .service(DNSService(priority: 1, weight: 2, port: 8080, host: "web.test"))),
            ])
    }

    @Test(
        arguments: [
            (0, .noError), (1, .failed("FORMERR")), (2, .failed("SERVFAIL")), (3, .noSuchName), (4, .failed("NOTIMP")),
            (5, .failed("REFUSED")), (9, .failed("RCODE 9")),
        ] as [(UInt8, DNSMessage.ResponseCode)])
    func codesAreTold(number: UInt8, code: DNSMessage.ResponseCode) throws {
        #expect(try DNSMessage(MessageWriter(code: number).bytes).code == code)
    }

    @Test func whoIsResponsibleCountsWithoutAnAnswer() throws {
        let data = MessageWriter.name("ns.test") + MessageWriter.name("host.test") + Array(repeating: 1, count: 20)
        var writer = MessageWriter(authorities: 2)
        writer.add(MessageWriter.name("test"), 2, MessageWriter.name("ns.test"))
        writer.add(MessageWriter.name("test"), 6, data)
        #expect(try DNSMessage(writer.bytes).hasStartOfAuthority)
        writer = MessageWriter(answers: 1, authorities: 1)
        writer.add(MessageWriter.pointer, 5, MessageWriter.name("a.test"))
        writer.add(MessageWriter.name("test"), 6, data)
        #expect(try DNSMessage(writer.bytes).hasStartOfAuthority, "an alias is no answer")
        writer = MessageWriter(authorities: 1)
        writer.add(MessageWriter.name("test"), 2, MessageWriter.name("ns.test"))
        #expect(try !DNSMessage(writer.bytes).hasStartOfAuthority, "it leads to another server")
        #expect(try DNSMessage(MessageWriter(isTruncated: true).bytes).isTruncated)
    }

    @Test func whatIsOfAnotherClassIsPassedOver() throws {
        var writer = MessageWriter(answers: 2)
        writer.add(MessageWriter.pointer, 1, class: 3, [1, 2, 3, 4])
        writer.add(MessageWriter.pointer, 1, [10, 0, 0, 1])
        #expect(try DNSMessage(writer.bytes).records.map(\.content) == [address("10.0.0.1")])
    }

    private func mistake(_ bytes: [UInt8]) -> DNSMessage.Mistake? {
        do throws(DNSMessage.Mistake) {
            _ = try DNSMessage(bytes)
            return nil
        } catch { return error }
    }

    @Test(
        arguments: [
            (1, [1, 2, 3], .hasBadRecord), (1, [], .hasBadRecord), (28, [1, 2, 3, 4], .hasBadRecord),
            (33, [0, 0, 0], .hasBadRecord), (33, [0, 1, 0, 1, 0, 80, 0xC0], .hasBadName),
            (33, [0, 1, 0, 1, 0, 80, 0, 9], .hasBadRecord), (5, [0xFF, 0xFF], .hasBadName), (5, [3, 65], .hasBadName),
            (5, [0x41, 65, 0], .hasBadName), (5, [1, 65, 0, 0], .hasBadRecord),
        ] as [(UInt16, [UInt8], DNSMessage.Mistake)])
    func recordsThatCannotBeAreRefused(type: UInt16, data: [UInt8], expected: DNSMessage.Mistake) {
        var writer = MessageWriter(answers: 1)
        writer.add(MessageWriter.pointer, type, data)
        #expect(mistake(writer.bytes) == expected)
    }

    /// Wherever a message ends, it is read without a trap, and is no message until it is complete.
    @Test func everyBeginningIsRefused() throws {
        var writer = MessageWriter(answers: 2)
        writer.add(MessageWriter.pointer, 5, MessageWriter.name("a.test"))
        writer.add(MessageWriter.name("a.test"), 1, [10, 0, 0, 1])
        for count in 0..<writer.bytes.count { #expect(mistake(Array(writer.bytes.prefix(count))) != nil, "\(count)") }
        #expect(mistake(writer.bytes) == nil)
    }

    /// As above with every byte replaced: none traps, whatever it means then.
    @Test func everyChangedByteIsReadOrRefused() {
        var writer = MessageWriter(answers: 2, authorities: 1)
        writer.add(MessageWriter.pointer, 33, [0, 1, 0, 1, 0, 80] + MessageWriter.pointer)
        writer.add(MessageWriter.pointer, 1, [10, 0, 0, 1])
        writer.add(MessageWriter.pointer, 6, [1])
        var readCount = 0
        for index in writer.bytes.indices {
            for value: UInt8 in [0, 1, 12, 0x3F, 0x40, 0x80, 0xC0, 0xFF] {
                var bytes = writer.bytes
                bytes[index] = value
                if mistake(bytes) == nil { readCount += 1 }
            }
        }
        #expect(readCount > 0)
    }

    /// Whatever is written over a message, it is read or refused, and so is what it says of a name.
    @Test func noiseIsReadOrRefused() {
        var writer = MessageWriter(answers: 3, authorities: 1)
        writer.add(MessageWriter.pointer, 5, MessageWriter.name("a.b.test"))
        writer.add(MessageWriter.name("a.b.test"), 33, [0, 1, 0, 1, 0, 80] + MessageWriter.pointer)
        writer.add(MessageWriter.pointer, 28, Array(repeating: 7, count: 16))
        writer.add(MessageWriter.pointer, 6, [1])
        var random = FastRandom(seed: 7)
        var readCount = 0
        for _ in 0..<20_000 {
            var bytes = writer.bytes
            for _ in 0...random.next() % 4 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            guard let message = try? DNSMessage(bytes) else { continue }
            readCount += 1
            for type in [DNSRecordType.a, .aaaa, .srv] {
                if case .found(let records, _) = message.answer(to: "web.test", type) { #expect(!records.isEmpty) }
            }
        }
        #expect(readCount > 100)
    }

    @Test func recordsAreFew() {
        var writer = MessageWriter(answers: 4097)
        let record: [UInt8] = [0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0]
        for _ in 0..<4097 { writer.add(bytes: record) }
        #expect(mistake(writer.bytes) == .isTooLong)
        let longest = [UInt8](repeating: 0, count: 65_536)
        #expect(mistake(longest) == .isCut)
    }
}
