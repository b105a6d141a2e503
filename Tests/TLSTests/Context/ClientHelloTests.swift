import Core
import Testing

@testable import TLS

@Suite struct ClientHelloTests {
    @Test(arguments: CapturedHello.all) func findsTheNameThatRealClientsSend(hello: CapturedHello) {
        #expect(read(hello.bytes) == .named(hello.name))
    }

    @Test(arguments: CapturedHello.all) func recordsOfAnySizeAreJoined(hello: CapturedHello) {
        for size in [1, 2, 3, 4, 5, 100] {
            #expect(read(records(hello.message, size)) == .named(hello.name), "records of \(size)")
        }
    }

    @Test(arguments: CapturedHello.all) func bytesAfterTheMessageDoNotMatter(hello: CapturedHello) {
        let followers: [[UInt8]] = [[0], [23, 3, 3, 0, 1, 9], [22, 3, 3, 0, 0], hello.bytes, bytes(of: "GET / ")]
        for follower in followers {
            #expect(read(hello.bytes + follower) == .named(hello.name))
            #expect(read(records(hello.message, 3) + follower) == .named(hello.name))
        }
        // Nor do bytes after it in the same record, or the length of that record.
        var bytes = hello.bytes
        bytes[3] = 0x40
        bytes[4] = 0
        #expect(read(bytes) == .named(hello.name))
        #expect(read(bytes + [0xFF]) == .named(hello.name))
    }

    @Test(arguments: CapturedHello.all) func everyPrefixNeedsMore(hello: CapturedHello) {
        for size in [1, 2, 3, 100, 1000] {
            let bytes = records(hello.message, size)
            let decided = bytes.indices.first { read(bytes, $0) != .needMore }
            #expect(decided == nil, "records of \(size)")
        }
    }

    @Test func acceptsAnyMinorVersion() {
        for minor in UInt8.min...UInt8.max {
            var bytes = CapturedHello.all[0].bytes
            bytes[2] = minor
            #expect(read(bytes) == .named(CapturedHello.all[0].name))
        }
    }

    @Test(
        arguments: [
            (Array("GET / HTTP/1.1\r\n".utf8), 0), (Array("SSH-2.0-OpenSSH_9.6\r\n".utf8), 0),
            (Array("PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n".utf8), 0),
            // The PROXY header's second version, SSL 2.0, an alert, data, SMTP.
            ([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10], 0), ([0x80, 46, 1, 3, 1, 0, 21], 0),
            ([21, 3, 1, 0, 2, 2, 40], 0), ([23, 3, 3, 0, 1, 0], 0), (Array("EHLO example.com\r\n".utf8), 0),
            // A record of another major version; a ServerHello, a HelloRequest, and another message type.
            ([22, 2, 1, 0, 4, 1, 0, 0, 0], 1), ([22, 4, 1], 1), ([22, 0xFE, 0xFF, 0, 0], 1),
            ([22, 3, 3, 0, 4, 2, 0, 0, 0], 5), ([22, 3, 3, 0, 4, 0, 0, 0, 0], 5), ([22, 3, 3, 0x40, 0, 0xFF], 5),
        ] as [([UInt8], Int)])
    func rejectsAtTheFirstInvalidByte(bytes: [UInt8], wrong: Int) {
        for count in 0...bytes.count {
            #expect(read(bytes, count) == (count <= wrong ? .needMore : .notTLS), "\(count) bytes")
        }
    }

    @Test func recordsAreNeverEmptyNorTooLarge() {
        let message = CapturedHello.all[0].message
        for count in [0, 16 * 1024 + 1, 0xFFFF] {
            let lie: [UInt8] = [22, 3, 1, UInt8(count >> 8), UInt8(count & 255)]
            expectVerdict(.malformed, lie + message, after: 5)
            expectVerdict(.malformed, records(Array(message[..<9]), 9) + lie + message[9...], after: 19)
        }
    }

    @Test func rejectsOtherRecordsInBetween() {
        let message = CapturedHello.all[0].message
        let begun = records(Array(message[..<3]), 2)
        expectVerdict(.malformed, begun + [21, 3, 1, 0, 2, 1, 0], after: begun.count + 1)
        expectVerdict(.malformed, begun + [20, 3, 1, 0, 1, 1], after: begun.count + 1)
        expectVerdict(.malformed, begun + [22, 2, 1, 0, 1, 1], after: begun.count + 2)
        #expect(read(begun + records(Array(message[3...]), 50)) == .named(CapturedHello.all[0].name))
    }

