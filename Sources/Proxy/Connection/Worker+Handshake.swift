import Core
import TLS
import Telemetry

/// TLS handshakes of clients, with their counters and log lines.
extension Worker {
    /// Continues a client's handshake. Returns false when there is nothing more to do now.
    mutating func continueHandshake(_ client: ClientConnection, since: Instant) -> Bool {
        guard let tls = client.tls else { preconditionFailure("client: a handshake without TLS") }
        switch client.transport.handshake(tls, &resources) {
        case .waiting: return false
        case .done:
            counters.tlsHandshakes.add(tls.isResumed ? .resumed : .full)
            logConnection(client, handshakeTime: now.since(since), failure: nil)
            if tls.applicationProtocol == .http2 {
                beginHTTP2(client)
                return false
            }
            client.enter(.reading)
            return true
        case .failed(.plainHTTP):
            refusePlainHTTP(client)
            return true
        case .failed(let failure):
            resources.countTLSFailure(failure, at: .client)
            let code = tls.verifyFailure?.reasonCode
            logConnection(client, handshakeTime: nil, failure: code ?? "UnmappedConnectionError")
            // The client's remaining bytes are read before the socket is closed, so that a reset does not overtake the
            // alert.
            client.transport.endTLS(&resources)
            client.enter(.reading)
            closeAfterAnswer(client)
            return true
        case .closed:
            counters.tlsFailures.add(.connectionClosed)
            logConnection(client, handshakeTime: nil, failure: "UnmappedConnectionError")
            close(client)
            return false
        }
    }

    /// Answers a plain HTTP request on an HTTPS port with an error page.
    private mutating func refusePlainHTTP(_ client: ClientConnection) {
        resources.countTLSFailure(.plainHTTP, at: .client)
        logConnection(client, handshakeTime: nil, failure: "UnmappedConnectionError")
        client.transport.endTLS(&resources)
        client.enter(.reading)
        refuseHead(
            freeExchanges.popLast() ?? Exchange(), client, status: 400, reasonCode: "PlainHTTPOnTLSPort",
            hint: "<p>This port speaks HTTPS: write https:// instead of http://.</p>\r\n")
    }

    /// The handshake took too long.
    mutating func handshakeTimedOut(_ client: ClientConnection) {
        counters.timeouts.add(.tlsHandshake)
        counters.tlsFailures.add(.timeout)
        logConnection(client, handshakeTime: nil, failure: "UnmappedConnectionError")
        close(client)
    }

    private mutating func logConnection(
        _ client: ClientConnection, handshakeTime: Nanoseconds?, failure: StaticString?
    ) {
        // Taken even without a connection log, since the lingering connection should not hold it.
        let refused = client.tls?.takeRefusedCertificate()
        guard let connectionLog, let tls = client.tls else { return }
        let record = ConnectionRecord(
            acceptedAt: timeOfDay - (handshakeTime ?? 0), handshakeTime: handshakeTime, client: client.address,
            listener: client.localAddress ?? .unspecified, trace: client.trace, failure: failure)
        let certificate = refused ?? clientCertificate(of: tls)
        let subject = certificate?.subject ?? []
        let validity = certificate?.validity ?? []
        let serialNumber = certificate?.serialNumber ?? []
        let loadBalancer = client.listener.logName
        connectionLog.write(
            record,
            names: ConnectionRecord.Names(
                loadBalancer: loadBalancer.span, version: tls.versionName, cipher: tls.cipherName,
                keyExchange: tls.keyExchangeName, subject: subject.span, validity: validity.span,
                serialNumber: serialNumber.span))
    }
}

extension TLSFailureReason {
    /// The reason in the words of metrics.
    init(_ failure: TLSFailure) {
        self =
            switch failure {
            case .unsupportedVersion: .unsupportedVersion
            case .noSharedCipher: .noSharedCipher
            case .noSharedProtocol: .noSharedProtocol
            case .badCertificate: .clientCertificate
            case .identityNotAccepted: .clientIdentity
            case .noClientCertificate: .noClientCertificate
            case .alertReceived: .alertReceived
            case .malformed: .malformed
            case .plainHTTP: .plainHTTP
            case .keyUpdateFlood: .keyUpdateFlood
            case .renegotiation: .renegotiation
            case .untrustedTarget: .untrustedTarget
            case .nameMismatch: .nameMismatch
            case .other: .other
            }
    }
}
