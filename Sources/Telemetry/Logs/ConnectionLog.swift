import Core

/// The facts about one connection to an HTTPS listener that its connection log line needs.
///
/// Shape:  a trivial value; texts are passed to `ConnectionLog` beside it. Source: docs/elbv2.md, "Connection log".
public struct ConnectionRecord {
    /// When the connection was accepted: time of day, as `WallClock.now()`.
    public var acceptedAt: UInt64
    /// How long the handshake took; nil if it failed.
    public var handshakeTime: Nanoseconds?
    /// The client's address.
    public var client: SocketAddress
    /// The address that the client connected to.
    public var listener: SocketAddress
    /// The trace id of the connection, the same in all logs.
    public var trace: (high: UInt64, low: UInt64)
    /// The reason code for which the client's certificate or the handshake was rejected; nil if it was not.
    public var failure: StaticString?

    public init(
        acceptedAt: UInt64, handshakeTime: Nanoseconds?, client: SocketAddress, listener: SocketAddress,
        trace: (high: UInt64, low: UInt64), failure: StaticString?
    ) {
        self.acceptedAt = acceptedAt
        self.handshakeTime = handshakeTime
        self.client = client
        self.listener = listener
        self.trace = trace
        self.failure = failure
    }

    /// What TLS has negotiated, borrowed while a line is written; empty where it does not apply.
    public struct Names: ~Escapable {
        let loadBalancer: Span<UInt8>
        let version: Span<UInt8>
        let cipher: Span<UInt8>
        let keyExchange: Span<UInt8>
        let subject: Span<UInt8>
        let validity: Span<UInt8>
        let serialNumber: Span<UInt8>

        /// The load balancer; version, cipher and key exchange; subject, validity and serial number of the client's
        /// certificate.
        @_lifetime(
            copy loadBalancer, copy version, copy cipher, copy keyExchange, copy subject, copy validity,
            copy serialNumber)
        public init(
            loadBalancer: Span<UInt8>, version: Span<UInt8>, cipher: Span<UInt8>, keyExchange: Span<UInt8>,
            subject: Span<UInt8>, validity: Span<UInt8>, serialNumber: Span<UInt8>
        ) {
            self.loadBalancer = loadBalancer
            self.version = version
            self.cipher = cipher
            self.keyExchange = keyExchange
            self.subject = subject
            self.validity = validity
            self.serialNumber = serialNumber
        }
    }
}

/// The connection log of one worker: formats lines and appends them to the worker's ring, as `AccessLog` does.
public final class ConnectionLog {
    let line = Buffer(capacity: Limits.connectionLogLineBytesMax)
    let format: AccessLog.Format
    private var sink: LogSink
    private let counters: WorkerCounters

    /// A log whose lines go to `sink`.
    public init(format: AccessLog.Format, sink: LogSink, counters: WorkerCounters) {
        self.format = format
        self.sink = sink
        self.counters = counters
    }

    /// Writes the line of a connection whose handshake has ended.
    public func write(_ record: ConnectionRecord, names: ConnectionRecord.Names) {
        let line = line
        line.removeAll()
        switch format {
        case .alb: appendALB(record, names)
        case .json: appendJSON(record, names)
        }
        commit()
    }

    /// Appends the line to the ring.
    func commit() {
        if !sink.append(line) { counters.connectionLogLinesDropped.add() }
    }

    /// Wakes the log writer if lines were written. Called once after each batch of events.
    public func flush() { sink.flush() }

    // Keeps the column of field numbers aligned.
    // swift-format-ignore
    private func appendALB(_ record: ConnectionRecord, _ names: ConnectionRecord.Names) {
        line.append(timestamp: record.acceptedAt)                               // 1
        line.append(.space)
        line.append(hostOf: record.client)                                      // 2
        number(UInt64(record.client.port))                                      // 3
        number(UInt64(record.listener.port))                                    // 4
        text(names.version)                                                     // 5
        text(names.cipher)                                                      // 6
        line.append(.space)
        appendTime(record.handshakeTime, otherwise: "-")                        // 7
        line.append(" \"")
        append(names.subject, as: .quoted)                                      // 8
        line.append(.quote)
        text(names.validity)                                                    // 9
        text(names.serialNumber)                                                // 10
        line.append(.space)
        appendStatus(record)                                                    // 11
        line.append(.space)
        line.append(trace: record.trace)                                        // 12
        text(names.keyExchange)                                                 // 13
        text(names.loadBalancer)                                                // 14
        line.append(.space)
        line.append(hostOf: record.listener)                                    // 15
        line.append(.lineFeed)
    }

    private func number(_ number: UInt64) {
        line.append(.space)
        line.append(decimal: number)
    }

    private func text(_ text: Span<UInt8>) {
        line.append(.space)
        append(text, as: .bare)
    }

    private func append(_ text: Span<UInt8>, as escaping: Escaping) {
        if text.isEmpty {
            line.append("-")
        } else {
            line.append(escaping: text, as: escaping, limit: Limits.logFieldBytesMax)
        }
    }

    private func appendTime(_ time: Nanoseconds?, otherwise: StaticString) {
        if let time { line.append(seconds: time, digitCount: 3) } else { line.append(otherwise) }
    }

    private func appendStatus(_ record: ConnectionRecord) {
        if let failure = record.failure {
            line.append("Failed:")
            line.append(failure)
        } else {
            line.append("Success")
        }
    }

    private func appendJSON(_ record: ConnectionRecord, _ names: ConnectionRecord.Names) {
        line.append("{\"timestamp\":\"")
        line.append(timestamp: record.acceptedAt)
        line.append("\",\"client_ip\":\"")
        line.append(hostOf: record.client)
        line.append("\",\"client_port\":")
        line.append(decimal: UInt64(record.client.port))
        line.append(",\"listener_port\":")
        line.append(decimal: UInt64(record.listener.port))
        member("tls_protocol", names.version)
        member("tls_cipher", names.cipher)
        line.append(",\"tls_handshake_latency\":")
        appendTime(record.handshakeTime, otherwise: "null")
        member("leaf_client_cert_subject", names.subject)
        member("leaf_client_cert_validity", names.validity)
        member("leaf_client_cert_serial_number", names.serialNumber)
        line.append(",\"tls_verify_status\":\"")
        appendStatus(record)
        line.append("\",\"conn_trace_id\":\"")
        line.append(trace: record.trace)
        line.append(.quote)
        member("tls_keyexchange", names.keyExchange)
        member("elb", names.loadBalancer)
        line.append(",\"ip_address\":\"")
        line.append(hostOf: record.listener)
        line.append("\"}\n")
    }

    private func member(_ name: StaticString, _ text: Span<UInt8>) { line.append(member: name, text) }
}

extension Buffer {
    /// Appends the trace id of a connection, `TID_` and 32 hexadecimal digits, or `-` for none.
    func append(trace: (high: UInt64, low: UInt64)) {
        guard trace != (0, 0) else { return append("-") }
        append("TID_")
        append(hexadecimal: trace.high, digitCount: 16)
        append(hexadecimal: trace.low, digitCount: 16)
    }
}
