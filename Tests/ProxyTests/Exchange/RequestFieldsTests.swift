import Core
import Model
import Testing

@testable import Proxy

@Suite struct RequestFieldsTests {
    /// The fields a target sees of a request that came in with `fields`, in lower case by name and in order.
    private func sent(
        _ fields: [(String, String)], port: UInt16 = 80, authority: String? = nil, from literal: String = "192.0.2.7",
        isWebSocket: Bool = false, change: (inout ListenerSettings) -> Void = { _ in }
    ) -> [(name: String, value: String)] {
        var settings = Plans.settings
        change(&settings)
        var bench = WorkerBench()
        bench.adopt([Plans.listener(port: port, settings: settings)], [])
        let exchange = bench.begin(from: literal, at: Instant(nanoseconds: 1))
        let request = exchange.request
        for (name, value) in fields {
            let nameBytes = Array(name.utf8), valueBytes = Array(value.utf8)
            let nameRange = request.append(nameBytes.span)
            let valueRange = request.append(valueBytes.span)
            request.addField(name: nameRange, value: valueRange, id: FieldID(nameBytes.span))
        }
        if let authority {
            let bytes = Array(authority.utf8)
            request.authority = request.append(bytes.span)
        } else if let index = request.firstField(.host) {
            request.authority = request.field(index).value
        }
        let text = request.bytes(request.authority).text
        let host = text.hasPrefix("[") ? text.prefix { $0 != "]" } + "]" : text.prefix { $0 != ":" }
        request.noteAuthority(hostCount: host.utf8.count)
        request.isWebSocket = isWebSocket
        request.isHTTP2 = isWebSocket
        bench.worker.removeSpoofedFields(request, exchange.client.listener)
        bench.worker.prepareFields(exchange)
        bench.worker.prepareFields(exchange)  // a retry: nothing more may change
        return (0..<request.fieldCount).map { request.field($0) }.filter { !$0.isRemoved }
            .map { (request.bytes($0.name).text.lowercased(), request.bytes($0.value).text) }
    }

    private func values(_ name: String, in fields: [(name: String, value: String)]) -> [String] {
        fields.filter { $0.name == name }.map(\.value)
    }

    // MARK: Host

    struct HostCase: Sendable, CustomTestStringConvertible {
        let why: String
        let host: String?
        var authority: String?
        let port: UInt16
        let expected: [String]
        var testDescription: String { why }
    }

    static let hosts = [
        HostCase(why: "nothing to change", host: "a.example", port: 80, expected: ["a.example"]),
        HostCase(why: "lower case", host: "A.Example", port: 80, expected: ["a.example"]),
        HostCase(why: "no port on a well-known listener", host: "a.example:80", port: 80, expected: ["a.example"]),
        HostCase(why: "not even another", host: "a.example:8080", port: 443, expected: ["a.example"]),
        HostCase(why: "a port on others", host: "a.example", port: 8080, expected: ["a.example:8080"]),
        HostCase(why: "as it came if it has one", host: "a.example:9", port: 8080, expected: ["a.example:9"]),
        HostCase(why: "lower case with a port", host: "A.EXAMPLE:9", port: 8080, expected: ["a.example:9"]),
        HostCase(why: "IPv6", host: "[2001:DB8::1]", port: 80, expected: ["[2001:db8::1]"]),
        HostCase(why: "IPv6 without its port", host: "[::1]:80", port: 80, expected: ["[::1]"]),
        HostCase(why: "IPv6 with a port added", host: "[::1]", port: 81, expected: ["[::1]:81"]),
        HostCase(
            why: "an absolute target wins", host: "b.example", authority: "A.example", port: 80,
            expected: ["a.example"]),
        HostCase(why: "HTTP/1.0 without Host", host: nil, port: 80, expected: ["0.0.0.0"]),
        HostCase(why: "and elsewhere", host: nil, port: 8080, expected: ["0.0.0.0:8080"]),
    ]

    @Test(arguments: hosts) func rewritesTheHost(test: HostCase) {
        let fields = test.host.map { [("Host", $0)] } ?? []
        let sent = sent(fields, port: test.port, authority: test.authority)
        #expect(values("host", in: sent) == test.expected)
    }

    @Test(arguments: [80, 8080] as [UInt16]) func preservesTheHostIfTold(port: UInt16) {
        let sent = sent([("Host", "A.example:99"), ("Host", "second")], port: port) { $0.preservesHost = true }
        #expect(values("host", in: sent) == ["A.example:99", "second"])
    }

    // MARK: X-Forwarded-*

    struct ForwardedCase: Sendable, CustomTestStringConvertible {
        let why: String
        let came: [String]
        var client = "192.0.2.7"
        var mode = LoadBalancerAttributes.ForwardedForMode.append
        var addsPort = false
        let expected: [String]
        var testDescription: String { why }
    }

