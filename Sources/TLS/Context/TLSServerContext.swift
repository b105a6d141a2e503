import COpenSSL

/// The context of all TLS sessions of one listener on one worker.
///
/// Shape:  an SSL_CTX of its own, with duplicates of certificates and keys, so that no two threads count references to
///         the same object. A session keeps the context with which it began, also when the configuration changes.
///
/// `@unchecked Sendable`: control creates it and passes it to exactly one worker, the only user afterwards.
@safe public final class TLSServerContext: @unchecked Sendable {
    let context: TLSContext
    let tickets: TLSTicketKeyRing
    let table: CertificateTable
    let protocols: [ApplicationProtocol]
    let requiresSharedProtocol: Bool
    let keepsOfferedProtocols: Bool
    /// Whether clients are asked for a certificate.
    public let authentication: TLSServerConfiguration.ClientAuthenticationMode
    var asksForCertificate: Bool { authentication != .off }
    let ignoresExpiry: Bool
    let identityFilters: IdentityFilters
    /// Duplicates of the certificates, in the order of the configuration.
    let certificates: [ServedCertificate]
    /// The session id context of each set of the table, 32 bytes each.
    let sessionIDContexts: [[UInt8]]
    /// Fetched once, since OpenSSL would look it up under a lock for each ticket.
    let ticketCipher: OpaquePointer

    /// Creates a context for the worker whose ticket keys are in `tickets`.
    ///
    /// Errors: the loaded OpenSSL does not support the policy.
    public init(
        _ configuration: TLSServerConfiguration, tickets: TLSTicketKeyRing
    ) throws(TLSMaterialError) {
        if let reason = configuration.policy.unsupportedReason() {
            throw TLSMaterialError(reason, remedy: "Choose another security policy, or run Apus with a newer OpenSSL.")
        }
        guard let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-CBC", nil) else {
            throw TLSMaterialError("OpenSSL has no AES.", remedy: "Check the providers in openssl.cnf.")
        }
        unsafe ticketCipher = unsafe cipher
        self.tickets = tickets
        protocols = configuration.applicationProtocols
        requiresSharedProtocol = configuration.requiresSharedProtocol
        keepsOfferedProtocols = configuration.keepsOfferedProtocols
        table = CertificateTable(
            configuration.certificates.map {
                .init(names: $0.names, isECDSA: $0.isECDSA, bits: $0.keyBits, notAfter: $0.notAfter)
            })
        certificates = configuration.certificates.map(ServedCertificate.init)
        sessionIDContexts = table.sets.map { Self.sessionIDContext($0, configuration) }
        context = unsafe TLSContext(TLS_server_method())
        authentication = configuration.clientAuthentication.mode
        if case .verify(let store) = configuration.clientAuthentication {
            ignoresExpiry = store.ignoresExpiry
            identityFilters = store.identityFilters
        } else {
            ignoresExpiry = false
            identityFilters = IdentityFilters()
        }
        apply(configuration.policy)
        setResumption()
        setClientAuthentication(configuration.clientAuthentication)
        setCallbacks()
        for index in table.sets[0].indices { unsafe certificates[index].use(on: context.pointer) }
    }

    deinit { unsafe EVP_CIPHER_free(ticketCipher) }

    private func apply(_ policy: TLSPolicy) {
        let pointer = unsafe context.pointer
        // Overrides what the distribution's openssl.cnf sets.
        unsafe SSL_CTX_set_security_level(pointer, policy.securityLevel)
        var isApplied = unsafe apus_ctx_set_min_version(pointer, policy.minimum.number) == 1
        isApplied = unsafe apus_ctx_set_max_version(pointer, policy.maximum.number) == 1 && isApplied
        if !policy.ciphers.isEmpty {
            let list = policy.ciphers.joined(separator: ":")
            isApplied = unsafe SSL_CTX_set_cipher_list(pointer, list) == 1 && isApplied
        }
        let suites = policy.ciphersuites.joined(separator: ":")
        isApplied = unsafe SSL_CTX_set_ciphersuites(pointer, suites) == 1 && isApplied
        isApplied = unsafe apus_ctx_set_groups(pointer, policy.groups.joined(separator: ":")) == 1 && isApplied
        precondition(isApplied, "tls: OpenSSL refused a policy that it supports")
        unsafe SSL_CTX_set_options(pointer, APUS_SSL_OP_CIPHER_SERVER_PREFERENCE)
    }

    /// Sessions are resumed by tickets only, and not at all if clients have to present a certificate.
    private func setResumption() {
        let pointer = unsafe context.pointer
        unsafe apus_ctx_set_session_cache_mode(pointer, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_timeout(pointer, tickets.lifetime)
        unsafe SSL_CTX_set_num_tickets(pointer, asksForCertificate ? 0 : 1)
        if asksForCertificate { unsafe SSL_CTX_set_options(pointer, APUS_SSL_OP_NO_TICKET) }
        unsafe SSL_CTX_set_session_id_context(pointer, sessionIDContexts[0], UInt32(sessionIDContexts[0].count))
    }

    /// A digest of everything that has to be the same for a session to be resumed.
    private static func sessionIDContext(
        _ choice: CertificateTable.Choice, _ configuration: TLSServerConfiguration
    ) -> [UInt8] {
        var content = choice.indices.flatMap { configuration.certificates[$0].fingerprint }
        content += configuration.policy.content
        switch configuration.clientAuthentication {
        case .off: content.append(0)
        case .passthrough: content.append(1)
        case .verify(let store): content += [2] + store.digest
        }
        return sha256(content)
    }
}
