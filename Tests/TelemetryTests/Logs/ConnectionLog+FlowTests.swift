import Core
import Testing

@testable import Telemetry

/// The line of a flow, in both forms.
@Suite struct ConnectionLogFlowTests {
    private func line(_ format: AccessLog.Format, _ change: (inout FlowRecord) -> Void = { _ in }) -> String {
        let ring = LogRing(capacity: 16 * 1024)
        let log = ConnectionLog(
            format: format, sink: LogSink(ring: ring, wakeup: LogWakeup()), counters: WorkerCounters())
        var record = FlowRecord(
            kind: .tcp, acceptedAt: 1_700_000_000_000_000_000,
            client: SocketAddress(literal: "192.0.2.7", port: 1234)!,
            listener: SocketAddress(literal: "2001:db8::1", port: 5432)!, trace: (1, 2))
        record.duration = 1_500_000_000
        record.receivedBytes = 5
        record.sentBytes = 7
        change(&record)
        let balancer = Array("net/db".utf8), group = Array("blue".utf8), name = Array("a \"b\"".utf8)
        log.write(
            record,
            names: FlowRecord.Names(loadBalancer: balancer.span, targetGroup: group.span, serverName: name.span))
        return ring.takeText()
    }

    @Test func isLogfmtWhereTheFormatIsALBs() {
        #expect(
            line(.alb)
                == "time=2023-11-14T22:13:21.500000Z type=tcp elb=\"net/db\" client=192.0.2.7:1234 "
                + "listener=[2001:db8::1]:5432 target_group=\"blue\" server_name=\"a \\x22b\\x22\" "
                + "received_bytes=5 sent_bytes=7 duration=1.500000 ended=finished ended_by=client "
                + "conn_trace_id=TID_00000000000000010000000000000002\n")
    }

    @Test func isJSONWhereAsked() {
        let line = line(.json) { record in
            record.target = SocketAddress(literal: "10.0.0.1", port: 80)!
            record.connectTime = 1_000_000
            record.ending = .connectFailed
            record.endedBy = .target
            record.reason = "why"
        }
        #expect(line.hasPrefix("{\"time\":\"2023-11-14T22:13:21.500000Z\",\"type\":\"tcp\",\"elb\":\"net/db\","))
        #expect(line.contains("\"target\":\"10.0.0.1:80\",\"target_group\":\"blue\",\"server_name\":\"a \\\"b\\\"\","))
        #expect(line.contains("\"tls_handshake_time\":null,\"connect_time\":0.001000,"))
        #expect(line.contains("\"ended\":\"connect_failed\",\"ended_by\":\"target\",\"reason\":\"why\","))
        #expect(line.hasSuffix("\"conn_trace_id\":\"TID_00000000000000010000000000000002\"}\n"))
    }
}
