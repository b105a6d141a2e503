import Core
import Testing

@testable import Telemetry

/// The lines of the connection log. Source: docs/elbv2.md, "Connection log".
@Suite struct ConnectionLogTests {
    /// What was written of one connection.
    private func line(
        _ format: AccessLog.Format, failure: StaticString? = nil, subject: String = "CN=a \"b\""
    ) -> String {
        let ring = LogRing(capacity: 16 * 1024)
        let log = ConnectionLog(
            format: format, sink: LogSink(ring: ring, wakeup: LogWakeup()), counters: WorkerCounters())
        let record = ConnectionRecord(
            acceptedAt: 1_700_000_000_123_456_000, handshakeTime: failure == nil ? 12_000_000 : nil,
            client: SocketAddress(literal: "192.0.2.7", port: 1234)!,
            listener: SocketAddress(literal: "192.0.2.1", port: 443)!, trace: (1, 2), failure: failure)
        let nothing = InlineArray<0, UInt8>(repeating: 0)
        let subject = Array(subject.utf8), balancer = Array("app/web".utf8), version = Array("TLSv1.3".utf8)
        let cipher = Array("TLS_AES_128_GCM_SHA256".utf8), group = Array("x25519".utf8)
        log.write(
            record,
            names: ConnectionRecord.Names(
                loadBalancer: balancer.span, version: version.span, cipher: cipher.span, keyExchange: group.span,
                subject: subject.span, validity: nothing.span, serialNumber: nothing.span))
        return ring.takeText()
    }

    @Test func hasTheFieldsOfALB() {
        #expect(
            line(.alb)
                == "2023-11-14T22:13:20.123456Z 192.0.2.7 1234 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.012 "
                + "\"CN=a \\x22b\\x22\" - - Success TID_00000000000000010000000000000002 x25519 app/web 192.0.2.1\n")
    }

    @Test func aFailureHasItsCodeAndNoTime() {
        let line = line(.alb, failure: "ClientCertExpired", subject: "")
        #expect(line.contains(" - \"-\" - - Failed:ClientCertExpired TID_"), "\(line)")
        #expect(line.split(separator: " ").count == 15)
    }

    @Test func isJSONWhereAsked() {
        let line = line(.json)
        #expect(line.hasPrefix("{\"timestamp\":\"2023-11-14T22:13:20.123456Z\",\"client_ip\":\"192.0.2.7\","))
        #expect(line.contains("\"tls_handshake_latency\":0.012,"))
        #expect(line.contains("\"leaf_client_cert_serial_number\":null,\"tls_verify_status\":\"Success\","))
        #expect(line.hasSuffix("\"ip_address\":\"192.0.2.1\"}\n"))
    }
}
