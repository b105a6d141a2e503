import COpenSSL

/// How clients show who they are. Source: elbv2.md §4.3.
public enum ClientAuthentication: Sendable {
    /// They are not asked.
    case off
    /// They are asked, and targets see what they sent, verified or not.
    case passthrough
    /// They must have a certificate by one of these authorities.
    case verify(TLSTrustStore)
}

/// What a listener does about TLS, as control knows it; every worker makes a context of its own from it.
public struct TLSServerConfiguration: Sendable, Equatable {
    /// The first is the default, for clients that name no name of ours.
    public let certificates: [TLSCertificate]
    /// Versions and ciphers.
    public let policy: TLSPolicy
    /// How clients show who they are.
    public let clientAuthentication: ClientAuthentication
    /// In our order of preference.
    public let applicationProtocols: [ApplicationProtocol]

    public init(
        certificates: [TLSCertificate], policy: TLSPolicy, clientAuthentication: ClientAuthentication,
        applicationProtocols: [ApplicationProtocol]
    ) {
        precondition(!certificates.isEmpty, "TLS: a listener without a certificate")
        self.certificates = certificates
        self.policy = policy
        self.clientAuthentication = clientAuthentication
        self.applicationProtocols = applicationProtocols
    }

    /// Whether both behave alike, file by file.
    public static func == (left: TLSServerConfiguration, right: TLSServerConfiguration) -> Bool {
        left.certificates.map(\.identity) == right.certificates.map(\.identity) && left.policy == right.policy
            && left.applicationProtocols == right.applicationProtocols && left.authentication == right.authentication
    }

    /// Tells apart ways of authentication.
    var authentication: [UInt8] {
        switch clientAuthentication {
        case .off: [0]
        case .passthrough: [1]
        case .verify(let store): [2, store.ignoresExpiry ? 1 : 0, store.advertisesNames ? 1 : 0] + store.fingerprint
        }
    }
}

extension TLSCertificate {
    /// Tells apart what clients see of it.
    var identity: [[UInt8]] { [fingerprint, ocspResponse, Array(name.utf8)] }
}

/// A listener's TLS on one worker: the policy, the certificates and which of them is whose.
///
/// Shape:  used by one thread. Copies what it needs of the certificates, so that handshakes on two workers share no
///         reference count.
@safe public final class TLSServerContext {
    let context: OpaquePointer
    let certificates: [ServerCertificate]
    let choice: CertificateChoice
    private let tickets: TLSTicketKeyRing
    private let protocols: [ApplicationProtocol]
    private let ignoresExpiry: Bool
    /// What a session is bound to, by the set of certificates.
    private let sessionContexts: [[UInt8]]

