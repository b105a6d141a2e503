import COpenSSL
import Core

/// One TLS connection without its socket: ciphertext in, plaintext out, and the other way round.
///
/// Shape:  belongs to one thread, that of its context and wire. Makes no system call. After each step, what must be
/// sent
///         is in `TLSWire.outgoing`, alerts included, whatever the step's outcome.
/// Source: RFC 8446; RFC 5246; SSL_read(3), SSL_get_error(3).
@safe public final class TLSSession {
    let session: OpaquePointer
    private let wire: TLSWire
    /// In the role of a server: where the certificates are.
    let serverContext: TLSServerContext?
    /// In the role of a client: where the resumable sessions go.
    private let clientContext: TLSClientContext?
    private(set) var isEstablished = false
    private var end: Opened?
    /// Handshake messages after the handshake, and data, for the bound on the former.
    private var messageCount = 0
    private var openedCount: UInt64 = 0
    /// Which of the context's sets of certificates the client's SNI has chosen.
    var chosenSet = 0
    /// OpenSSL's code for what is wrong with the other side's certificate; 0 if nothing is.
    var verifyCode: Int32 = 0
    /// In the role of a client: the newest ticket that came.
    private var resumption: TLSResumption?

    /// How a handshake goes.
    public enum Handshake: Equatable {
        case done
        /// More ciphertext is needed.
        case needsMore
        /// It failed: send what is in `outgoing`, then close.
        case failed(TLSFailure)
    }

    /// What opening records brought.
    public enum Opened: Equatable {
        /// This many octets were appended; more than zero.
        case octets(Int)
        /// More ciphertext is needed, or more room.
        case nothing
        /// The other side has said that it sends no more.
        case closed
        /// The connection is beyond help: send what is in `outgoing`, then close.
        case failed(TLSFailure)
    }

    /// A server's session.
    public init(_ context: TLSServerContext, wire: TLSWire) {
        guard let session = unsafe SSL_new(context.context) else { preconditionFailure("TLS: no memory") }
        unsafe self.session = session
        self.wire = wire
        serverContext = context
        clientContext = nil
        unsafe wire.connect(session)
        unsafe SSL_set_ex_data(session, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_set_accept_state(session)
    }

    /// A client's session. `serverName` is sent as SNI and, if the context verifies, must be the certificate's; one
    /// that
    /// is an IP address is only verified. `resuming` is a session with the same server.
    public init(_ context: TLSClientContext, serverName: String, resuming: TLSResumption?, wire: TLSWire) {
        guard let session = unsafe SSL_new(context.context) else { preconditionFailure("TLS: no memory") }
        unsafe self.session = session
        self.wire = wire
        serverContext = nil
        clientContext = context
        unsafe wire.connect(session)
        unsafe SSL_set_ex_data(session, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_set_connect_state(session)
        let isAddress = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), serverName) == 1
        if !isAddress && !serverName.isEmpty {
            _ = unsafe apus_ssl_set_host_name(session, serverName)
            _ = unsafe SSL_set1_host(session, serverName)
        }
        ERR_clear_error()
        if let resuming { _ = unsafe SSL_set_session(session, resuming.session) }
    }

