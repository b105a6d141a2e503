import Foundation
import TestCertificates
import Testing

/// Every protocol of clients with every protocol of targets, with curl and nginx.
@Suite struct ProtocolMatrixTests {
    /// The protocol of the client.
    enum Front: String, CaseIterable, Sendable {
        case http1, https1, https2, h2c

        var isHTTP2: Bool { self == .https2 || self == .h2c }
        var isTLS: Bool { self == .https1 || self == .https2 }
        var flag: String {
            switch self {
            case .http1, .https1: "--http1.1"
            case .https2: "--http2"
            case .h2c: "--http2-prior-knowledge"
            }
        }
    }

    /// The protocol of the target.
    enum Back: String, CaseIterable, Sendable {
        case http1, https1, h2c, https2

        var isHTTP2: Bool { self == .https2 || self == .h2c }
        var isTLS: Bool { self == .https1 || self == .https2 }
    }

    static let authority = TestAuthority()
    static let own = authority.issue(["localhost"])

    /// Apus with a listener of each kind, and a target that speaks `back`.
    private struct Scene {
        let apus: ApusProcess
        let target: PortServer

        init(_ back: Back, _ front: Front) throws {
            target = try PortServer.nginx(isHTTP2: back.isHTTP2, pair: back.isTLS ? own : nil)
            var listener = Document.Listener(defaultAction: Document.forward("blue"))
            if front.isTLS { listener.certificates = [own] }
            let settings: [String: JSON] = [
                "protocol": back.isTLS ? "HTTPS" : "HTTP", "protocolVersion": back.isHTTP2 ? "HTTP2" : "HTTP1",
                "healthCheckProtocol": back.isTLS ? "HTTPS" : "HTTP", "healthCheckPath": "/",
            ]
            // A listener without HTTP/2 must not forward to it at all, so here the listener has it and curl does not
            // use it.
            let document = Document(
                listeners: [listener], groups: [.init("blue", program: target, settings: settings)],
                attributes: ["apus.h2c.enabled": true])
            apus = try ApusProcess.start(document)
        }

        func curl(_ front: Front, _ path: String, _ more: [String] = []) throws -> String {
            let scheme = front.isTLS ? "https" : "http"
            return try Tool.run(
                [
                    "curl", "-q", "-sS", "--noproxy", "*", "--max-time", "30", "--cacert",
                    authority.own.certificatePath,
                    front.flag, "-w", "%{http_code} %{size_download} %{http_version}", "-o", "/dev/null",
                ] + more + ["\(scheme)://localhost:\(apus.port)\(path)"], in: apus.folder, expectsSuccess: false)
        }
    }

    @Test(arguments: Front.allCases, Back.allCases) func everyPair(front: Front, back: Back) throws {
        let scene = try Scene(back, front)
        let version = front.isHTTP2 ? "2" : "1.1"
        guard front.isHTTP2 || !back.isHTTP2 else {
            #expect(try scene.curl(front, "/").hasPrefix("464 "), "HTTP/1 does not go to groups of HTTP/2")
            return
        }
        #expect(try scene.curl(front, "/") == "200 6 \(version)")
        #expect(try scene.curl(front, "/large") == "200 10000000 \(version)")
        #expect(try scene.curl(front, "/large", ["-I"]).hasPrefix("200 0 "))
        try Data(count: 10_000_000).write(to: URL(fileURLWithPath: "\(scene.apus.folder)/upload"))
        let put = try scene.curl(front, "/put/file", ["-T", "\(scene.apus.folder)/upload"])
        #expect(put.hasPrefix("201 "), "\(put)")
        let stored = try Data(contentsOf: URL(fileURLWithPath: "\(scene.target.folder)/put/file"))
        #expect(stored.count == 10_000_000, "all of it came")
        // nginx rejects it by its Content-Length, before the body arrives.
        let early = try scene.curl(front, "/early", ["-T", "\(scene.apus.folder)/upload"])
        #expect(early.hasPrefix("413 "), "\(early)")
        // The same during the upload: the response arrives while the request is still being sent.
        let late = try scene.curl(front, "/early", ["-H", "Expect:", "-T", "\(scene.apus.folder)/upload"])
        #expect(late.hasPrefix("413 "), "\(late)")
        // The target disappears.
        #expect(try scene.curl(front, "/gone").hasPrefix("502 "))
        // The client disconnects during the response.
        _ = try scene.curl(front, "/slow", ["--max-time", "0.5"])
        #expect(try scene.curl(front, "/") == "200 6 \(version)", "all others are served on")
        #expect(eventually { scene.apus.accessLog.contains { $0.line.contains(" 460 200 ") } })
        #expect(try eventually { try scene.apus.metric("apus_requests_active") == 0 })
    }

