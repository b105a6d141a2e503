import COpenSSL
import Core

@testable import TLS

/// An in-memory OpenSSL server, TLS 1.2, against a client session of ours, for what `TLSServerContext` does not do.
@safe final class RawTarget {
    let client: TLSSession
    let wire = TLSWire()
    let toClient = Buffer(capacity: 1 << 20)
    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer

    init() {
        unsafe context = unsafe SSL_CTX_new(TLS_server_method())
        unsafe apus_ctx_set_max_version(context, TLSVersion.tls12.number)
        unsafe SSL_CTX_use_certificate(context, Mint.ecdsa.certificate)
        unsafe SSL_CTX_use_PrivateKey(context, Mint.ecdsa.key)
        unsafe ssl = unsafe SSL_new(context)
        unsafe input = unsafe BIO_new(BIO_s_mem())
        unsafe output = unsafe BIO_new(BIO_s_mem())
        unsafe SSL_set_bio(ssl, input, output)
        unsafe SSL_set_accept_state(ssl)
        let name = Array("localhost".utf8)
        client = TLSSession(Contexts.client(), serverName: name.span, wire: wire)
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    /// Runs both handshakes. Returns false if one failed.
    func handshake() -> Bool {
        var result = TLSSession.Handshake.needsMore
        for _ in 0..<5 {
            if result == .needsMore { result = client.handshake(toClient) }
            let bytes = wire.outgoing.content
            if !bytes.isEmpty { unsafe BIO_write(input, bytes, Int32(bytes.count)) }
            wire.outgoing.removeAll()
            ERR_clear_error()
            unsafe SSL_do_handshake(ssl)
            collect()
        }
        return unsafe result == .done && SSL_is_init_finished(ssl) == 1
    }

    /// Sends HelloRequests and ignores the responses.
    func askToRenegotiate(_ count: Int) {
        for _ in 0..<count {
            unsafe SSL_renegotiate(ssl)
            unsafe SSL_do_handshake(ssl)
        }
        collect()
    }

    private func collect() {
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(output))
        unsafe BIO_read(output, &bytes, Int32(bytes.count))
        toClient.append(bytes.span)
    }
}