    @Test(arguments: Hello.Level.allCases) func rejectsWrongLengths(level: Hello.Level) {
        for lie in [-1, 1, 2, 90] {
            for isNameFirst in [true, false] {
                var hello = Hello()
                hello.extensions.insert(Hello.nameExtension("a.example.com"), at: isNameFirst ? 0 : 2)
                #expect(hello.result == .named("a.example.com"))
                hello.lies[level] = lie
                #expect(hello.result == .malformed, "by \(lie)")
                #expect(read(records(hello.message, 1)) == .malformed, "by \(lie), records of one byte")
            }
        }
    }

    @Test func rejectsAWrongMessageLength() {
        for hello in CapturedHello.all {
            var message = hello.message
            message[3] &-= 1
            #expect(read(records(message, 100)) == .malformed)
            message[3] &+= 2
            #expect(read(records(message, 100)) == .needMore)
            #expect(read(records(message + [0], 100)) == .malformed)
        }
    }

    @Test func rejectsTruncatedMessages() {
        let body = Array(Hello().message.dropFirst(4))
        for count in 0..<body.count {
            // Before TLS 1.3 the message may end before its extensions.
            let isWithoutExtensions = count == Hello().extensionsStart
            let message: [UInt8] = [1, 0, UInt8(count >> 8), UInt8(count & 255)] + body[..<count]
            let expected: ClientHello.Result = isWithoutExtensions ? .named("") : .malformed
            #expect(read(records(message, 1000)) == expected, "\(count) bytes")
        }
    }

    @Test func partsHaveTheSizesOfTheStandard() {
        func check(_ change: (inout Hello) -> Void) -> ClientHello.Result {
            var hello = Hello()
            change(&hello)
            return hello.result
        }
        #expect(check { $0.session = [] } == .named(""))
        #expect(check { $0.session = Array(repeating: 7, count: 33) } == .malformed)
        #expect(check { $0.suites = [] } == .malformed)
        #expect(check { $0.suites = [0x13, 1, 0x13] } == .malformed)
        #expect(check { $0.methods = [] } == .malformed)
        #expect(check { $0.methods = [1, 0] } == .named(""))
        #expect(check { $0.extensions = [] } == .named(""))
    }

    @Test(arguments: [
        ("a.b", "a.b"), ("WWW.Example.COM", "www.example.com"), ("example.com.", "example.com"), ("x", "x"),
        ("_sip._tcp.x-1.example", "_sip._tcp.x-1.example"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("example.com..", "example.com."), ("127.0.0.1", "127.0.0.1"),
        (String(repeating: "a", count: 255), String(repeating: "a", count: 255)),
    ])
    func aNameIsNormalized(sent: String, name: String) {
        #expect(Hello(name: sent).result == .named(name))
    }

    @Test(arguments: [
        "", ".", "a b", "a\u{0}", "a.example\u{0}.com", "*.example.com", "::1", "a/b", "a:443", "bücher.example",
        "a\r\nb", "a@b", "[a]", "a`", "a{", String(repeating: "a", count: 256),
        String(repeating: "a", count: 255) + ".",
    ])
    func rejectsInvalidNames(sent: String) {
        #expect(Hello(name: sent).result == .malformed)
    }

    @Test func acceptsOnlyHostNameCharacters() {
        let known = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.".utf8)
        for byte in UInt8.min...UInt8.max {
            var hello = Hello()
            hello.extensions.append((0, hello.vector(hello.entry(0, [0x61, byte, 0x62]), 2, .list)))
            let expected = known.contains(byte)
            #expect(hello.result == (expected ? .hello(serverName: [0x61, byte.lowercased, 0x62]) : .malformed))
        }
    }

    @Test func rejectsTwoExtensions() {
        let name = Hello.nameExtension("a.example")
        var hello = Hello()
        hello.extensions = [name, (0x0A, [0, 2, 0, 29]), name]
        #expect(hello.result == .malformed)
        hello.extensions = [Hello.nameExtension("b.example"), name]
        #expect(hello.result == .malformed)
        // Other extensions are left for the target to check.
        hello.extensions = [name, (0x0A, []), (0x0A, [])]
        #expect(hello.result == .named("a.example"))
    }

    @Test func aListHoldsOneHostName() {
        func check(_ entries: [(type: UInt8, name: [UInt8])]) -> ClientHello.Result {
            var hello = Hello()
            let list = entries.flatMap { hello.entry($0.type, $0.name) }
            hello.extensions.append((0, hello.vector(list, 2, .list)))
            return hello.result
        }
        let (a, b) = (bytes(of: "a.example"), bytes(of: "b.example"))
        #expect(check([]) == .malformed)
        #expect(check([(0, a), (0, b)]) == .malformed)
        #expect(check([(0, a), (0, a)]) == .malformed)
        #expect(check([(1, [0xFF])]) == .named(""))
        #expect(check([(1, []), (0, a), (9, b)]) == .named("a.example"))
        #expect(check([(0, a), (1, [])]) == .named("a.example"))
        #expect(check([(1, a), (0, [])]) == .malformed)
    }

    @Test func rejectsAnEmptyExtension() {
        for content: [UInt8] in [[], [0], [0, 0], [0, 1, 0], [0, 2, 0, 0], [0, 3, 0, 0, 0]] {
            var hello = Hello()
            hello.extensions.append((0, content))
            #expect(hello.result == .malformed)
        }
    }
}

/// The maximum length of a message, and random mutations.
@Suite struct ClientHelloLimitTests {
    /// A hello that ends at byte `count` of the connection, in records of 16 KiB.
    private func hello(endingAt count: Int) -> [UInt8] {
        var hello = Hello(name: "long.example")
        let padding = count - 5 * ((count + 16388) / 16389) - hello.message.count - 4
        hello.extensions.append((21, Array(repeating: 0, count: padding)))
        let bytes = records(hello.message, 16 * 1024)
        precondition(bytes.count == count, "a hello of \(bytes.count) bytes")
        return bytes
    }

