import COpenSSL
import Core

/// What a session has agreed on, once its handshake is done.
extension TLSSession {
    /// The version.
    public var version: TLSVersion { unsafe TLSVersion(number: SSL_version(session)) ?? .tls12 }

    /// OpenSSL's name of the cipher.
    public var cipherName: Span<UInt8> {
        @_lifetime(borrow self)
        get { unsafe span(of: isEstablished ? apus_ssl_cipher_name(session) : nil) }
    }

    /// OpenSSL's name of the group that the keys were exchanged in; empty for RSA.
    public var keyExchangeName: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // Before there is a session, OpenSSL looks at none.
            let group = isEstablished ? unsafe apus_ssl_negotiated_group(session) : 0
            return unsafe span(of: group == 0 ? nil : SSL_group_to_name(session, group))
        }
    }

    /// Whether it goes on with an earlier session.
    public var isResumed: Bool { unsafe SSL_session_reused(session) == 1 }

    /// What ALPN has chosen; nil if the other side does not know ALPN.
    public var applicationProtocol: ApplicationProtocol? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(session, &start, &count)
        guard count > 0 else { return nil }
        return count == 2 ? .http2 : .http1
    }

    /// The SNI as the client has sent it; empty if there was none.
    public var serverName: Span<UInt8> {
        @_lifetime(borrow self)
        get { unsafe span(of: SSL_get_servername(session, TLSEXT_NAMETYPE_host_name)) }
    }

    /// Whether the client has sent an SNI, and it is not `host`, in whatever case.
    public func hasServerName(otherThan host: Span<UInt8>) -> Bool {
        !serverName.isEmpty && !serverName.equalsIgnoringCase(host)
    }

    /// In the role of a server: the certificate that was sent; nil if the session was resumed.
    public var certificate: TLSCertificate? {
        guard !isResumed, let serverContext else { return nil }
        return unsafe serverContext.certificate(inSet: chosenSet, sentAs: SSL_get_certificate(session))
    }

    /// Why the client's certificate was not accepted. Source: elbv2.md §3.2.
    public var clientCertificateFailure: ClientCertificateFailure? {
        verifyCode == 0 ? nil : ClientCertificateFailure(verifyCode: verifyCode)
    }

    /// The certificate that the client has sent; nil if none. Made anew with every call.
    public var clientCertificate: ClientCertificate? {
        guard let leaf = unsafe apus_ssl_client_certificate(session) else { return nil }
        return unsafe ClientCertificate(leaf: leaf, chain: SSL_get_peer_cert_chain(session))
    }

    /// A string of OpenSSL's that lives as long as the session.
    @_lifetime(borrow self)
    private func span(of string: UnsafePointer<CChar>?) -> Span<UInt8> {
        var count = 0
        if let string = unsafe string { while unsafe string[count] != 0 { count += 1 } }
        let raw = unsafe UnsafeRawBufferPointer(start: string, count: count)
        let span = unsafe Span<UInt8>(_bytes: RawSpan(_unsafeBytes: raw))
        return unsafe _overrideLifetime(span, borrowing: self)
    }
}
