import Foundation
import TestCertificates
import Testing

/// The access log line of a connection to a TLS listener: 22 fields, or one JSON object.
///
/// Source: docs/elbv2.md, "Flow log". Fields are counted from 1, as there.
@Suite struct TLSFlowLogTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost", "a.example.com"])
    static let roots = authority.own.certificatePath

    /// A TLS listener with HTTP2Preferred, and a TLS target with the same.
    private func start(_ format: String, listener: [String: JSON] = [:]) throws -> ApusProcess {
        let target = try TLSStreamTarget(Self.own, "alpn=h2,http/1.1")
        var document = Document.network()
        document.listeners[0].settings = ["protocol": "TLS", "alpnPolicy": ["HTTP2Preferred"]].merging(listener) { $1 }
        document.listeners[0].certificates = [Self.own]
        document.groups = [
            Document.Group(
                "blue", program: target.program, settings: ["protocol": "TLS", "healthCheckProtocol": "TCP"])
        ]
        document.logFormat = format
        return try ApusProcess.start(document)
    }

    private func run(_ apus: ApusProcess, _ words: [String], roots: String = roots) throws {
        _ = try TLSStreamClient(apus, words, roots: roots).seen()
    }

    /// The lines of the access log, once there are `count`.
    private func lines(_ apus: ApusProcess, _ count: Int) throws -> [String] {
        func all() -> [String] { apus.accessLog.map(\.line) }
        try #require(eventually { all().count == count }, "\(all())")
        return all()
    }

    /// Checks the format of a line, and returns its fields without those that depend on time.
    private func fields(_ line: String, _ apus: ApusProcess) throws -> [String] {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        try #require(fields.count == 22, "\(line)")
        let time = #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/#
        #expect(try time.wholeMatch(in: fields[2]) != nil && time.wholeMatch(in: fields[21]) != nil, "\(line)")
        #expect(fields[21] <= fields[2], "it began before it ended")
        #expect(Array(fields[3...4]) == ["net/web", "\(apus.port)"], "\(line)")
        #expect(try #/127\.0\.0\.1:\d+/#.wholeMatch(in: fields[5]) != nil, "\(line)")
        #expect(fields[6] == "127.0.0.1:\(apus.port)", "\(line)")
        #expect(Int(fields[7]) != nil, "\(line)")
        return fields
    }

    private func expectConnectionLog(of apus: ApusProcess, _ text: String) {
        func log() -> String { (try? String(contentsOfFile: "\(apus.folder)/connection.log", encoding: .utf8)) ?? "" }
        #expect(eventually { log().contains(text) }, "\(text) is not in \(log())")
    }

    @Test("A connection in the format of Network Load Balancers, field by field")
    func normal() throws {
        let apus = try start("alb")
        try run(apus, ["name=localhost", "alpn=h2,http/1.1", "echo=12345", "end", "readall"])
        let fields = try fields(lines(apus, 1)[0], apus)
        #expect(Array(fields[0...1]) == ["tls", "2.0"])
        #expect(try #require(Int(fields[8])) <= #require(Int(fields[7])), "the handshake is a part of it")
        #expect(
            Array(fields[9...20]) == [
                "12345", "12345", "-", "certificate.pem", "-", "TLS_AES_128_GCM_SHA256", "tlsv13", "x25519",
                "localhost",
                "h2", "h2", #""h2","http/1.1""#,
            ])
        expectConnectionLog(of: apus, " type=tls elb=\"net/web\" ")
        expectConnectionLog(of: apus, " ended=finished ended_by=client ")
    }

    @Test("A resumed session, in TLS 1.2 and 1.3", arguments: ["1.2", "1.3"])
    func resumed(version: String) throws {
        let apus = try start("alb")
        try run(apus, ["version=\(version)", "name=localhost", "alpn=h2", "twice", "echo=10", "end", "readall"])
        let lines = try lines(apus, 2)
        let first = try fields(lines[0], apus)
        let second = try fields(lines[1], apus)
        #expect(first[12] == "certificate.pem")
        #expect(second[12] == "session-reused", "no certificate was presented")
        #expect([first, second].allSatisfy { $0[15] == (version == "1.2" ? "tlsv12" : "tlsv13") })
        #expect(first[16] == "x25519")
        #expect(second[16] == (version == "1.2" ? "-" : "x25519"), "TLS 1.2 resumes without a key exchange")
        #expect(Array(second[17...20]) == ["localhost", "h2", "h2", #""h2""#])
    }

    /// The client does not trust the authority and sends alert 48. Source: RFC 8446 §6.2.
    @Test("A handshake that the client aborts with an alert", arguments: ["1.2", "1.3"])
    func alert(version: String) throws {
        let apus = try start("alb")
        let stranger = TestAuthority("Another").own.certificatePath
        try run(apus, ["version=\(version)", "name=a.example.com", "alpn=http/1.1"], roots: stranger)
        let fields = try fields(lines(apus, 1)[0], apus)
        #expect(
            Array(fields[8...20]) == [
                "-", "0", "0", "48", "certificate.pem", "-", "-", "-", "-", "a.example.com", "http/1.1", "-",
                #""http/1.1""#,
            ])
        expectMetric(apus, "apus_client_tls_failures_total", "alert_received", is: 1)
        expectConnectionLog(of: apus, " ended=client_tls ended_by=client reason=alert_received ")
    }

    @Test("A client without SNI and ALPN, one without a common protocol, and one without TLS")
    func bare() throws {
        let apus = try start("alb", listener: ["alpnPolicy": ["HTTP2Only"]])
        try run(apus, ["echo=1", "end", "readall"])
        #expect(try Array(fields(lines(apus, 1)[0], apus)[17...20]) == ["-", "-", "-", "-"])
        try run(apus, ["name=localhost", "alpn=http/1.1,spdy/3 \"x\"", "echo=1", "end", "readall"])
        let other = try fields(lines(apus, 2)[1], apus)
        #expect(Array(other[9...10]) == ["1", "1"] && other[12] == "certificate.pem")
        #expect(Array(other[17...20]) == ["localhost", "-", "-", #""http/1.1","spdy/3%20%22x%22""#])
        let client = try apus.client()
        try client.send("GET / HTTP/1.1\r\n\r\n")
        #expect(client.ended())
        #expect(
            try Array(fields(lines(apus, 3)[2], apus)[8...20]) == ["-", "0", "0"] + Array(repeating: "-", count: 10))
    }

    @Test("An invalid server name is escaped and stays one field")
    func oddNames() throws {
        let apus = try start("alb")
        try run(apus, ["name=a\"b c\n.example", "echo=1", "end", "readall"])
        let line = try lines(apus, 1)[0]
        #expect(try fields(line, apus)[17] == "a%22b%20c%0a.example", "\(line)")
    }

    @Test("The same as JSON: a connection, and a handshake that the client aborts")
    func json() throws {
        let apus = try start("json")
        try run(apus, ["name=localhost", "alpn=h2,http/1.1", "echo=12345", "end", "readall"])
        try run(apus, ["version=1.2"], roots: TestAuthority("Another").own.certificatePath)
        let lines = try lines(apus, 2).map { JSON(parsing: Array($0.utf8)).members }
        let common: [String: JSON] = [
            "type": "tls", "version": "2.0", "elb": "net/web", "listener": JSON(apus.port),
            "destination_ip": "127.0.0.1", "destination_port": JSON(apus.port), "client_ip": "127.0.0.1",
            "chosen_cert_serial": .null, "chosen_cert_arn": "certificate.pem",
        ]
        let normal: [String: JSON] = [
            "received_bytes": 12345, "sent_bytes": 12345, "incoming_tls_alert": .null,
            "tls_cipher": "TLS_AES_128_GCM_SHA256", "tls_protocol_version": "tlsv13", "tls_keyexchange": "x25519",
            "domain_name": "localhost", "alpn_fe_protocol": "h2", "alpn_be_protocol": "h2",
            "alpn_client_preference_list": ["h2", "http/1.1"],
        ]
        let broken: [String: JSON] = [
            "received_bytes": 0, "sent_bytes": 0, "incoming_tls_alert": 48, "tls_cipher": .null,
            "tls_protocol_version": .null, "tls_keyexchange": .null, "domain_name": .null, "alpn_fe_protocol": .null,
            "alpn_be_protocol": .null, "alpn_client_preference_list": [], "tls_handshake_time": .null,
        ]
        let timed = ["time", "client_port", "connection_time", "tls_handshake_time", "tls_connection_creation_time"]
        for (line, own) in zip(lines, [normal, broken]) {
            #expect(line.count == 24, "two of the 22 are an address and a port")
            for (key, value) in common.merging(own, uniquingKeysWith: { $1 }) { #expect(line[key] == value, "\(key)") }
            #expect(timed.allSatisfy { line[$0] != nil }, "\(line)")
            #expect(try #require(line["connection_time"]?.int) >= line["tls_handshake_time"]?.int ?? 0)
        }
    }

    @Test("A connection that ended by idle timeout is logged too")
    func idle() throws {
        let apus = try start("alb", listener: ["attributes": ["tcp.idle_timeout.seconds": 0.4]])
        try run(apus, ["name=localhost", "send=12345", "read", "read"])
        let fields = try fields(lines(apus, 1)[0], apus)
        #expect(try #require(Int(fields[7])) >= 400, "milliseconds")
        #expect(Array(fields[9...12]) == ["5", "5", "-", "certificate.pem"])
    }
}