    @Test func readsTheLongestMessage() {
        let bytes = hello(endingAt: ClientHello.bytesMax)
        #expect(read(bytes) == .named("long.example"))
        #expect(read(bytes + [1]) == .named("long.example"))
        #expect(read(bytes, bytes.count - 1) == .needMore)
    }

    @Test func rejectsALongerMessageByItsLength() {
        expectVerdict(.tooLong, hello(endingAt: ClientHello.bytesMax + 1), after: 9)
        expectVerdict(.tooLong, hello(endingAt: 60_000), after: 9)
        expectVerdict(.tooLong, [22, 3, 1, 0, 100, 1, 0xFF, 0xFF, 0xFF, 3, 3], after: 9)
        expectVerdict(.tooLong, [22, 3, 1, 0, 100, 1, 1, 0, 0, 3, 3], after: 9)
        expectVerdict(.tooLong, records([1, 0xFF, 0xFF, 0xFF, 3], 1), after: 24)
    }

    @Test func recordHeadersCount() {
        // A message of 6,000 bytes becomes 36,000 bytes if each has a record of its own.
        let message: [UInt8] = [1, 0, 0x17, 0x6C] + Array(repeating: 3, count: 5996)
        let bytes = records(message, 1)
        // Rejected as soon as even one further record with all the rest would end too late.
        #expect(read(bytes, 32_116) == .needMore)
        #expect(read(bytes, 32_117) == .tooLong)
        #expect(read(bytes) == .tooLong)
        #expect(read(records(message, 2)) == .malformed)
    }

    @Test func changedBytesNeverTrap() {
        var random = FastRandom(seed: 8446)
        var verdicts: [ClientHello.Result] = []
        var changes = 0
        for round in 0..<20_000 {
            let hello = CapturedHello.all[random.next(below: CapturedHello.all.count)]
            let size = [1, 2, 7, 100, 1000][random.next(below: 5)]
            var bytes = round.isMultiple(of: 2) ? hello.bytes : records(hello.message, size)
            for _ in 0...random.next(below: 4) {
                let isNearStart = random.next(below: 2) == 0
                let place = random.next(below: isNearStart ? min(bytes.count, 150) : bytes.count)
                bytes[place] ^= UInt8(1 + random.next(below: 255))
            }
            let verdict = read(bytes)
            let early = read(bytes, random.next(below: bytes.count + 1))
            if early != .needMore && early != verdict { changes += 1 }
            if !verdicts.contains(verdict) { verdicts.append(verdict) }
        }
        #expect(changes == 0, "further bytes changed a verdict")
        for verdict in [.needMore, .notTLS, .malformed, .tooLong, .named("")] as [ClientHello.Result] {
            #expect(verdicts.contains(verdict), "no mutation led to \(verdict)")
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = FastRandom(seed: 6066)
        for _ in 0..<5_000 {
            let count = random.next(below: 200)
            let body = (0..<count).map { _ in UInt8(random.next(below: random.next(below: 2) == 0 ? 4 : 256)) }
            let bytes = records([1, 0, 0, UInt8(count)] + body, 1 + random.next(below: 60))
            #expect(read(bytes) != .needMore && read(bytes) != .notTLS)
        }
    }
}

/// A hand-made ClientHello, in which each length can be set wrong.
struct Hello {
    /// The vectors of the message that have a length.
    enum Level: CaseIterable { case session, suites, methods, extensions, content, list, entry }

