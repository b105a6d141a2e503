import COpenSSL
import Core

@testable import TLS

/// An in-memory OpenSSL client against a server session of ours, for what `TLSClientContext` does not do.
@safe final class RawClient {
    let context: OpaquePointer
    let ssl: OpaquePointer
    let server: TLSSession
    let wire = TLSWire()
    let toServer = Buffer(capacity: 1 << 20)
    private let input: OpaquePointer
    private let output: OpaquePointer
    private(set) var serverResult = TLSSession.Handshake.needsMore
    /// 1 once the client's handshake is done.
    private(set) var clientStatus: Int32 = -1
    /// The last alert that was received.
    private(set) var alert: UInt8?

    /// Options of the client.
    struct Settings {
        var name: String?
        var minimum = TLSVersion.tls10
        var maximum = TLSVersion.tls13
        var ciphers: String?
        var suites: String?
        var signatures: String?
        var groups: String?
        /// In wire format, each with its length.
        var protocols: [UInt8] = []
        var certificate: Minted?
        /// The chain after it.
        var chain: [Minted] = []
        var asksForStatus = false
    }

    init(_ serverContext: TLSServerContext, _ settings: Settings = Settings()) {
        unsafe context = unsafe SSL_CTX_new(TLS_client_method())
        unsafe SSL_CTX_set_security_level(context, 0)
        unsafe apus_ctx_set_min_version(context, settings.minimum.number)
        unsafe apus_ctx_set_max_version(context, settings.maximum.number)
        if let ciphers = settings.ciphers { unsafe SSL_CTX_set_cipher_list(context, ciphers) }
        if let suites = settings.suites { unsafe SSL_CTX_set_ciphersuites(context, suites) }
        if let groups = settings.groups { unsafe apus_ctx_set_groups(context, groups) }
        if let signatures = settings.signatures {
            let context = unsafe context
            let status = unsafe signatures.withCString { text in
                unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_SIGALGS_LIST, 0, UnsafeMutableRawPointer(mutating: text))
            }
            precondition(status == 1, "no such signature algorithms")
        }
        let protocols = settings.protocols
        if !protocols.isEmpty { unsafe SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) }
        if let certificate = settings.certificate {
            unsafe SSL_CTX_use_certificate(context, certificate.certificate)
            unsafe SSL_CTX_use_PrivateKey(context, certificate.key)
            for other in settings.chain {
                unsafe X509_up_ref(other.certificate)
                let chained = Int(SSL_CTRL_CHAIN_CERT)
                unsafe SSL_CTX_ctrl(context, Int32(chained), 0, UnsafeMutableRawPointer(other.certificate))
            }
        }
        unsafe ssl = unsafe SSL_new(context)
        unsafe input = unsafe BIO_new(BIO_s_mem())
        unsafe output = unsafe BIO_new(BIO_s_mem())
        unsafe SSL_set_bio(ssl, input, output)
        if let name = settings.name { _ = unsafe apus_ssl_set_server_name(ssl, name) }
        if settings.asksForStatus {
            unsafe SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE, Int(TLSEXT_STATUSTYPE_ocsp), nil)
        }
        unsafe SSL_set_connect_state(ssl)
        server = TLSSession(serverContext, wire: wire)
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_set_info_callback(ssl) { ssl, place, value in
            guard place & SSL_CB_READ_ALERT == SSL_CB_READ_ALERT, let own = unsafe SSL_get_ex_data(ssl, 0) else {
                return
            }
            unsafe Unmanaged<RawClient>.fromOpaque(own).takeUnretainedValue().alert = UInt8(value & 0xFF)
        }
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    /// Runs both handshakes until they end or no bytes are in flight.
    @discardableResult func handshake() -> RawClient {
        for _ in 0..<10 {
            ERR_clear_error()
            if clientStatus != 1 { clientStatus = unsafe SSL_do_handshake(ssl) }
            collect()
            if serverResult == .needsMore { serverResult = server.handshake(toServer) }
            distribute()
        }
        if clientStatus == 1 { _ = read() }
        ERR_clear_error()
        return self
    }

    /// Collects the client's output.
    func collect() {
        let count = unsafe BIO_ctrl_pending(output)
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe BIO_read(output, &bytes, Int32(count))
        toServer.append(bytes.span)
    }

    /// Delivers the server's output to the client.
    func distribute() {
        let outgoing = wire.outgoing
        let bytes = outgoing.content
        if !bytes.isEmpty { unsafe BIO_write(input, bytes, Int32(bytes.count)) }
        outgoing.removeAll()
    }

    /// Sends data from the client, and returns the result of decrypting all that has arrived at the server.
    func send(_ text: String) -> TLSSession.Opened {
        let bytes = Array(text.utf8)
        if !bytes.isEmpty { unsafe SSL_write(ssl, bytes, Int32(bytes.count)) }
        return open()
    }

    /// Decrypts all that has arrived at the server.
    func open() -> TLSSession.Opened {
        collect()
        defer { distribute() }
        return server.open(toServer, into: Buffer(capacity: 1 << 16))
    }

    /// What the client can read.
    func read() -> String {
        ERR_clear_error()
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe SSL_read(ssl, &bytes, Int32(bytes.count))
        return String(decoding: bytes.prefix(Int(max(0, count))), as: UTF8.self)
    }

    /// The OCSP response that the server stapled.
    var stapled: [UInt8]? {
        var start: UnsafePointer<UInt8>?
        let count = unsafe SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0, &start)
        return unsafe start.map { unsafe Array(UnsafeBufferPointer(start: $0, count: count)) }
    }

    /// The number of CA names that the server sent.
    var authorities: Int { unsafe Int(max(0, OPENSSL_sk_num(SSL_get0_peer_CA_list(ssl)))) }

    /// SHA-256 of the certificate that the server presented.
    var shown: [UInt8]? { unsafe SSL_get0_peer_certificate(ssl).map { unsafe X509Facts($0).fingerprint } }

    var isDone: Bool { clientStatus == 1 && serverResult == .done }
}
