import Glibc
import Testing

/// Listeners and targets on IPv6 and on a well-known port.
@Suite struct AddressTests {
    /// Whether this machine has an IPv6 loopback address.
    static let hasIPv6 = (try? Socket.listening(host: "::1")) != nil

    @Test("IPv6: clients, targets, health checks, fields and logs", .enabled(if: hasIPv6, "this machine has no ::1"))
    func ipv6() throws {
        let target = try TargetServer(host: "::1")
        var document = Document(target, attributes: ["routing.http.xff_client_port.enabled": true])
        document.addresses = ["::1", Socket.loopback]
        let apus = try ApusProcess.start(document)
        #expect(apus.target(target.address, becomes: "healthy"))
        let client = try apus.client()
        #expect(try client.get("/six", host: "[::1]:\(apus.port)").text == "blue\n")
        let from = "[::1]:\(try client.socket.localPort())"
        let request = try #require(target.requests.last)
        #expect(request["x-forwarded-for"] == from)
        #expect(request["host"] == "[::1]:\(apus.port)")
        let line = expectLogged(by: apus, "/six", status: 200, target: "[::1]:\(target.port)", targetStatus: 200)
        #expect(line?.client == from)
        #expect(line?.request == "GET http://[::1]:\(apus.port)/six HTTP/1.1")

        // The other address of the same listener, and a request without Host.
        #expect(try RawClient(port: apus.port).get("/four").text == "blue\n")
        expectLogged(by: apus, "/four", status: 200, target: "[::1]:\(target.port)")
        #expect(try apus.client().exchange("GET /old HTTP/1.0\r\n\r\n").text == "blue\n")
        #expect(target.requests.last { $0.target == "/old" }?["host"] == "[::1]:\(apus.port)")
    }

    @Test(
        "IPv6 addresses are bare in X-Forwarded-For without the port", .enabled(if: hasIPv6, "this machine has no ::1"))
    func forwardedForIPv6() throws {
        let target = try TargetServer(host: "::1")
        var document = Document(target)
        document.addresses = ["::1"]
        let apus = try ApusProcess.start(document)
        #expect(try apus.client().get("/bare", fields: "X-Forwarded-For: 2001:db8::1\r\n").status == 200)
        #expect(target.requests.last?["x-forwarded-for"] == "2001:db8::1, ::1")
        expectLogged(by: apus, "/bare", status: 200)
    }

    @Test("On port 80 the port is removed from Host", .enabled(if: getuid() == 0, "only root may bind port 80"))
    func wellKnownPort() throws {
        let target = try TargetServer()
        var document = Document(target)
        // Of the many addresses of the loopback interface, one that no other run is likely to have chosen.
        let host = "127.\(Int.random(in: 64...191)).\(Int.random(in: 0...255)).\(Int.random(in: 1...254))"
        document.addresses = [host]
        document.listeners[0].port = 80
        let apus = try ApusProcess.start(document)
        let client = try apus.client()
        let cases = [
            ("example.com", "example.com"), ("Example.com:80", "example.com"), ("example.com:8443", "example.com"),
            ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("example.com:", "example.com"),
        ]
        for (sent, seen) in cases {
            #expect(try client.get("/port", host: sent).status == 200)
            #expect(target.requests.last?.values("host") == [seen], "\(sent)")
        }
        #expect(target.requests.last?["x-forwarded-port"] == "80")
        #expect(try client.exchange("GET /old HTTP/1.0\r\n\r\n").status == 200)
        #expect(target.requests.last { $0.target == "/old" }?["host"] == host)
        expectLogged(by: apus, "GET http://example.com:80/port HTTP/1.1", status: 200)
    }
}
