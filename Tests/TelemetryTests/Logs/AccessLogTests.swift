import Core
import Testing

@testable import Telemetry

@Suite struct AccessLogTests {
    @Test func dropsAndCountsWhenTheRingIsFull() {
        let fixture = LogFixture(.alb, ringBytes: 1024)
        let record = LogFixture.record()
        for _ in 0..<5 { fixture.write(record, Head()) }
        let lines = fixture.written.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count >= 2)
        #expect(lines.last == "")
        #expect(fixture.counters.logLinesDropped.value == UInt64(5 - (lines.count - 1)))
    }

    /// The longest that each text can get, in either format: the line still ends in its last field.
    @Test(arguments: [AccessLog.Format.alb, .json]) func theWorstLineFits(format: AccessLog.Format) {
        let noise = [UInt8](repeating: 0x01, count: 40_000)
        let head = Head()
        head.appendMethod(noise.span)
        head.authority = head.append(noise.span)
        head.target = head.append(([0x2F] + noise).span)
        head.addField(name: head.append("user-agent"), value: head.append(noise.span), id: .userAgent)
        head.addField(name: head.append("x-amzn-trace-id"), value: head.append(noise.span), id: .xAmznTraceID)
        var record = LogFixture.record()
        record.client = SocketAddress(literal: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", port: 65535)!
        record.target = record.client
        record.listener = record.client
        record.matchedRule = .priority(.max)
        (record.receivedBytes, record.sentBytes) = (.max, .max)
        (record.requestProcessingTime, record.targetProcessingTime, record.responseProcessingTime) = (.max, .max, .max)
        let fixture = LogFixture(format)
        fixture.write(record, head, loadBalancer: noise, targetGroup: noise, redirectURL: noise)
        let line = fixture.written
        #expect(line.utf8.count <= Limits.logLineBytesMax)
        #expect(line.utf8.count > 25_000)
        #expect(line.hasSuffix(format == .alb ? " 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\n" : "ffff\"}\n"))
    }

    @Test func absoluteFormIsLoggedAsUnderstood() {
        let head = Head()
        head.appendMethod("GET")
        head.target = head.append("http://example.com/a?b")
        head.authority = head.append("example.com")
        head.path = head.append("/a")
        head.query = head.append("?b")
        #expect(requestLine(head) == "GET http://example.com:8080/a?b HTTP/1.1")
    }

    @Test func asteriskFormHasNoPath() {
        let head = Head()
        head.appendMethod("OPTIONS")
        head.target = head.append("*")
        head.path = head.append("*")
        head.authority = head.append("example.com:81")
        #expect(requestLine(head) == "OPTIONS http://example.com:81 HTTP/1.1")
    }

    @Test func oldRequestWithoutHostNamesTheListener() {
        let head = Head()
        head.appendMethod("GET")
        head.target = head.append("/")
        head.minorVersion = 0
        #expect(requestLine(head) == "GET http://10.0.0.1:8080/ HTTP/1.0")
    }

    @Test(arguments: [
        ("[2001:db8::1]", "[2001:db8::1]:8080"), ("[2001:db8::1]:9", "[2001:db8::1]:9"), ("a:", "a::8080"),
    ])
    func addsThePortWhereThereIsNone(authority: String, expected: String) {
        let head = Head()
        head.appendMethod("GET")
        head.target = head.append("/")
        head.authority = head.append(Array(authority.utf8).span)
        #expect(requestLine(head) == "GET http://\(expected)/ HTTP/1.1")
    }

    private func requestLine(_ head: Head) -> String {
        let fixture = LogFixture(.alb)
        fixture.write(LogFixture.record(), head)
        return String(fixture.written.split(separator: "\"")[1])
    }
}

/// An access log whose lines can be read, and what goes into it.
struct LogFixture {
    let counters = WorkerCounters()
    let ring: LogRing
    let log: AccessLog

    init(_ format: AccessLog.Format, ringBytes: Int = 1 << 17) {
        ring = LogRing(capacity: ringBytes)
        log = AccessLog(format: format, sink: LogSink(ring: ring, wakeup: LogWakeup()), counters: counters)
    }

    /// Created at 2026-01-31T12:34:56.789012Z; nothing has happened yet.
    static func record() -> AccessRecord {
        AccessRecord(
            createdAt: 1_769_862_896_789_012_345,
            client: SocketAddress(literal: "192.0.2.7", port: 54321)!,
            listener: SocketAddress(literal: "10.0.0.1", port: 8080)!)
    }

    /// `GET /cart?id=1` with a trace, answered by a target.
    static func forwarded() -> (AccessRecord, Head) {
        var record = record()
        record.duration = 134_000_000
        record.requestProcessingTime = 1_000_000
        record.targetProcessingTime = 132_999_999
        record.responseProcessingTime = 0
        record.target = SocketAddress(literal: "2001:db8::5", port: 80)
        record.status = 200
        record.targetStatus = 200
        record.receivedBytes = 251
        record.sentBytes = 1093
        record.matchedRule = .priority(10)
        record.action = .forward
        let head = Head()
        head.appendMethod("GET")
        head.target = head.append("/cart?id=1")
        head.authority = head.append("shop.example")
        head.addField(name: head.append("user-agent"), value: head.append("curl/8.1 \"x\""), id: .userAgent)
        head.addField(
            name: head.append("x-amzn-trace-id"), value: head.append("Root=1-697df8b0-abcdef012345678912345678"),
            id: .xAmznTraceID)
        return (record, head)
    }

    func write(
        _ record: AccessRecord, _ head: Head, loadBalancer: [UInt8] = [], targetGroup: [UInt8] = [],
        redirectURL: [UInt8] = [], cipher: [UInt8] = [], tlsVersion: [UInt8] = [], serverName: [UInt8] = [],
        certificate: [UInt8] = []
    ) {
        log.write(
            record, request: head,
            names: .init(
                loadBalancer: loadBalancer.span, targetGroup: targetGroup.span, redirectURL: redirectURL.span,
                cipher: cipher.span, tlsVersion: tlsVersion.span, serverName: serverName.span,
                certificate: certificate.span))
    }

    /// Takes what is in the ring.
    var written: String { ring.takeText() }
}
