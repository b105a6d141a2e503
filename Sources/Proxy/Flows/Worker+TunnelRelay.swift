import Core
import Telemetry

extension Worker {
    /// Passes on what can be, after something has happened at `side`: first what comes from there, then what waits for
    /// it to take more.
    mutating func relay(_ tunnel: Tunnel, from side: TunnelSide) {
        guard let other = tunnel.other(than: side) else { preconditionFailure("tunnel: open to nobody") }
        let there = relay(tunnel, from: side, to: other)
        if there == .sourceBroke { return sideBroke(side, tunnel) }
        if there == .sinkBroke {
            // What it said before it broke may be why: an error that it answered with, and closed. The failed write has
            // taken the reset from the kernel: what is read behind that looks like an end, and is none.
            other.transport.isReadable = true
            _ = relay(tunnel, from: other, to: side, endsToo: false)
            return sideBroke(other, tunnel)
        }
        var back = Tunnel.RelayResult.waiting
        if side.isBlocked || other.transport.mayReceive || other.transport.isEnded {
            back = relay(tunnel, from: other, to: side)
            if back == .sourceBroke { return sideBroke(other, tunnel) }
            if back == .sinkBroke { return sideBroke(side, tunnel) }
        }
        if there == .ended && back == .ended { return endTunnel(tunnel, .finished, by: tunnel.firstEnded) }
        if there == .turnOver || back == .turnOver { delay(tunnel) }
        finishTurn(tunnel)
    }

    private mutating func relay(
        _ tunnel: Tunnel, from source: TunnelSide, to sink: TunnelSide, endsToo: Bool = true
    ) -> Tunnel.RelayResult {
        tunnel.relay(
            from: source, to: sink, endsToo: endsToo, byteCountMax: Limits.relayWorkPerTurnMax / turnDivisor, &resources
        )
    }

    /// A side has reset its connection, or it broke: the other is told by a reset.
    mutating func sideBroke(_ side: TunnelSide, _ tunnel: Tunnel) {
        let party: FlowParty = side === tunnel.client ? .client : .target
        if let tls = side.transport.tls, let failure = tls.failure {
            tunnel.record.reason = TLSFailureReason(failure).label
            return endTunnel(tunnel, party == .client ? .clientTLS : .targetTLS, by: party)
        }
        endTunnel(tunnel, .reset, by: party)
    }

    /// Resumes a tunnel whose turn it is.
    mutating func resume(_ tunnel: Tunnel) {
        switch tunnel.phase {
        case .open: relay(tunnel, from: tunnel.client)
        case .handshake: proceed(tunnel)
        case .proxyHeader, .clientHello, .connecting, .closed: break
        }
    }
}