    deinit {
        // OpenSSL makes a session that was not shut down unusable, though targets close without a word and resume.
        let isFailed = if case .failed = end { true } else { false }
        if !isFailed { unsafe SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        unsafe SSL_free(session)
    }

    /// The Swift side of a session that OpenSSL hands to a callback.
    static func of(_ session: OpaquePointer?) -> TLSSession? {
        guard let session = unsafe session, let data = unsafe SSL_get_ex_data(session, 0) else { return nil }
        return unsafe Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue()
    }

    // MARK: Octets

    /// Goes on with the handshake. Application data behind it may stay in `ciphertext`, or wait inside: `open` it.
    public func handshake(_ ciphertext: Buffer?) -> Handshake {
        let status = wire.step(reading: ciphertext) { unsafe SSL_do_handshake(session) }
        if status == 1 {
            isEstablished = true
            return .done
        }
        if unsafe SSL_get_error(session, status) == SSL_ERROR_WANT_READ { return .needsMore }
        return .failed(takeFailure())
    }

    /// Opens as many records as `plaintext` has room for, and consumes their octets from `ciphertext`. A failure or an
    /// end behind data is told by the next call.
    public func open(_ ciphertext: Buffer?, into plaintext: Buffer) -> Opened {
        if let end { return end }
        var total = 0
        while plaintext.freeCount > 0 {
            let hasMore = !(ciphertext?.isEmpty ?? true) || hasPending
            guard hasMore else { break }
            var status: Int32 = 0
            let count = wire.step(reading: ciphertext) {
                unsafe plaintext.appendInPlace { free in
                    var count = 0
                    status = unsafe SSL_read_ex(session, free.baseAddress, free.count, &count)
                    return status == 1 ? count : 0
                }
            }
            total += count
            openedCount += UInt64(count)
            if messageCount > Limits.messagesMax + Int(openedCount / UInt64(Limits.octetsPerMessage)) {
                end = .failed(.keyUpdateFlood)
                break
            }
            if status == 1 { continue }
            let error = unsafe SSL_get_error(session, status)
            if error == SSL_ERROR_WANT_READ { break }
            end = error == SSL_ERROR_ZERO_RETURN ? .closed : .failed(takeFailure())
            break
        }
        return total > 0 ? .octets(total) : end ?? .nothing
    }

    /// Whether octets wait inside that `open` could give, or a record of which a part has come.
    public var hasPending: Bool { unsafe SSL_has_pending(session) == 1 }

    /// Seals `plaintext`, at most `Limits.sealedOctetsMax` octets, into `outgoing`, which must be empty. False if the
    /// session is dead.
    public func seal(_ plaintext: Span<UInt8>) -> Bool {
        precondition(plaintext.count <= Limits.sealedOctetsMax && wire.outgoing.isEmpty, "TLS: too much to seal")
        if plaintext.isEmpty { return true }
        return wire.step(reading: nil) {
            unsafe plaintext.withUnsafeBufferPointer { octets in
                var count = 0
                return unsafe SSL_write_ex(session, octets.baseAddress, octets.count, &count) == 1
            }
        }
    }

    /// Tells the other side, once, that no more comes.
    public func close() {
        guard isEstablished else { return }
        if case .failed = end { return }
        _ = wire.step(reading: nil) { unsafe SSL_shutdown(session) }
    }

    private func takeFailure() -> TLSFailure {
        let failure = TLSFailure.takeFromQueue()
        guard failure == .clientCertificate, serverContext == nil else { return failure }
        let isName = verifyCode == X509_V_ERR_HOSTNAME_MISMATCH || verifyCode == X509_V_ERR_IP_ADDRESS_MISMATCH
        return isName ? .nameMismatch : .untrustedTarget
    }

    // MARK: Callbacks

    /// A handshake message was dealt with, or an alert sent. Source: SSL_CTX_set_info_callback(3).
    static let noteMessage: @convention(c) (OpaquePointer?, Int32, Int32) -> Void = { session, place, _ in
        let isMessage = place & SSL_CB_LOOP != 0 && place & SSL_CB_READ == 0
        let isAlert = place & SSL_CB_ALERT != 0 && place & SSL_CB_WRITE != 0
        guard isMessage || isAlert, let session = unsafe TLSSession.of(session), session.isEstablished else { return }
        session.messageCount += 1
    }

    /// Keeps a ticket that the server gave. Source: SSL_CTX_sess_set_new_cb(3).
    static let keepSession: @convention(c) (OpaquePointer?, OpaquePointer?) -> Int32 = { session, ticket in
        guard let ticket = unsafe ticket, let session = unsafe TLSSession.of(session) else { return 0 }
        session.resumption = unsafe TLSResumption(ticket)
        return 1
    }

    /// In the role of a client: the newest session to resume that came since the last call.
    public func takeResumption() -> TLSResumption? {
        defer { resumption = nil }
        return resumption
    }
}

/// A session with a server that may be resumed, once or more often.
@safe public final class TLSResumption {
    let session: OpaquePointer

    init(_ session: OpaquePointer) { unsafe self.session = session }

    deinit { unsafe SSL_SESSION_free(session) }
}
