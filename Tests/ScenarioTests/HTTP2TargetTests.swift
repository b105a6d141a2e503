import Foundation
import Testing

/// HTTP/2 targets that end connections, or allow few concurrent streams: no request that they did not process is lost.
@Suite struct HTTP2TargetTests {
    /// Apus with nginx as its target, with these directives; one worker, so that all requests share its connections.
    private func start(_ directives: String) throws -> ApusProcess {
        let target = try PortServer.nginx(isHTTP2: true, pair: nil, directives: directives)
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [
                .init(
                    "blue", program: target,
                    settings: ["protocolVersion": "HTTP2", "healthCheckProtocol": "TCP"])
            ], attributes: ["apus.h2c.enabled": true])
        document.runtime["workers"] = 1
        document.logFormat = "json"
        return try ApusProcess.start(document)
    }

    /// Sends POSTs of 10 bytes with h2load and expects all of them to be answered with 200.
    private func expectAllAnswered(
        _ apus: ApusProcess, requests: Int, connections: Int, streams: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try Data(count: 10).write(to: URL(fileURLWithPath: "\(apus.folder)/body"))
        let told = try Tool.run(
            [
                "h2load", "-n", "\(requests)", "-c", "\(connections)", "-m", "\(streams)", "-d", "body", "-N", "30",
                "http://127.0.0.1:\(apus.port)/",
            ], in: apus.folder, within: 90)
        let isGood =
            told.contains("\(requests) succeeded, 0 failed, 0 errored, 0 timeout")
            && told.contains("status codes: \(requests) 2xx")
        let bad = apus.accessEntries.filter { $0["elb_status_code"] != 200 }
        let reasons = Dictionary(grouping: bad) { $0["apus_reason"].string ?? "-" }
        #expect(isGood, "\(reasons.mapValues(\.count)) \(told)", sourceLocation: sourceLocation)
    }

    @Test("A target that ends each connection after 100 requests fails no POST")
    func connectionsEnd() throws {
        let apus = try start("keepalive_requests 100;")
        try expectAllAnswered(apus, requests: 6_000, connections: 5, streams: 20)
        #expect(try apus.metric("apus_target_http2_connections_opened_total") >= 60)
    }

    @Test("A target that allows 10 concurrent streams fails no POST, even on a new connection")
    func fewStreams() throws {
        let apus = try start("http2_max_concurrent_streams 10;")
        try expectAllAnswered(apus, requests: 100, connections: 1, streams: 100)
        // Now the limit is known.
        try expectAllAnswered(apus, requests: 2_000, connections: 2, streams: 100)
    }

    @Test("Both at once")
    func fewStreamsOnConnectionsThatEnd() throws {
        let apus = try start("http2_max_concurrent_streams 10; keepalive_requests 50;")
        try expectAllAnswered(apus, requests: 2_000, connections: 4, streams: 50)
    }

    /// An Apus that speaks HTTP/2 without TLS to clients and to `target`, whose group has these attributes.
    private func start(_ target: PortServer, _ attributes: [String: JSON] = [:]) throws -> ApusProcess {
        try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [
                    .init(
                        "blue", program: target, attributes: attributes,
                        settings: ["protocolVersion": "HTTP2", "healthCheckProtocol": "TCP"])
                ], attributes: ["apus.h2c.enabled": true]))
    }

    /// If more of a body was sent than is kept, Apus cannot retry the request. The target has processed nothing, so the
    /// client may retry.
    @Test(
        "An HTTP/2 client may retry what a target refused and Apus cannot retry", arguments: [40_000, 150_000])
    func refusedLate(bodyCount: Int) throws {
        let target = try PortServer.python("http2_target", "1000000")
        let apus = try start(target)
        try Data(count: bodyCount).write(to: URL(fileURLWithPath: "\(apus.folder)/body"))
        let told = try Tool.run(
            ["nghttp", "-v", "-d", "body", "http://127.0.0.1:\(apus.port)/refused-after/\(bodyCount)"],
            in: apus.folder, expectsSuccess: false)
        if bodyCount > 65_536 {
            #expect(told.contains("error_code=REFUSED_STREAM(0x07)"), "\(told)")
        } else {
            #expect(told.contains(":status: 200") && told.contains("\n\(bodyCount)\n"), "\(told)")
        }
    }

    /// `routing.http2.rst_stream_error_forwarding.enabled`, before a response has begun and after that.
    @Test("A target's error code reaches HTTP/2 clients where the group says so", arguments: [false, true])
    func resetForwarded(isOn: Bool) throws {
        let target = try PortServer.python("http2_target")
        let apus = try start(target, ["routing.http2.rst_stream_error_forwarding.enabled": .bool(isOn)])
        func told(_ path: String) throws -> String {
            try Tool.run(
                ["nghttp", "-v", "http://127.0.0.1:\(apus.port)\(path)"], in: apus.folder, expectsSuccess: false)
        }
        let reset = try told("/reset/11")
        #expect(reset.contains("error_code=ENHANCE_YOUR_CALM(0x0b)") == isOn, "\(reset)")
        #expect(reset.contains(":status: 502") != isOn, "\(reset)")
        let cut = try told("/cut/11")
        #expect(cut.contains("error_code=ENHANCE_YOUR_CALM(0x0b)") == isOn, "\(cut)")
    }
}
