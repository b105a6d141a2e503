import COpenSSL

/// An `SSL_CTX *` of one role, with what both roles share. Source: SSL_CTX_new(3), SSL_CTX_set_mode(3).
///
/// Shape: owned by the context of the role; sessions keep that one alive.
@safe final class TLSContext {
    let pointer: OpaquePointer

    init(_ method: OpaquePointer?) {
        guard let pointer = unsafe SSL_CTX_new(method) else { preconditionFailure("tls: OpenSSL is out of memory") }
        unsafe self.pointer = unsafe pointer
        // Buffers are given back when they are empty; a chain is sent as configured, never searched for.
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

/// The session whose call is running on an `SSL *`: callbacks ask for it through the wire, so that no session needs
/// memory for the way back.
func runningSession(_ ssl: OpaquePointer?) -> TLSSession? {
    guard let data = unsafe BIO_get_data(SSL_get_rbio(ssl)) else { return nil }
    return unsafe Unmanaged<TLSWire>.fromOpaque(data).takeUnretainedValue().session
}
