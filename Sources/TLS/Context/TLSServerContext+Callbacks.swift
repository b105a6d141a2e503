import COpenSSL
import Core

/// Callbacks of OpenSSL during a server handshake. Each finds its session through the wire, records and returns.
extension TLSServerContext {
    func setCallbacks() {
        let pointer = unsafe context.pointer
        unsafe SSL_CTX_set_client_hello_cb(
            pointer,
            { ssl, _, _ in
                if let session = unsafe runningSession(ssl) {
                    unsafe session.server?.chooseSet(ssl, session)
                    unsafe session.server?.recordOfferedProtocols(ssl, session)
                }
                return SSL_CLIENT_HELLO_SUCCESS
            }, nil)
        // Tells the client that its server name was used. Source: RFC 6066 §3.
        unsafe apus_ctx_set_servername_callback(pointer) { _, _, _ in SSL_TLSEXT_ERR_OK }
        unsafe SSL_CTX_set_cert_cb(
            pointer,
            { ssl, _ in
                guard let session = unsafe runningSession(ssl), let server = session.server else { return 0 }
                return unsafe server.offerCertificates(ssl, set: session.certificateSet) ? 1 : 0
            }, nil)
        unsafe apus_ctx_set_status_callback(pointer) { ssl, _ in
            guard let session = unsafe runningSession(ssl), let server = session.server,
                let index = unsafe server.certificateIndex(ssl, set: session.certificateSet),
                unsafe server.certificates[index].staple(to: ssl)
            else { return SSL_TLSEXT_ERR_NOACK }
            return SSL_TLSEXT_ERR_OK
        }
        if !protocols.isEmpty { unsafe setProtocolCallback(pointer) }
        if !asksForCertificate { unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(pointer, ticketCallback) }
    }

    private func setProtocolCallback(_ pointer: OpaquePointer) {
        unsafe SSL_CTX_set_alpn_select_cb(
            pointer,
            { ssl, chosen, chosenCount, offered, offeredCount, _ in
                guard let server = unsafe runningSession(ssl)?.server, let offered = unsafe offered else {
                    return SSL_TLSEXT_ERR_ALERT_FATAL
                }
                let list = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
                for candidate in server.protocols {
                    for name in candidate.names {
                        guard let start = unsafe find(name, in: list) else { continue }
                        unsafe chosen?.pointee = unsafe offered + start
                        unsafe chosenCount?.pointee = UInt8(name.utf8CodeUnitCount)
                        return SSL_TLSEXT_ERR_OK
                    }
                }
                return server.requiresSharedProtocol ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK
            }, nil)
    }

    /// Finds the certificates for the client's server name (SNI). In the earliest callback, because OpenSSL examines
    /// the ticket next, and which sessions may be resumed depends on the certificates.
    private func chooseSet(_ ssl: OpaquePointer?, _ session: TLSSession) {
        var start: UnsafePointer<UInt8>?
        var count = 0
        guard unsafe SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_server_name), &start, &count) == 1,
            let name = unsafe hostName(UnsafeBufferPointer(start: start, count: count))
        else { return }
        session.accept(name: name, set: table.set(for: name))
        guard session.certificateSet != 0 else { return }
        let bound = sessionIDContexts[session.certificateSet]
        unsafe SSL_set_session_id_context(ssl, bound, UInt32(bound.count))
    }

    private func recordOfferedProtocols(_ ssl: OpaquePointer?, _ session: TLSSession) {
        var start: UnsafePointer<UInt8>?
        var count = 0
        let kind = UInt32(TLSEXT_TYPE_application_layer_protocol_negotiation)
        guard keepsOfferedProtocols, unsafe SSL_client_hello_get0_ext(ssl, kind, &start, &count) == 1, count > 2 else {
            return
        }
        // The list begins with its length in two bytes.
        let list = unsafe UnsafeBufferPointer(start: start, count: count).dropFirst(2)
        session.offeredProtocols = unsafe Array(list.prefix(Limits.offeredProtocolBytesMax))
    }

    /// Replaces the default certificates of a session by those of `set`.
    private func offerCertificates(_ ssl: OpaquePointer?, set: Int) -> Bool {
        if set == 0 { return true }
        unsafe SSL_certs_clear(ssl)
        return table.sets[set].indices.allSatisfy { unsafe certificates[$0].use(onSession: ssl) }
    }

    /// The index of the certificate of `set` that OpenSSL has picked; nil if none.
    func certificateIndex(_ ssl: OpaquePointer?, set: Int) -> Int? {
        guard let certificate = unsafe SSL_get_certificate(ssl) else { return nil }
        return table.sets[set].indices.first { unsafe certificates[$0].isCertificate(certificate) }
    }
}

/// The host name in a server_name extension, in lower case and without the trailing dot that some clients send wrongly;
/// nil if there is none. OpenSSL checks its form afterwards.
/// Source: RFC 6066 §3.
private func hostName(_ extensionData: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    // The length of the list, then one entry: type 0, length, name.
    guard extensionData.count > 5, unsafe extensionData[2] == 0 else { return nil }
    let count = unsafe Int(extensionData[3]) << 8 + Int(extensionData[4])
    guard count > 0, count <= extensionData.count - 5 else { return nil }
    var name = unsafe extensionData[5..<(5 + count)].map(\.lowercased)
    name.removeLastDot()
    return name
}

extension [UInt8] {
    /// Removes the trailing dot of a fully qualified name, which SNI and certificates do not have. Source: RFC 6066 §3.
    mutating func removeLastDot() {
        if count > 1, last == .dot { removeLast() }
    }
}

/// The index in an ALPN list at which `name` begins. Source: RFC 7301 §3.1.
private func find(_ name: StaticString, in list: UnsafeBufferPointer<UInt8>) -> Int? {
    var index = 0
    while index < list.count {
        let count = unsafe Int(list[index])
        guard index + 1 + count <= list.count else { return nil }
        let bytes = unsafe UnsafeBufferPointer(rebasing: list[(index + 1)..<(index + 1 + count)])
        if unsafe bytes.span.equals(name) { return index + 1 }
        index += 1 + count
    }
    return nil
}