    /// Trailers of the request and of the response, and an interim response, reach the other side and come back.
    @Test(arguments: Front.allCases, Back.allCases) func trailersCrossEveryPair(front: Front, back: Back) throws {
        if back.isHTTP2 && !front.isHTTP2 { return }  // 464, as `everyPair` sees
        let pair = [Self.own.certificatePath, Self.own.privateKeyPath]
        let target = try PortServer(label: "target") { port, _ in
            [Tool.python, Tool.script("trailers_target"), "\(port)", back.isHTTP2 ? "http2" : "http1"]
                + (back.isTLS ? pair : [])
        }
        let apus = try start(front, back, target)
        let told = try Tool.run(
            [Tool.python, Tool.script("trailers_client"), front.isHTTP2 ? "http2" : "http1", "\(apus.port)"]
                + (front.isTLS ? [Self.authority.own.certificatePath] : []), in: apus.folder)
        #expect(told == "103 200 5 x-heard: x-sum=5\n")
    }

    /// Apus with a listener that speaks `front` and one target that speaks `back`; it is checked by connecting alone.
    private func start(_ front: Front, _ back: Back, _ target: PortServer) throws -> ApusProcess {
        var listener = Document.Listener(defaultAction: Document.forward("blue"))
        if front.isTLS { listener.certificates = [Self.own] }
        let settings: [String: JSON] = [
            "protocol": back.isTLS ? "HTTPS" : "HTTP", "protocolVersion": back.isHTTP2 ? "HTTP2" : "HTTP1",
            "healthCheckProtocol": "TCP",
        ]
        return try ApusProcess.start(
            Document(
                listeners: [listener], groups: [.init("blue", program: target, settings: settings)],
                attributes: ["apus.h2c.enabled": true]))
    }

    /// What an HTTP/2 client gets if the target fails; other streams are not affected.
    @Test(arguments: [Front.h2c, .https2]) func targetsResetStreams(front: Front) throws {
        let apus = try start(front, .h2c, try PortServer.python("http2_target"))
        let scheme = front.isTLS ? "https" : "http"
        func curl(_ path: String, _ more: String...) throws -> String {
            try Tool.run(
                [
                    "curl", "-q", "-sS", "--noproxy", "*", "--max-time", "30", "--cacert",
                    Self.authority.own.certificatePath, front.flag, "-o", "/dev/null", "-w",
                    "%{http_code} %{size_download} %{errormsg}",
                ] + more + ["\(scheme)://localhost:\(apus.port)\(path)"], in: apus.folder, expectsSuccess: false)
        }
        #expect(try curl("/").hasPrefix("200 3 "))
        #expect(try curl("/reset").hasPrefix("502 "))
        #expect(try curl("/field").hasPrefix("502 "), "a field that HTTP/2 has not")
        #expect(try curl("/cut-late").contains(" HTTP/2 stream"), "what is not whole does not look whole")
        #expect(try curl("/cut").hasPrefix("502 "), "of which nothing was sent on")
        #expect(try curl("/length").hasPrefix("502 "), "nor what is shorter than it says")
        #expect(try curl("/refused").hasPrefix("200 3 "), "not seen by the target, so asked again")
        #expect(try curl("/goaway").hasPrefix("200 3 "), "the same")
        try Data(count: 10_000_000).write(to: URL(fileURLWithPath: "\(apus.folder)/upload"))
        #expect(try curl("/early", "-T", "\(apus.folder)/upload").hasPrefix("200 3 "), "an early answer is an answer")
        #expect(try curl("/silent", "--max-time", "0.5").hasPrefix("000 0 "))
        #expect(try curl("/").hasPrefix("200 3 "))
        #expect(try apus.metric("apus_http2_streams_reset_total", "target") >= 4)
        #expect(try apus.metric("apus_http2_stream_faults_total", "target") == 2)
        #expect(try eventually { try apus.metric("apus_requests_active") == 0 })
    }

