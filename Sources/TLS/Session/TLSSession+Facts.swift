import COpenSSL
import Core

/// Facts that are known once the handshake is done. Names are static strings of OpenSSL.
extension TLSSession {
    /// The negotiated version.
    public var version: TLSVersion { unsafe TLSVersion(number: SSL_version(ssl)) ?? .tls13 }

    /// Its name, as in `TLSv1.3`; empty before it is negotiated.
    public var versionName: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            guard unsafe SSL_get_current_cipher(ssl) != nil else { return Span() }
            let name = version.name
            let bytes = unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            return unsafe _overrideLifetime(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: bytes)), borrowing: self)
        }
    }

    /// The cipher suite, as in `TLS_AES_128_GCM_SHA256`; empty before it is negotiated.
    public var cipherName: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return Span() }
            return unsafe constant(SSL_CIPHER_get_name(cipher))
        }
    }

    /// The group of the key exchange, as in `x25519`, or `RSA` for key exchange by the certificate's key. Empty if a
    /// session up to TLS 1.2 was resumed, which has no key exchange.
    public var keyExchangeName: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // Without a cipher there is no session yet, and OpenSSL would read the group from it.
            guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return Span() }
            // OpenSSL would return the group of the original handshake.
            if isResumed, version < .tls13 { return Span() }
            let group = unsafe apus_ssl_negotiated_group(ssl)
            if group != 0, let name = unsafe SSL_group_to_name(ssl, group) { return unsafe constant(name) }
            return unsafe SSL_CIPHER_get_kx_nid(cipher) == NID_kx_rsa ? unsafe constant(OBJ_nid2sn(NID_rsa)) : Span()
        }
    }

    /// Whether an earlier session was resumed.
    public var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// The protocol negotiated by ALPN; nil if none was.
    public var applicationProtocol: ApplicationProtocol? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &start, &count)
        if count == 0 { return nil }
        let name = unsafe UnsafeBufferPointer(start: start, count: Int(count)).span
        return name.equals("h2") ? .http2 : name.equals("http/1.0") ? .http10 : .http1
    }

    /// The server name (SNI) that the client sent, in lower case, or that we sent to the target; empty if none.
    public var serverName: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // The array's storage does not move: the name is set during a handshake, and never while a span is in use.
            let bytes = unsafe name.withUnsafeBytes { bytes in unsafe bytes }
            return unsafe _overrideLifetime(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: bytes)), borrowing: self)
        }
    }

    /// The index of the certificate that was presented; nil if the session was resumed, and in the client's role.
    public var certificateIndex: Int? {
        isResumed ? nil : unsafe server?.certificateIndex(ssl, set: certificateSet)
    }

    /// The certificate in logs: its name, or `session-reused`; empty if the handshake did not get so far, and in the
    /// client's role.
    func makeCertificateName() -> [UInt8] {
        // Up to TLS 1.2 the client may reject the certificate before anything is negotiated.
        if unsafe SSL_get_current_cipher(ssl) == nil && SSL_get_state(ssl) != TLS_ST_SW_SRVR_DONE { return [] }
        if isResumed { return Array("session-reused".utf8) }
        return certificateIndex.flatMap { index in server.map { $0.certificates[index].name } } ?? []
    }

    /// Whether the client was asked for a certificate when it connected, even if the listener's configuration has
    /// changed since.
    public var authentication: TLSServerConfiguration.ClientAuthenticationMode { server?.authentication ?? .off }

    /// The certificate that the client presented; nil if none. Built on first use and then kept (see `heldByteCount`).
    public var clientCertificate: ClientCertificate? {
        if presentedCertificate == nil { presentedCertificate = readClientCertificate() }
        return presentedCertificate
    }

    /// Returns the rejected client certificate once, and releases it, since it may be large. Without its chain.
    public func takeRefusedCertificate() -> ClientCertificate? {
        defer { refusedCertificate = nil }
        return refusedCertificate
    }

    /// Bytes that are kept for `clientCertificate`.
    public var heldByteCount: Int { presentedCertificate?.byteCount ?? 0 }

    private func readClientCertificate() -> ClientCertificate? {
        guard server != nil, let leaf = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
        return unsafe ClientCertificate(leaf: leaf, others: SSL_get_peer_cert_chain(ssl))
    }

    /// In the client's role: the newest ticket from the target since the last call.
    public func takeResumption() -> TLSResumption? {
        defer { resumption = nil }
        return resumption
    }

    /// Up to TLS 1.2 a resumed session may be resumed again, and OpenSSL reports no new ticket.
    func keepResumedSession() {
        guard let client, isResumed, version < .tls13, let session = unsafe SSL_get1_session(ssl) else { return }
        resumption = unsafe TLSResumption(session, context: client, name: name)
    }

    @_lifetime(borrow self)
    private func constant(_ text: UnsafePointer<CChar>?) -> Span<UInt8> {
        guard let text = unsafe text else { return Span() }
        var count = 0
        while unsafe text[count] != 0 { count += 1 }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
        return unsafe _overrideLifetime(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: bytes)), borrowing: self)
    }
}
