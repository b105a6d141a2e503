import COpenSSL

/// An `SSL_CTX *`, with the settings that both roles share. Source: SSL_CTX_new(3), SSL_CTX_set_mode(3).
///
/// Shape: owned by the server or client context, which its sessions keep alive.
@safe final class TLSContext {
    let pointer: OpaquePointer

    init(_ method: OpaquePointer?) {
        guard let pointer = unsafe SSL_CTX_new(method) else { preconditionFailure("tls: OpenSSL is out of memory") }
        unsafe self.pointer = unsafe pointer
        // Empty buffers are released, and a chain is sent as configured instead of being completed by OpenSSL.
        unsafe apus_ctx_set_mode(
            pointer,
            Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
                | Int(SSL_MODE_NO_AUTO_CHAIN))
        unsafe SSL_CTX_set_options(pointer, APUS_SSL_OP_NO_COMPRESSION | APUS_SSL_OP_NO_RENEGOTIATION)
        unsafe SSL_CTX_set_msg_callback(pointer) { isWritten, _, kind, content, count, _, session in
            guard isWritten == 0, count > 0, let content = unsafe content, let session = unsafe session else { return }
            let bytes = unsafe UnsafeRawBufferPointer(start: content, count: count)
            let receiver = unsafe Unmanaged<TLSSession>.fromOpaque(session).takeUnretainedValue()
            unsafe receiver.received(kind: kind, bytes)
        }
    }

    deinit { unsafe SSL_CTX_free(pointer) }
}

/// The session whose call is running on an `SSL *`. Callbacks find it through the wire, so that no session needs memory
/// for a back pointer.
func runningSession(_ ssl: OpaquePointer?) -> TLSSession? {
    guard let data = unsafe BIO_get_data(SSL_get_rbio(ssl)) else { return nil }
    return unsafe Unmanaged<TLSWire>.fromOpaque(data).takeUnretainedValue().session
}
