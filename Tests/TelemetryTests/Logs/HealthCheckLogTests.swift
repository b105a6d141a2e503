import Core
import Testing

@testable import Telemetry

@Suite struct HealthCheckLogTests {
    private static let begin: UInt64 = 1_769_862_896_789_012_000

    private func line(
        _ format: AccessLog.Format?, status: Int?, reason: HealthCheckRecord.Reason?, target: String = "10.0.0.7",
        local: String? = "10.0.0.1"
    ) -> String {
        let ring = LogRing(capacity: 4096)
        let log = HealthCheckLog(format: format, sink: LogSink(ring: ring, wakeup: LogWakeup()))
        let record = HealthCheckRecord(
            type: "http", beganAt: Self.begin, duration: 19_584_011,
            target: SocketAddress(literal: target, port: 8080)!, status: status, reason: reason,
            local: local.flatMap { SocketAddress(literal: $0, port: 51234) })
        log.write(record, group: Array("blue".utf8).span, loadBalancer: Array("app/web".utf8).span)
        return ring.takeText()
    }

    @Test func tenFields() {
        #expect(
            line(.alb, status: 200, reason: nil)
                == "http 2026-01-31T12:34:56.789012Z 0.019584011 10.0.0.7:8080 blue PASS 200 - app/web 10.0.0.1\n")
        #expect(
            line(.alb, status: nil, reason: .connectionReset, target: "2001:db8::7", local: nil)
                == "http 2026-01-31T12:34:56.789012Z 0.019584011 [2001:db8::7]:8080 blue FAIL - ConnectionReset "
                + "app/web -\n")
    }

    @Test func oneObject() {
        #expect(
            line(.json, status: 503, reason: .targetError)
                == #"{"type":"http","time":"2026-01-31T12:34:56.789012Z","latency":0.019584011,"#
                + #""target_addr":"10.0.0.7:8080","target_group_id":"blue","status":"FAIL","status_code":503,"#
                + #""reason_code":"TargetError","elb":"app/web","ip_address":"10.0.0.1"}"# + "\n")
        #expect(
            line(.json, status: nil, reason: nil, local: nil).hasSuffix(
                #""status":"PASS","status_code":null,"reason_code":null,"elb":"app/web","ip_address":null}"# + "\n"))
    }

    @Test func offWritesNothing() { #expect(line(nil, status: 200, reason: nil).isEmpty) }

    @Test func whatDoesNotFitIsCounted() {
        let log = HealthCheckLog(format: .alb, sink: LogSink(ring: LogRing(capacity: 64), wakeup: LogWakeup()))
        let record = HealthCheckRecord(
            type: "tcp", beganAt: Self.begin, duration: 1, target: SocketAddress(literal: "10.0.0.7", port: 80)!,
            status: nil, reason: nil, local: nil)
        log.write(record, group: Array("blue".utf8).span, loadBalancer: Array("net/web".utf8).span)
        #expect(log.linesDropped == 1)
    }
}