    static let forwarded = [
        ForwardedCase(why: "created", came: [], expected: ["192.0.2.7"]),
        ForwardedCase(why: "added to", came: ["203.0.113.9"], expected: ["203.0.113.9, 192.0.2.7"]),
        ForwardedCase(
            why: "several become one, in order", came: ["1.1.1.1, 2.2.2.2", "3.3.3.3"],
            expected: ["1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.7"]),
        ForwardedCase(why: "IPv6 is bare", came: [], client: "2001:db8::1", expected: ["2001:db8::1"]),
        ForwardedCase(why: "with the port", came: ["x"], addsPort: true, expected: ["x, 192.0.2.7:50000"]),
        ForwardedCase(
            why: "IPv6 with the port", came: [], client: "2001:db8::1", addsPort: true,
            expected: ["[2001:db8::1]:50000"]),
        ForwardedCase(why: "preserved", came: ["a", "b"], mode: .preserve, addsPort: true, expected: ["a", "b"]),
        ForwardedCase(why: "absent stays absent", came: [], mode: .preserve, expected: []),
        ForwardedCase(why: "removed", came: ["a", "b"], mode: .remove, addsPort: true, expected: []),
    ]

    @Test(arguments: forwarded) func tellsWhoTheClientIs(test: ForwardedCase) {
        let fields = [("Host", "a")] + test.came.map { ("X-Forwarded-For", $0) }
        let sent = sent(fields, from: test.client) {
            $0.forwardedForMode = test.mode
            $0.addsClientPort = test.addsPort
        }
        #expect(values("x-forwarded-for", in: sent) == test.expected)
    }

    /// What a client says about scheme and port is not believed.
    @Test func tellsHowTheClientCame() {
        let sent = sent(
            [("Host", "a"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "1"), ("x-forwarded-port", "2")],
            port: 8080)
        #expect(values("x-forwarded-proto", in: sent) == ["http"])
        #expect(values("x-forwarded-port", in: sent) == ["8080"])
    }

    @Test func leavesOtherFieldsAlone() {
        let sent = sent([("Host", "a"), ("Cookie", "b=c"), ("X-Forwarded-Host", "d"), ("Accept", "*/*")])
        #expect(Array(sent.prefix(4).map(\.name)) == ["host", "cookie", "x-forwarded-host", "accept"])
        #expect(Array(sent.prefix(4).map(\.value)) == ["a", "b=c", "d", "*/*"])
        #expect(sent.count == 8, "and adds the four it is to add")
    }

    // MARK: X-Amzn-Trace-Id

    private static let new = #"1-[0-9a-f]{8}-[0-9a-f]{24}"#

    struct TraceCase: Sendable, CustomTestStringConvertible {
        let why: String
        let came: [String]
        /// What is sent on, with `NEW` for the trace that is made.
        let expected: String
        var testDescription: String { why }
    }

    static let root = "Root=1-67891233-abcdef012345678912345678"
    static let own = "Self=1-67891234-12456789abcdef012345678a"

    /// Source: docs/elbv2.md, "Header fields".
    static let traces = [
        TraceCase(why: "absent: a root", came: [], expected: "Root=NEW"),
        TraceCase(why: "empty: a root", came: [""], expected: "Root=NEW"),
        TraceCase(why: "a root: a self before it", came: [root], expected: "Self=NEW;\(root)"),
        TraceCase(
            why: "custom fields keep their order", came: ["A=1;\(root);CalledFrom=app"],
            expected: "Self=NEW;A=1;\(root);CalledFrom=app"),
        TraceCase(why: "a self is replaced", came: ["\(own);\(root)"], expected: "Self=NEW;\(root)"),
        TraceCase(
            why: "a self in the middle is replaced", came: ["\(root);\(own);CalledFrom=app"],
            expected: "Self=NEW;\(root);CalledFrom=app"),
        TraceCase(why: "a self at the end is replaced", came: ["\(root);\(own)"], expected: "Self=NEW;\(root)"),
        TraceCase(why: "any case", came: ["self=x;root=y"], expected: "Self=NEW;root=y"),
        TraceCase(why: "no root: one before the rest", came: ["CalledFrom=app"], expected: "Root=NEW;CalledFrom=app"),
        TraceCase(why: "a name that only begins alike", came: ["Rooted=1"], expected: "Root=NEW;Rooted=1"),
        TraceCase(why: "the first of several fields counts", came: [root, "Root=2"], expected: "Self=NEW;\(root)"),
        TraceCase(
            why: "too long: only the root stays", came: ["A=\(String(repeating: "x", count: 7 * 1024));\(root);B=1"],
            expected: root),
        TraceCase(
            why: "too long without a root: a new one", came: ["A=\(String(repeating: "x", count: 7 * 1024))"],
            expected: "Root=NEW"),
        TraceCase(
            why: "just short enough", came: ["A=\(String(repeating: "x", count: 7 * 1024 - 2))"],
            expected: "Root=NEW;A=\(String(repeating: "x", count: 7 * 1024 - 2))"),
    ]

