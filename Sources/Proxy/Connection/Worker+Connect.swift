import Core
import HTTP1
import Routing
import TLS

// How connections to targets begin, whatever they carry, and what an error of the network means.
extension Worker {
    /// What opening a connection comes to at once.
    enum Opening {
        case opened(Transport)
        /// There is no way to the target, or no descriptor: errno(3).
        case failed(Int32)
    }

    /// Begins a connection to `pool`'s target, with TLS where the group has it.
    mutating func openTransport(_ pool: TargetPool, _ context: TLSClientContext?, _ serverName: [UInt8]) -> Opening {
        guard hasDescriptor() else { return .failed(tooManyFilesError) }
        let socket: Socket
        do { socket = try Socket.connect(to: pool.address) } catch {
            countPortShortage(error.code)
            guard error.code == tooManyFilesError, freeDescriptor() || evictSilent() else { return .failed(error.code) }
            do { socket = try Socket.connect(to: pool.address) } catch { return .failed(error.code) }
        }
        var transport = Transport(token: slab.nextToken, socket: socket, to: .target)
        if let context {
            transport.tls = TLSSession(
                context, serverName: serverName.span, resuming: pool.resumption, wire: resources.wire)
        }
        return .opened(transport)
    }

    /// Has a new connection to a target watched.
    mutating func watchTarget(_ transport: Transport, as occupant: Occupant) {
        // Targets' events are looked at before others': `dispatchIdleTargets`.
        let token = slab.insert(occupant, isMarked: true)
        poller.add(transport.socket.descriptor, token: token, interest: .edges)
        counters.targetConnectionsOpened.add()
        counters.targetConnectionsActive.add()
    }

    /// The name that a target is asked for by TLS: the group's, else the host that the target sees, else the target's
    /// address. Empty without TLS.
    func targetServerName(_ exchange: Exchange, _ pool: TargetPool) -> [UInt8] {
        guard let group = exchange.group, group.plan.tls != nil else { return [] }
        if !group.serverName.isEmpty { return group.serverName }
        let request = exchange.request
        let transformed = exchange.record.transformedHost
        let range =
            transformed.isEmpty
            ? request.host.isEmpty ? request.append(hostOf: pool.address) : request.host
            : request.bytes(transformed).hostCountOfAuthority.map { ByteRange(start: transformed.start, count: $0) }
                ?? transformed
        let host = request.bytes(range)
        // An IPv6 address stands in brackets in a Host field, and without them in a certificate.
        let isBracketed = host.count > 2 && host[0] == 0x5B
        return pool.serverName(isBracketed ? host.extracting(1..<host.count - 1) : host)
    }

    // MARK: Errors

    /// The ending for an error of connect(2) or of opening the socket. A lack of descriptors, ports or permissions is
    /// our own fault, not the target's.
    func connectEnding(_ code: Int32) -> AttemptOutcome.Ending {
        isUnreachable(code) ? .connectFailed : .notAttempted
    }

    /// Counts an attempt to connect for which the kernel had no port left.
    func countPortShortage(_ code: Int32) {
        if code == addressNotAvailableError || code == tryAgainError { counters.portAllocationErrors.add() }
    }

    /// Whether the network says that nobody can be reached at the target's address, and not that one datagram cannot be
    /// sent. Source: RFC 1122 §4.1.3.3; ip(7), icmp(7).
    func isUnreachable(_ code: Int32) -> Bool {
        switch code {
        case connectionRefusedError, hostUnreachableError, networkUnreachableError, noProtocolError, accessDeniedError:
            true
        default: false
        }
    }
}
