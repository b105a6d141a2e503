import COpenSSL
import Core

/// What is known once the handshake is done. Names are OpenSSL's, for as long as the program runs.
extension TLSSession {
    /// The version that is spoken.
    public var version: TLSVersion { unsafe TLSVersion(number: SSL_version(ssl)) ?? .tls13 }

    /// Its name, as in `TLSv1.3`; empty before one was agreed on.
    public var versionName: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            guard unsafe SSL_get_current_cipher(ssl) != nil else { return Span() }
            let name = version.name
            let bytes = unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            return unsafe _overrideLifetime(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: bytes)), borrowing: self)
        }
    }

    /// The cipher suite, as in `TLS_AES_128_GCM_SHA256`; empty before one was agreed on.
    public var cipherName: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return Span() }
            return unsafe constant(SSL_CIPHER_get_name(cipher))
        }
    }

    /// The group of the key exchange, as in `x25519`, or `RSA` where the certificate's key did it. Empty: a session up
    /// to TLS 1.2 was resumed, which exchanges none.
    public var keyExchangeName: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // Without a cipher there is no session yet, of which OpenSSL would read the group.
            guard let cipher = unsafe SSL_get_current_cipher(ssl) else { return Span() }
            // OpenSSL tells the group of the first handshake, which the session remembers.
            if isResumed, version < .tls13 { return Span() }
            let group = unsafe apus_ssl_negotiated_group(ssl)
            if group != 0, let name = unsafe SSL_group_to_name(ssl, group) { return unsafe constant(name) }
            return unsafe SSL_CIPHER_get_kx_nid(cipher) == NID_kx_rsa ? unsafe constant(OBJ_nid2sn(NID_rsa)) : Span()
        }
    }

    /// Whether a session that was made before goes on.
    public var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// What was agreed to speak inside; nil if that was no matter.
    public var applicationProtocol: ApplicationProtocol? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &start, &count)
        if count == 0 { return nil }
        let name = unsafe UnsafeBufferPointer(start: start, count: Int(count)).span
        return name.equals("h2") ? .http2 : name.equals("http/1.0") ? .http10 : .http1
    }

    /// The name that the client asked for (SNI), lower-case, or that the target was asked for; empty if none.
    public var serverName: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // The array's storage stays where it is: the name is set in a handshake, and never while a span is out.
            let bytes = unsafe name.withUnsafeBytes { bytes in unsafe bytes }
            return unsafe _overrideLifetime(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: bytes)), borrowing: self)
        }
    }

    /// Which of the configuration's certificates was shown; nil when the session was resumed, or in the client's role.
    public var certificateIndex: Int? {
        isResumed ? nil : unsafe server?.certificateIndex(ssl, set: certificateSet)
    }

    /// What logs call the certificate that was shown: its name, or `session-reused`; empty if it came not so far, and
    /// in the client's role.
    func makeCertificateName() -> [UInt8] {
        // Up to TLS 1.2 nothing is agreed on yet when the client looks at what it was shown, and perhaps refuses it.
        if unsafe SSL_get_current_cipher(ssl) == nil && SSL_get_state(ssl) != TLS_ST_SW_SRVR_DONE { return [] }
        if isResumed { return Array("session-reused".utf8) }
        return certificateIndex.flatMap { index in server.map { $0.certificates[index].name } } ?? []
    }

    /// What was asked of the client when it came, whatever its listener asks of others by now.
    public var authentication: TLSServerConfiguration.ClientAuthenticationMode { server?.authentication ?? .off }

    /// What the client showed; nil if nothing. Made when it is first asked for, and then kept: see `heldByteCount`.
    public var clientCertificate: ClientCertificate? {
        if shownCertificate == nil { shownCertificate = readClientCertificate() }
        return shownCertificate
    }

    /// What the client showed in vain, once: it is as large as the client liked, and no longer held afterwards. The
    /// certificates behind it are not there.
    public func takeRefusedCertificate() -> ClientCertificate? {
        defer { refusedCertificate = nil }
        return refusedCertificate
    }

    /// Bytes that are kept for `clientCertificate`.
    public var heldByteCount: Int { shownCertificate?.byteCount ?? 0 }

    private func readClientCertificate() -> ClientCertificate? {
        guard server != nil, let leaf = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
        return unsafe ClientCertificate(leaf: leaf, others: SSL_get_peer_cert_chain(ssl))
    }

    /// In the client's role: the newest session that the target offered since the last call.
    public func takeResumption() -> TLSResumption? {
        defer { resumption = nil }
        return resumption
    }

    /// Up to TLS 1.2 a resumed session may be resumed again, and OpenSSL tells of no new ticket.
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