    public init(_ configuration: TLSServerConfiguration, tickets: TLSTicketKeyRing) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { preconditionFailure("TLS: no memory") }
        unsafe self.context = context
        self.tickets = tickets
        protocols = configuration.applicationProtocols
        certificates = configuration.certificates.map(ServerCertificate.init)
        choice = CertificateChoice(configuration.certificates)
        sessionContexts = choice.sets.map { Self.sessionContext(configuration, $0) }
        if case .verify(let store) = configuration.clientAuthentication {
            ignoresExpiry = store.ignoresExpiry
        } else {
            ignoresExpiry = false
        }
        unsafe Self.applyCommon(configuration, to: context)
        applyAuthentication(configuration.clientAuthentication)
        unsafe SSL_CTX_set_session_id_context(context, sessionContexts[0], UInt32(sessionContexts[0].count))
        for index in choice.sets[0] { unsafe certificates[index].use(on: context) }
        setCallbacks()
    }

    deinit { unsafe SSL_CTX_free(context) }

    private static func applyCommon(_ configuration: TLSServerConfiguration, to context: OpaquePointer) {
        let policy = configuration.policy
        // TLS 1.0 and 1.1 sign with SHA-1, which level 1 forbids; our certificates are checked by ourselves.
        unsafe SSL_CTX_set_security_level(context, policy.minimum < .tls12 ? 0 : 1)
        _ = unsafe apus_ctx_set_versions(context, policy.minimum.number, policy.maximum.number)
        let options =
            UInt64(SSL_OP_CIPHER_SERVER_PREFERENCE_apus) | UInt64(SSL_OP_NO_RENEGOTIATION_apus)
            | UInt64(SSL_OP_NO_COMPRESSION_apus)
        unsafe SSL_CTX_set_options(context, options)
        _ = unsafe apus_ctx_set_mode(context, SSL_MODE_RELEASE_BUFFERS_apus)
        unsafe apus_ctx_set_read_ahead(context)
        _ = unsafe apus_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_num_tickets(context, 1)
        unsafe SSL_CTX_set_timeout(context, Limits.ticketLifetimeSeconds)
        _ = unsafe SSL_CTX_set_cipher_list(context, policy.ciphers.joined(separator: ":"))
        _ = unsafe SSL_CTX_set_ciphersuites(context, policy.ciphersuites.joined(separator: ":"))
        _ = unsafe apus_ctx_set_groups(context, policy.groups)
        ERR_clear_error()
    }

    private func applyAuthentication(_ authentication: ClientAuthentication) {
        switch authentication {
        case .off: return
        case .passthrough:
            unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
            unsafe SSL_CTX_set_cert_verify_callback(context, { _, _ in 1 }, nil)
        case .verify(let store):
            unsafe store.apply(to: context)
            let mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            unsafe SSL_CTX_set_verify(context, mode, Self.verify)
        }
        // A resumed session would bring no certificate. Source: elbv2.md §4.2.
        unsafe SSL_CTX_set_options(context, UInt64(SSL_OP_NO_TICKET_apus))
        unsafe SSL_CTX_set_num_tickets(context, 0)
    }

    private func setCallbacks() {
        unsafe SSL_CTX_set_info_callback(context, TLSSession.noteMessage)
        unsafe SSL_CTX_set_client_hello_cb(context, Self.readClientHello, nil)
        unsafe SSL_CTX_set_alpn_select_cb(context, Self.selectProtocol, nil)
        unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, Self.useTicketKey)
        // Acknowledges the name, and so keeps it with the session.
        _ = unsafe apus_ctx_set_servername_callback(context) { _, _, _ in SSL_TLSEXT_ERR_OK }
        if certificates.contains(where: { !$0.certificate.ocspResponse.isEmpty }) {
            _ = unsafe apus_ctx_set_status_callback(context, Self.staple)
        }
    }

    /// What a session under this set of certificates is bound to: resumed elsewhere, it would go around the checks that
    /// hold there. Source: SSL_CTX_set_session_id_context(3).
    private static func sessionContext(_ configuration: TLSServerConfiguration, _ set: [Int]) -> [UInt8] {
        var content = Array(configuration.policy.name.utf8) + [0] + configuration.authentication
        for index in set { content += configuration.certificates[index].fingerprint }
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        _ = unsafe EVP_Digest(content, content.count, &digest, &count, EVP_sha256(), nil)
        return digest
    }

    /// Which certificate of a set it is that was sent.
    func certificate(inSet set: Int, sentAs sent: OpaquePointer?) -> TLSCertificate? {
        for index in choice.sets[set] where unsafe certificates[index].leaf == sent {
            return certificates[index].certificate
        }
        return nil
    }

    // MARK: Callbacks

    /// Chooses the certificates by the name that the client asks for, before anything depends on them.
    private static let readClientHello:
        @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?) -> Int32 = {
            handle, _, _ in
            guard let session = unsafe TLSSession.of(handle), let own = session.serverContext else { return 0 }
            var start: UnsafePointer<UInt8>?
            var count = 0
            let kind = UInt32(TLSEXT_TYPE_server_name)
            guard unsafe SSL_client_hello_get0_ext(handle, kind, &start, &count) == 1 else { return 1 }
            let set = unsafe own.choice.set(forExtension: UnsafeBufferPointer(start: start, count: count))
            guard set != 0 else { return 1 }
            session.chosenSet = set
            let binding = own.sessionContexts[set]
            unsafe SSL_set_session_id_context(handle, binding, UInt32(binding.count))
            unsafe SSL_certs_clear(handle)
            for index in own.choice.sets[set] { unsafe own.certificates[index].use(onSession: handle) }
            return 1
        }

    /// Source: RFC 7301 §3.2: nothing shared ends the handshake.
    private static let selectProtocol:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
            UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
        ) -> Int32 = { handle, chosen, chosenCount, offered, offeredCount, _ in
            guard let session = unsafe TLSSession.of(handle), let own = session.serverContext,
                let offered = unsafe offered
            else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            let list = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
            for wanted in own.protocols {
                guard let index = unsafe offerIndex(of: wanted, in: list) else { continue }
                unsafe chosen?.pointee = offered + index + 1
                unsafe chosenCount?.pointee = list[index]
                return SSL_TLSEXT_ERR_OK
            }
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }

    private static let useTicketKey:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, OpaquePointer?, OpaquePointer?,
            Int32
        ) -> Int32 = { handle, name, vector, cipher, mac, isSealing in
            guard let session = unsafe TLSSession.of(handle), let own = session.serverContext,
                let name = unsafe name, let vector = unsafe vector, let cipher = unsafe cipher,
                let mac = unsafe mac
            else { return -1 }
            return unsafe isSealing == 1
                ? own.tickets.seal(name, vector, cipher, mac) : own.tickets.open(name, vector, cipher, mac)
        }

    /// Notes what is wrong with a client's certificate, and passes over what does not matter here.
    private static let verify: @convention(c) (Int32, OpaquePointer?) -> Int32 = { isGood, chain in
        if isGood == 1 { return 1 }
        let code = unsafe X509_STORE_CTX_get_error(chain)
        let handle = unsafe X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx())
        guard let session = unsafe TLSSession.of(handle.map { OpaquePointer($0) }), let own = session.serverContext
        else { return 0 }
        // An authority without a revocation list has revoked nothing.
        if code == X509_V_ERR_UNABLE_TO_GET_CRL { return 1 }
        let isAboutTime = code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID
        if isAboutTime && own.ignoresExpiry { return 1 }
        session.verifyCode = code
        return 0
    }

    /// Source: SSL_CTX_set_tlsext_status_cb(3): OpenSSL frees what it is given.
    private static let staple: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { handle, _ in
        guard let session = unsafe TLSSession.of(handle), let own = session.serverContext,
            let response = unsafe own.certificate(inSet: session.chosenSet, sentAs: SSL_get_certificate(handle))?
                .ocspResponse,
            !response.isEmpty, let copy = unsafe CRYPTO_malloc(response.count, "", 0)
        else { return SSL_TLSEXT_ERR_NOACK }
        unsafe copy.copyMemory(from: response, byteCount: response.count)
        let octets = unsafe copy.assumingMemoryBound(to: UInt8.self)
        _ = unsafe apus_ssl_set_ocsp(handle, octets, response.count)
        return SSL_TLSEXT_ERR_OK
    }
}

