import Core
import Testing

@testable import Telemetry

/// The line of a connection to a TLS listener. Source: docs/elbv2.md, "Flow log".
@Suite struct AccessLogFlowTests {
    private func line(_ format: AccessLog.Format, isAgreed: Bool = true) -> String {
        let ring = LogRing(capacity: 16 * 1024)
        let log = AccessLog(format: format, sink: LogSink(ring: ring, wakeup: LogWakeup()), counters: WorkerCounters())
        var record = FlowRecord(
            kind: .tls, acceptedAt: 1_700_000_000_000_000_000,
            client: SocketAddress(literal: "192.0.2.7", port: 1234)!,
            listener: SocketAddress(literal: "192.0.2.1", port: 443)!, trace: (1, 2))
        record.duration = 2_345_678_901
        record.handshakeTime = isAgreed ? 12_345_678 : nil
        record.receivedBytes = 98
        record.sentBytes = 246
        record.alert = isAgreed ? nil : 48
        let nothing: [UInt8] = []
        let balancer = Array("net/web".utf8), name = isAgreed ? Array("a.example".utf8) : []
        let certificate = isAgreed ? Array("a.pem".utf8) : [],
            cipher = isAgreed ? Array("TLS_AES_128_GCM_SHA256".utf8) : []
        let exchange = isAgreed ? Array("x25519".utf8) : []
        let offered: [UInt8] = isAgreed ? [2, 0x68, 0x32, 3, 0x61, 0x22, 0x62] : []
        log.write(
            record,
            names: FlowRecord.Names(loadBalancer: balancer.span, targetGroup: nothing.span, serverName: name.span),
            tls: FlowRecord.TLSNames(
                certificate: certificate.span, cipher: cipher.span, version: isAgreed ? "tlsv13" : "",
                keyExchange: exchange.span, clientProtocol: isAgreed ? "h2" : "", targetProtocol: "",
                offeredProtocols: offered.span))
        return ring.takeText()
    }

    @Test func hasTheFieldsOfNLB() {
        let line = line(.alb)
        #expect(
            line
                == "tls 2.0 2023-11-14T22:13:22 net/web 443 192.0.2.7:1234 192.0.2.1:443 2345 12 98 246 - a.pem - "
                + "TLS_AES_128_GCM_SHA256 tlsv13 x25519 a.example h2 - \"h2\",\"a%22b\" 2023-11-14T22:13:20\n")
        #expect(line.split(separator: " ").count == 22)
    }

    @Test func whatWasNotAgreedOnIsADash() {
        let line = line(.alb, isAgreed: false)
        #expect(line.hasSuffix("2345 - 98 246 48 - - - - - - - - - 2023-11-14T22:13:20\n"), "\(line)")
        #expect(line.split(separator: " ").count == 22)
    }

    @Test func isJSONWhereAsked() {
        let line = line(.json)
        #expect(
            line.hasPrefix(
                "{\"type\":\"tls\",\"version\":\"2.0\",\"time\":\"2023-11-14T22:13:22\",\"elb\":\"net/web\","))
        #expect(line.contains("\"alpn_client_preference_list\":[\"h2\",\"a%22b\"],"))
        #expect(line.hasSuffix("\"tls_connection_creation_time\":\"2023-11-14T22:13:20\"}\n"))
        #expect(self.line(.json, isAgreed: false).contains("\"incoming_tls_alert\":48,\"chosen_cert_arn\":null,"))
    }
}