    var session: [UInt8] = Array(repeating: 5, count: 32)
    var suites: [UInt8] = [0x13, 1, 0x13, 2, 0xC0, 0x2F]
    var methods: [UInt8] = [0]
    /// The second extension is most similar to server_name.
    var extensions: [(kind: UInt16, content: [UInt8])] = [(0x000A, [0, 2, 0, 29]), (0x0100, [])]
    /// By how much the length at each level is wrong; of the extensions, that of server_name.
    var lies: [Level: Int] = [:]

    init() {}

    init(name: String) { extensions.append(Self.nameExtension(name)) }

    /// A server_name extension with a host name, with the message's wrong lengths.
    static func nameExtension(_ name: String) -> (kind: UInt16, content: [UInt8]) {
        (0, Hello().vector(Hello().entry(0, bytes(of: name)), 2, .list))
    }

    /// An entry of a list of names.
    func entry(_ type: UInt8, _ name: [UInt8]) -> [UInt8] { [type] + vector(name, 2, .entry) }

    /// `content` after its length.
    func vector(_ content: [UInt8], _ width: Int, _ level: Level?) -> [UInt8] {
        let length = content.count + (level.flatMap { lies[$0] } ?? 0)
        return (width == 2 ? [UInt8(length >> 8 & 255)] : []) + [UInt8(length & 255)] + content
    }

    /// Offset of the extensions in the message body.
    var extensionsStart: Int { 2 + 32 + 1 + session.count + 2 + suites.count + 1 + methods.count }

    /// The message with its header.
    var message: [UInt8] {
        let all = extensions.flatMap { kind, content in
            let content = kind == 0 ? lying(content) : content
            return [UInt8(kind >> 8), UInt8(kind & 255)] + vector(content, 2, kind == 0 ? .content : nil)
        }
        let body =
            [3, 3] + Array(repeating: 9, count: 32) + vector(session, 1, .session) + vector(suites, 2, .suites)
            + vector(methods, 1, .methods) + vector(all, 2, .extensions)
        return [1, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    /// The content of server_name with the wrong lengths.
    private func lying(_ content: [UInt8]) -> [UInt8] {
        var content = content
        if let lie = lies[.list] { content[1] = UInt8(Int(content[1]) + lie) }
        if let lie = lies[.entry] { content[4] = UInt8(Int(content[4]) + lie) }
        return content
    }

    /// The result for the message in one record.
    var result: ClientHello.Result { read(records(message, 16 * 1024)) }
}

extension ClientHello.Result {
    /// A hello with a name.
    fileprivate static func named(_ name: String) -> Self { .hello(serverName: Array(name.utf8)) }
}

private func bytes(of text: String) -> [UInt8] { Array(text.utf8) }

/// The result for the first `count` of `bytes`, or for all of them.
private func read(_ bytes: [UInt8], _ count: Int? = nil) -> ClientHello.Result {
    ClientHello.read(bytes.span.extracting(first: count ?? bytes.count))
}

/// A message in handshake records of `size` bytes.
private func records(_ message: [UInt8], _ size: Int) -> [UInt8] {
    stride(from: 0, to: message.count, by: size).flatMap { start -> [UInt8] in
        let part = message[start..<min(message.count, start + size)]
        return [22, 3, 1, UInt8(part.count >> 8), UInt8(part.count & 255)] + part
    }
}

/// Expects the verdict as soon as `count` bytes have arrived, and no other before or after.
private func expectVerdict(_ verdict: ClientHello.Result, _ bytes: [UInt8], after count: Int) {
    let results = (0...bytes.count).map { read(bytes, $0) }
    let decided = results.firstIndex { $0 != .needMore }
    #expect(decided == count)
    #expect(results[count...].allSatisfy { $0 == verdict }, "\(results[count])")
}
