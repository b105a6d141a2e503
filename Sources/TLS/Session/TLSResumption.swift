import COpenSSL

/// What resumes a session with the same target: a ticket and its secret.
///
/// Shape:  owns an `SSL_SESSION *`; belongs to the worker of its context. For one use, since a TLS 1.3 ticket that is
///         used twice lets an observer link two connections. Source: RFC 8446 §C.4.
@safe public final class TLSResumption {
    let session: OpaquePointer
    /// The context and the name for which the target was verified.
    let context: TLSClientContext
    let name: [UInt8]

    /// Takes ownership of one reference to `session`.
    init(_ session: OpaquePointer, context: TLSClientContext, name: [UInt8]) {
        unsafe self.session = unsafe session
        self.context = context
        self.name = name
    }

    deinit { unsafe SSL_SESSION_free(session) }
}
