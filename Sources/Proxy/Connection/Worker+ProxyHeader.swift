import Core
import Telemetry

// The PROXY header that trusted networks send before the client's bytes, on listeners of either layer. It is peeked at
// and then consumed exactly, so that bytes after it, such as TLS, stay in the socket.
extension Transport {
    /// How reading a PROXY header goes.
    enum ProxyStep {
        /// It is not complete.
        case waiting
        /// It was consumed. The addresses are the client's and its destination; nil if the connection is the sender's
        /// own, such as a health check.
        case done(source: SocketAddress?, destination: SocketAddress?)
        /// It is missing, malformed or not trusted: the reason code.
        case refused(StaticString)
        /// The connection ended in it.
        case gone
    }

    /// Reads the PROXY header, as far as it has come.
    mutating func readProxyHeader(_ resources: inout Resources) -> ProxyStep {
        let scratch = resources.buffers.acquireLarge()
        defer { resources.buffers.release(scratch) }
        switch peek(into: scratch) {
        case .got: break
        case .nothing: return .waiting
        case .ended, .failed: return .gone
        }
        switch ProxyHeader.read(scratch.bytes) {
        case .needMore:
            // All available bytes were examined; the next one makes an event.
            isReadable = false
            return isEndAnnounced ? .gone : .waiting
        case .refused(let fault): return .refused(fault.reasonCode)
        case .complete(let header):
            scratch.removeAll()
            guard socket.read(into: scratch, most: header.byteCount) == .bytes(header.byteCount) else { return .gone }
            resources.countReceived(from: .client, header.byteCount)
            return .done(source: header.source, destination: header.destination)
        }
    }
}

extension Worker {
    /// Continues to read the PROXY header of a tunnel's client. Returns false if it is not complete, or the tunnel has
    /// ended.
    mutating func readProxyHeader(_ tunnel: Tunnel) -> Bool {
        switch tunnel.client.transport.readProxyHeader(&resources) {
        case .waiting: return false
        case .done(let source, let destination):
            if let source { tunnel.record.client = source }
            tunnel.destination = destination
            guard let access = tunnel.listener.plan.access, !access.admits(tunnel.record.client) else { return true }
            noteDenied(tunnel.record.client, access)
            endTunnel(tunnel, .denied, by: .apus)
        case .refused(let reasonCode):
            tunnel.record.reason = reasonCode
            endTunnel(tunnel, .proxyHeader, by: .client)
        case .gone:
            tunnel.record.reason = "ProxyHeaderCut"
            endTunnel(tunnel, .proxyHeader, by: .client)
        }
        return false
    }

    /// The same for a client of HTTP.
    mutating func readProxyHeader(_ client: ClientConnection) -> Bool {
        switch client.transport.readProxyHeader(&resources) {
        case .waiting: return false
        case .done(let source, _):
            if let source { client.address = source }
            if let access = client.listener.plan.access, !access.admits(client.address) {
                noteDenied(client.address, access)
                close(client, reset: true)
                return false
            }
            client.enter(client.tls == nil ? .reading : .handshaking(since: now))
            return true
        case .refused, .gone:
            counters.connectionsRejected.add(.proxyHeader)
            close(client)
            return false
        }
    }
}