    @Test(arguments: traces) func tracesTheRequest(test: TraceCase) throws {
        let sent = sent([("Host", "a")] + test.came.map { ("X-Amzn-Trace-Id", $0) })
        let values = values("x-amzn-trace-id", in: sent)
        #expect(values.count == 1)
        let value = try #require(values.first)
        let pattern = try Regex(Self.new)
        let made = try #require(value.firstMatch(of: pattern)).output[0].substring ?? ""
        let expected = test.expected.replacing("NEW", with: made, maxReplacements: 1)
        #expect(value == expected)
    }

    @Test func aTraceTellsTheTimeAndIsNotRepeated() throws {
        let before = WallClock.now() / 1_000_000_000
        let made = (0..<3).flatMap { _ in values("x-amzn-trace-id", in: sent([("Host", "a")])) }
        let after = WallClock.now() / 1_000_000_000
        #expect(Set(made).count == 3)
        for trace in made {
            let parts = trace.split(separator: "-")
            let second = try #require(UInt64(parts[1], radix: 16))
            #expect(parts.count == 3 && (before...after).contains(second))
        }
    }

    // MARK: Fields in our name

    /// What a target is told that the client did not say is known as ours, so that nobody else says it under a name
    /// that is read as the same.
    @Test func everyAddedFieldIsReserved() {
        let added = sent([]) { $0.addsClientPort = true } + sent([], isWebSocket: true)
        #expect(added.count >= 10)
        for (name, _) in added {
            let bytes = Array(name.replacing("-", with: "_").utf8)
            #expect(FieldID(cgiVariable: bytes.span).isSetByApus, "\(name)")
        }
        for name in TLSFieldNames().all { #expect(FieldID(cgiVariable: name.span).isSetByApus) }
    }

    @Test(arguments: ["X-Client_Cert", "X_Client_Cert", "x.client.cert", "X-Client-Cert"])
    func configuredFieldNamesAreReserved(name: String) {
        let sent = sent([(name, "forged"), ("X-Client-Certs", "fine")]) {
            $0.fieldNames.leaf = Array("X-Client_Cert".utf8)
        }
        #expect(!sent.contains { $0.value == "forged" })
        #expect(values("x-client-certs", in: sent) == ["fine"])
    }

    /// A key that came in over HTTP/2 asks for nothing there.
    @Test func aWebSocketHasOneKey() {
        let sent = sent([("sec-websocket-key", "forged")], isWebSocket: true)
        #expect(values("sec-websocket-key", in: sent).count == 1)
        #expect(values("sec-websocket-key", in: sent) != ["forged"])
    }

    // MARK: Invalid names

    @Test(arguments: [(false, false, 0, 0), (true, false, 0, 1), (true, true, 1, 0)] as [(Bool, Bool, UInt64, UInt64)])
    func countsInvalidNames(hasInvalidNames: Bool, drops: Bool, dropped: UInt64, forwarded: UInt64) {
        var settings = Plans.settings
        settings.dropsInvalidNames = drops
        var bench = WorkerBench()
        bench.adopt([Plans.listener(settings: settings)], [])
        let exchange = bench.begin(at: Instant(nanoseconds: 1))
        exchange.request.hasInvalidNames = hasInvalidNames
        exchange.request.hasDroppedNames = hasInvalidNames && drops
        bench.worker.prepareFields(exchange)
        #expect(bench.counters.invalidHeaderRequestsDropped.value == dropped)
        #expect(bench.counters.invalidHeaderRequestsForwarded.value == forwarded)
    }
}

@Suite struct TraceIDTests {
    private func part(_ text: String, _ range: Range<Int>?) -> String? {
        range.map { String(decoding: Array(text.utf8)[$0], as: UTF8.self) }
    }

    @Test(
        arguments: [
            ("", nil, "", ""), ("Root=1", "Root=1", "Root=1", ""), ("A=1;Root=2;B=3", "Root=2", "A=1;Root=2;B=3", ""),
            ("Self=1;Root=2", "Root=2", "", "Root=2"), ("Root=2;Self=1", "Root=2", "Root=2", ""),
            ("A=1;Self=2;Root=3;B=4", "Root=3", "A=1;", "Root=3;B=4"), ("Self=1", nil, "", ""),
            ("root=1;ROOT=2", "root=1", "root=1;ROOT=2", ""), ("Root=1;", "Root=1", "Root=1;", ""),
            (";;Root=1", "Root=1", ";;Root=1", ""), ("Root", nil, "Root", ""), ("xRoot=1", nil, "xRoot=1", ""),
            ("Root=", "Root=", "Root=", ""), ("Self=;", nil, "", ""),
        ] as [(String, String?, String, String)])
    func findsItsParts(text: String, root: String?, kept: String, keptAfterSelf: String) {
        let bytes = Array(text.utf8)
        let trace = TraceID(bytes.span)
        #expect(part(text, trace.root) == root)
        #expect(part(text, trace.kept) == kept)
        #expect(part(text, trace.keptAfterSelf) == keptAfterSelf)
    }
}