/// Where `wanted` begins, at its length octet, in a list of names with their lengths before them.
private func offerIndex(of wanted: ApplicationProtocol, in list: UnsafeBufferPointer<UInt8>) -> Int? {
    var index = 0
    while index < list.count {
        let count = Int(unsafe list[index])
        guard index + 1 + count <= list.count else { return nil }
        let name = unsafe UnsafeBufferPointer(rebasing: list[index + 1..<index + 1 + count])
        let isHTTP10 = unsafe wanted == .http1 && name.elementsEqual("http/1.0".utf8)
        if unsafe isHTTP10 || wanted.isNamed(name) { return index }
        index += 1 + count
    }
    return nil
}

extension ApplicationProtocol {
    fileprivate func isNamed(_ octets: UnsafeBufferPointer<UInt8>) -> Bool {
        guard octets.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<octets.count where unsafe octets[index] != name.utf8Start[index] { return false }
        return true
    }
}

/// A certificate on one worker: copies that only this thread counts references of.
@safe final class ServerCertificate {
    let certificate: TLSCertificate
    let leaf: OpaquePointer
    private let privateKey: OpaquePointer
    private let chain: OpaquePointer

    init(_ certificate: TLSCertificate) {
        guard let leaf = unsafe X509_dup(certificate.chain[0]), let chain = unsafe apus_x509_stack(),
            let key = unsafe EVP_PKEY_dup(certificate.privateKey)
        else { preconditionFailure("TLS: no memory") }
        self.certificate = certificate
        unsafe self.leaf = leaf
        unsafe self.chain = chain
        unsafe privateKey = key
        for index in unsafe certificate.chain.indices.dropFirst() {
            _ = unsafe apus_x509_push(chain, X509_dup(certificate.chain[index]))
        }
    }

    deinit {
        unsafe X509_free(leaf)
        unsafe EVP_PKEY_free(privateKey)
        unsafe apus_x509_stack_free(chain)
    }

    /// Has sessions of `context` show it, unless they choose otherwise.
    func use(on context: OpaquePointer) {
        let status = unsafe SSL_CTX_use_cert_and_key(context, leaf, privateKey, chain, 1)
        precondition(status == 1, "TLS: OpenSSL refuses a checked certificate")
    }

    /// Has one session show it.
    func use(onSession session: OpaquePointer?) {
        let status = unsafe SSL_use_cert_and_key(session, leaf, privateKey, chain, 1)
        precondition(status == 1, "TLS: OpenSSL refuses a checked certificate")
    }
}
