import COpenSSL

/// What a later session with the same target needs to be shorter: a ticket and its secret.
///
/// Shape:  owns an `SSL_SESSION *`; belongs to the worker of its context. For one use, since TLS 1.3 tickets that are
///         used twice let an observer tell that two connections belong together. Source: RFC 8446 §C.4.
@safe public final class TLSResumption {
    let session: OpaquePointer
    /// The context and the name whose verification it stands for.
    let context: TLSClientContext
    let name: [UInt8]

    /// Takes over one reference to `session`.
    init(_ session: OpaquePointer, context: TLSClientContext, name: [UInt8]) {
        unsafe self.session = unsafe session
        self.context = context
        self.name = name
    }

    deinit { unsafe SSL_SESSION_free(session) }
}