    private func startWithHTTP2(_ target: PortServer, workers: Int = 2) throws -> ApusProcess {
        var document = Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", program: target, settings: ["protocolVersion": "HTTP2"])],
            attributes: ["apus.h2c.enabled": true])
        document.runtime["workers"] = JSON(workers)
        return try ApusProcess.start(document)
    }

    /// Connections that targets close during requests leave nothing behind.
    @Test func connectionsThatTargetsCloseLeaveNothing() throws {
        let apus = try startWithHTTP2(try PortServer.python("http2_target"))
        func fail(_ count: Int) throws {
            _ = try Tool.run(
                ["h2load", "-n", "\(count)", "-c", "4", "-m", "1", "http://127.0.0.1:\(apus.port)/hangup"],
                in: apus.folder)
        }
        try fail(500)
        let before = try #require(apus.process.memory("VmRSS"))
        try fail(2000)
        #expect(try #require(apus.process.memory("VmRSS")) - before < sanitized(16_000_000))
        #expect(try apus.metric("apus_requests_total") == 2500)
        #expect(try eventually { try apus.metric("apus_held_bytes") == 0 })
    }

    /// A target that accepts bytes and never responds is detected, although new requests arrive all the time.
    @Test func aDeadConnectionIsFoundUnderLoad() throws {
        let apus = try startWithHTTP2(try PortServer.python("http2_target"), workers: 1)
        func curl(_ path: String) throws -> String {
            try Tool.run(
                [
                    "curl", "-q", "-sS", "--max-time", "1", "--http2-prior-knowledge", "-o", "/dev/null", "-w",
                    "%{http_code} ", "http://127.0.0.1:\(apus.port)\(path)",
                ], in: apus.folder, expectsSuccess: false)
        }
        #expect(try curl("/die").hasPrefix("000 "))
        #expect(try eventually(within: 30) { try curl("/").hasPrefix("200 ") })
    }

    /// A request that was refused before its body was sent is retried with its body.
    @Test func aRefusedRequestIsSentAgainWithItsBody() throws {
        let target = try PortServer.python("http2_target", "0")
        let apus = try startWithHTTP2(target, workers: 1)
        // From now on the session knows that the target's initial windows are zero.
        #expect(try Tool.curl(apus, "--http2-prior-knowledge", "http://127.0.0.1:\(apus.port)/refused") == "ok\n")
        try Data(count: 32_768).write(to: URL(fileURLWithPath: "\(apus.folder)/body"))
        let told = Background {
            try Tool.curl(
                apus, "--http2-prior-knowledge", "--data-binary", "@body", "http://127.0.0.1:\(apus.port)/held")
        }
        #expect(try eventually { try apus.metric("apus_client_received_bytes_total") > 32_768 }, "all of it is there")
        try Data().write(to: URL(fileURLWithPath: "\(target.folder)/go"))
        #expect(try told.value() == "32768\n")
        #expect(try apus.metric("apus_retries_total") == 2)
    }

    /// The same with HTTP/1.1 targets, where only the connection can fail, for every protocol of clients.
    @Test(arguments: Front.allCases) func targetsBreakConnections(front: Front) throws {
        let target = try TargetServer { connection in
            while let request = try connection.request() {
                if request.target == "/cut" {
                    // More than is read before the response is forwarded.
                    let some = String(repeating: "x", count: 500_000)
                    return try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + some)
                }
                if request.target == "/reset" { return connection.reset() }
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
            }
        }
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        if front.isTLS { document.listeners[0].certificates = [Self.own] }
        let apus = try ApusProcess.start(document)
        let scheme = front.isTLS ? "https" : "http"
        func curl(_ path: String) throws -> String {
            try Tool.run(
                [
                    "curl", "-q", "-sS", "--noproxy", "*", "--max-time", "30", "--cacert",
                    Self.authority.own.certificatePath, front.flag, "-o", "/dev/null", "-w",
                    "%{http_code} %{size_download} %{exitcode}", "\(scheme)://localhost:\(apus.port)\(path)",
                ], in: apus.folder, expectsSuccess: false)
        }
        #expect(try curl("/").hasPrefix("200 3 0"))
        #expect(try curl("/reset").hasPrefix("502 "))
        let cut = try curl("/cut")
        #expect(cut.contains(front.isHTTP2 ? " 92curl" : " 18curl"), "what is not whole does not look whole: \(cut)")
        #expect(try curl("/").hasPrefix("200 3 0"))
    }

    @Test func httpx() throws {
        let target = try TargetServer(script: TargetScript.echo)
        var document = Document(target)
        document.listeners[0].certificates = [Self.own]
        let apus = try ApusProcess.start(document)
        let told = try Tool.run(
            [Tool.python, Tool.script("httpx_client"), "\(apus.port)", Self.authority.own.certificatePath],
            in: apus.folder)
        #expect(
            told == """
                [(('HTTP/1.1', 200), 300)] 200 1000000
                [(('HTTP/2', 200), 300)] 200 1000000

                """)
    }

    @Test("nghttp and h2load work, and lose nothing when the target ends connections")
    func nghttp2Tools() throws {
        let scene = try Scene(.h2c, .https2)
        let url = "https://localhost:\(scene.apus.port)/"
        let page = try Tool.run(["nghttp", "-nv", "--no-verify-peer", url, "\(url)large"], in: scene.apus.folder)
        #expect(page.contains(":status: 200"))
        let load = try Tool.run(["h2load", "-n", "20000", "-c", "8", "-m", "32", url], in: scene.apus.folder)
        #expect(load.contains("20000 succeeded, 0 failed, 0 errored"), "\(load)")
        // 256 streams at once, 100 on a connection, and nginx ends each after 1,000 requests.
        #expect(try scene.apus.metric("apus_target_http2_connections_opened_total") <= 80)
    }
}
