import Core

/// The facts about one health check that its line needs.
///
/// Shape:  a trivial value. Source: Application Load Balancers user guide, "Health check logs"; docs/elbv2.md, "Health
///         check log".
public struct HealthCheckRecord {
    /// Why a check did not pass.
    public enum Reason: CaseIterable, Sendable {
        case timedOut, connectionReset, responseCodeMismatch, responseStringMismatch, internalError, targetError
        case grpcStatusHeaderEmpty, grpcUnexpectedStatus

        /// The reason code of ELBv2.
        public var code: StaticString {
            switch self {
            case .timedOut: "TimedOut"
            case .connectionReset: "ConnectionReset"
            case .responseCodeMismatch: "ResponseCodeMismatch"
            case .responseStringMismatch: "ResponseStringMismatch"
            case .internalError: "InternalError"
            case .targetError: "TargetError"
            case .grpcStatusHeaderEmpty: "GRPCStatusHeaderEmpty"
            case .grpcUnexpectedStatus: "GRPCUnexpectedStatus"
            }
        }
    }

    /// What was spoken: `http`, `https`, `h2` or `grpc`; `tcp` is ours.
    public var type: StaticString
    /// When it began: time of day, as `WallClock.now()`.
    public var beganAt: UInt64
    /// How long it took.
    public var duration: Nanoseconds
    /// Where it was made.
    public var target: SocketAddress
    /// The status that the target answered, of gRPC's in a check of gRPC; nil without an answer.
    public var status: Int?
    /// Why it failed; nil if it passed.
    public var reason: Reason?
    /// The address on our side; nil if there was no connection.
    public var local: SocketAddress?

    /// A record of these facts.
    public init(
        type: StaticString, beganAt: UInt64, duration: Nanoseconds, target: SocketAddress, status: Int?,
        reason: Reason?, local: SocketAddress?
    ) {
        self.type = type
        self.beganAt = beganAt
        self.duration = duration
        self.target = target
        self.status = status
        self.reason = reason
        self.local = local
    }
}

/// The health check log: formats lines and appends them to the ring of the control thread.
public final class HealthCheckLog {
    /// How a line looks; nil while the log is off.
    public var format: AccessLog.Format?
    /// Lines that did not fit into the ring.
    public private(set) var linesDropped: UInt64 = 0
    private let line = Buffer(capacity: Limits.connectionLogLineBytesMax)
    private var sink: LogSink

    /// A log whose lines go to `sink`.
    public init(format: AccessLog.Format?, sink: LogSink) {
        self.format = format
        self.sink = sink
    }

    /// Writes the line of a check of a target of `group`, to which `loadBalancer` forwards.
    public func write(_ record: HealthCheckRecord, group: Span<UInt8>, loadBalancer: Span<UInt8>) {
        guard let format else { return }
        line.removeAll()
        switch format {
        case .alb: appendALB(record, group, loadBalancer)
        case .json: appendJSON(record, group, loadBalancer)
        }
        if !sink.append(line) { linesDropped += 1 }
        sink.flush()
    }

    // Keeps the column of field numbers aligned.
    // swift-format-ignore
    private func appendALB(_ record: HealthCheckRecord, _ group: Span<UInt8>, _ loadBalancer: Span<UInt8>) {
        line.append(record.type)                                                // 1
        line.append(.space)
        line.append(timestamp: record.beganAt)                                  // 2
        line.append(.space)
        line.append(seconds: record.duration, digitCount: 9)                    // 3
        line.append(.space)
        appendTarget(record)                                                    // 4
        line.append(.space)
        line.append(escaping: group, as: .bare, limit: Limits.logFieldBytesMax) // 5
        line.append(record.reason == nil ? " PASS " : " FAIL ")                 // 6
        appendStatus(record, otherwise: "-")                                    // 7
        line.append(.space)
        line.append(record.reason?.code ?? "-")                                 // 8
        line.append(.space)
        line.append(escaping: loadBalancer, as: .bare, limit: Limits.logFieldBytesMax) // 9
        line.append(.space)
        if let local = record.local { line.append(hostOf: local) } else { line.append("-") } // 10
        line.append("\n")
    }

    private func appendTarget(_ record: HealthCheckRecord) {
        line.append(hostOf: record.target, bracketed: true)
        line.append(.colon)
        line.append(decimal: UInt64(record.target.port))
    }

    private func appendStatus(_ record: HealthCheckRecord, otherwise: StaticString) {
        if let status = record.status { line.append(decimal: UInt64(status)) } else { line.append(otherwise) }
    }

    private func appendJSON(_ record: HealthCheckRecord, _ group: Span<UInt8>, _ loadBalancer: Span<UInt8>) {
        line.append("{\"type\":\"")
        line.append(record.type)
        line.append("\",\"time\":\"")
        line.append(timestamp: record.beganAt)
        line.append("\",\"latency\":")
        line.append(seconds: record.duration, digitCount: 9)
        line.append(",\"target_addr\":\"")
        appendTarget(record)
        line.append(.quote)
        line.append(member: "target_group_id", group)
        line.append(",\"status\":\"")
        line.append(record.reason == nil ? "PASS" : "FAIL")
        line.append("\",\"status_code\":")
        appendStatus(record, otherwise: "null")
        line.append(key: "reason_code")
        appendText(record.reason?.code)
        line.append(member: "elb", loadBalancer)
        line.append(key: "ip_address")
        if let local = record.local {
            line.append(.quote)
            line.append(hostOf: local)
            line.append(.quote)
        } else {
            line.append("null")
        }
        line.append("}\n")
    }

    private func appendText(_ text: StaticString?) {
        guard let text else { return line.append("null") }
        line.append(.quote)
        line.append(text)
        line.append(.quote)
    }
}
