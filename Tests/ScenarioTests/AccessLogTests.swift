import Foundation
import Glibc
import Testing

/// The access log as a file.
@Suite struct AccessLogTests {
    @Test("ALB's format: 34 fields that agree with what happened")
    func alb() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let request = "GET /logged?a=b HTTP/1.1\r\nHost: example.com\r\nUser-Agent: an \"agent\"\r\n\r\n"
        let answer = try client.exchange(request)
        let found = expectLogged(
            by: apus, "GET http://example.com:\(apus.port)/logged?a=b HTTP/1.1", status: 200,
            target: "127.0.0.1:\(target.port)", targetStatus: 200)
        let line = try #require(found)
        #expect(line.time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil, "\(line.time)")
        #expect(line.client == "127.0.0.1:\(try client.socket.localPort())")
        #expect(line.receivedBytes == request.utf8.count)
        #expect(line.sentBytes == answer.head.count + answer.bodyCount)
        for seconds in [line.requestProcessingSeconds, line.targetProcessingSeconds] {
            #expect(try (0...5).contains(#require(seconds)))
        }
        #expect(line.actions == "forward")
        #expect(line.rulePriority == "0")
        #expect(line.classification == "-")
    }

    @Test("JSON: one object per line with the same facts")
    func json() throws {
        let target = try TargetServer()
        var document = Document(target)
        document.logFormat = "json"
        let apus = try ApusProcess.start(document)
        #expect(try apus.client().get("/json\"quoted").status < 500)
        #expect(try apus.client().get("/json").status == 200)
        let entries = eventually { () -> [JSON]? in
            let entries = apus.accessEntries
            return entries.count == 2 ? entries : nil
        }
        // Each worker writes its own lines, so their order is open.
        let unquoted = try #require(entries).first { $0["request_line"].string?.contains("quoted") == false }
        let entry = try #require(unquoted)
        #expect(entry["type"] == "http")
        #expect(entry["client_ip"] == "127.0.0.1")
        #expect(entry["target_port"].int == Int(target.port))
        #expect(entry["elb_status_code"] == 200)
        #expect(entry["target_status_code"] == 200)
        #expect(entry["request_line"].string == "GET http://example.com:\(apus.port)/json HTTP/1.1")
        #expect(entry["actions_executed"] == "forward")
        #expect(entry["apus_reason"] == .null)
    }

    @Test("A rejected request is logged with its request line and its bytes, as far as they were read")
    func refused() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        let fields = "Host: example.com\r\n\r\n"
        let here = "http://127.0.0.1:\(apus.port)"
        let cases = [
            ("TRACE /traced HTTP/1.1\r\n" + fields, 405, "TRACE \(here)/traced HTTP/1.1"),
            ("CONNECT a.example:443 HTTP/1.1\r\n" + fields, 405, "CONNECT http://a.example:443 HTTP/1.1"),
            ("GET /spaced HTTP/1.1\r\nX : y\r\n" + fields, 400, "GET \(here)/spaced HTTP/1.1"),
            (
                "GET /many HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 257) + fields, 413,
                "GET \(here)/many HTTP/1.1"
            ),
            ("G(T /unknown HTTP/1.1\r\n" + fields, 400, "- \(here)- -"),
        ]
        for (request, status, line) in cases {
            #expect(try apus.client().exchange(request, method: "GET").status == status, "\(line)")
            let logged = expectLogged(by: apus, line, status: status, target: "-")
            #expect(logged?.receivedBytes == request.utf8.count, "\(line)")
            #expect(logged?.traceID == "-", "\(line)")
            #expect(logged?.errorReason == "-", "only ALB's own reasons are allowed there")
        }
        #expect(target.requests.isEmpty)
    }

    @Test("Requests that do not follow HTTP to the letter are logged with ALB's class and reason")
    func classification() throws {
        let apus = try ApusProcess.start(Document(try TargetServer()))
        let host = " HTTP/1.1\r\nHost: example.com\r\n"
        let cases = [
            ("GET /plain\(host)\r\n", 200, "-", "-"),
            ("GET /zero\(host)Content-Length: 0\r\n\r\n", 200, "Acceptable", "GetHeadZeroContentLength"),
            ("GET /later HTTP/1.2\r\nHost: a.b\r\n\r\n", 200, "Acceptable", "NonCompliantVersion"),
            ("GET /body\(host)Content-Length: 1\r\n\r\nx", 200, "Ambiguous", "UndefinedContentLengthSemantics"),
            (
                "POST /both\(host)Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "Ambiguous",
                "BothTeClPresent"
            ),
            ("POST /bad\(host)Content-Length: 5x\r\n\r\n", 400, "Severe", "BadContentLength"),
            ("POST /two\(host)Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "Severe", "MultipleContentLength"),
            ("TRACE /traced\(host)\r\n", 405, "-", "-"),
        ]
        for (request, status, name, reason) in cases {
            #expect(try apus.client().exchange(request, method: "GET").status == status, "\(request)")
            let path = try #require(request.split(separator: " ").dropFirst().first)
            let line = expectLogged(by: apus, "\(path) ", status: status)
            #expect(line?.classification == name && line?.classificationReason == reason, "\(line?.line ?? request)")
        }
        expectMetric(apus, "apus_requests_non_compliant_total", is: 7)
    }

    @Test("Responses made by Apus are logged with the trace id that a target would have seen")
    func tracesOfAnswersMadeHere() throws {
        let fixed: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]]
        let redirect: JSON = ["type": "redirect", "redirectConfig": ["statusCode": "HTTP_301", "path": "/elsewhere"]]
        let listener = Document.Listener(
            defaultAction: Document.forward("empty"),
            rules: [
                Document.rule(1, "path-pattern", ["/fixed"], fixed),
                Document.rule(2, "path-pattern", ["/redirect"], redirect),
            ])
        let apus = try ApusProcess.start(Document(listeners: [listener], groups: [.init("empty")]))
        let client = try apus.client()
        for (path, status) in [("/fixed", 200), ("/redirect", 301), ("/empty", 503)] {
            #expect(try client.get(path).status == status)
            let made = expectLogged(by: apus, path, status: status, target: "-")?.traceID ?? ""
            #expect(made.wholeMatch(of: /Root=1-[0-9a-f]{8}-[0-9a-f]{24}/) != nil, "\(path): \(made)")
            #expect(try client.get("\(path)", fields: "X-Amzn-Trace-Id: Root=1-2-\(status)\r\n").status == status)
            let found = eventually { apus.accessLog.contains { $0.traceID.hasSuffix(";Root=1-2-\(status)") } }
            #expect(found, "\(path): \(apus.accessLog.map(\.traceID))")
        }
    }

    @Test("SIGUSR1 reopens the file, and no line is lost")
    func reopens() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        #expect(try apus.client().get("/before-rotation").status == 200)
        expectLogged(by: apus, "/before-rotation", status: 200)
        let rotated = apus.accessLogPath + ".1"
        try FileManager.default.moveItem(atPath: apus.accessLogPath, toPath: rotated)
        let load = LoadGenerator(port: apus.port, clients: 2)
        apus.process.signal(SIGUSR1)
        #expect(eventually { FileManager.default.fileExists(atPath: apus.accessLogPath) })
        let report = load.finish()
        #expect(try apus.client().get("/after-rotation").status == 200)
        expectLogged(by: apus, "/after-rotation", status: 200)
        let old = try String(contentsOfFile: rotated, encoding: .utf8).split(separator: "\n").map(String.init)
        let lines = old.map(AccessLogLine.init) + apus.accessLog
        #expect(lines.count { $0.request.contains("/load/") } == report.answeredCount)
        #expect(try apus.metric("apus_log_lines_dropped_total") == 0)
    }

    @Test("A log that cannot be written is reported and counted, and no request fails")
    func cannotBeWritten() throws {
        let target = try TargetServer()
        let apus = try ApusProcess.start(Document(target))
        try FileManager.default.removeItem(atPath: apus.accessLogPath)
        try FileManager.default.createDirectory(atPath: apus.accessLogPath, withIntermediateDirectories: false)
        apus.process.signal(SIGUSR1)
        let report = LoadGenerator(port: apus.port, requests: 200).waitForEnd()
        #expect(report.badCount == 0)
        #expect(eventually { apus.errors.contains("access.log") }, "the failure is reported:\n\(apus.errors)")
    }
}
