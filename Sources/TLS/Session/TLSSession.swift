import COpenSSL
import Core

/// The TLS session of one connection, without a socket: it turns ciphertext into plaintext and back.
///
/// Shape:  sole owner of its `SSL *`; belongs to the thread of its wire. Whatever a call returns, it may have put bytes
///         into `wire.outgoing` that have to be sent, alerts included.
/// Limits: `Limits.postHandshakeRecordsMax` and those of the context.
/// Source: RFC 8446, RFC 5246; SSL_do_handshake(3), SSL_read_ex(3), SSL_get_error(3).
@safe public final class TLSSession {
    let ssl: OpaquePointer
    let wire: TLSWire
    let server: TLSServerContext?
    let client: TLSClientContext?
    /// The set of the server's certificates that was chosen by server name.
    private(set) var certificateSet = 0
    /// The server name (SNI) that was sent, in lower case.
    private(set) var name: [UInt8] = []
    /// Whether one of the server's certificates is for that name; otherwise the default certificate was offered.
    public private(set) var isNameServed = false
    /// The certificate in logs, once the handshake is done: its name, or `session-reused`; empty in the client's role.
    public private(set) lazy var certificateName = makeCertificateName()
    /// Why the verification of the client's certificate failed; nil if it did not.
    public private(set) var verifyFailure: ClientCertificateFailure?
    /// The client's certificate, once it was requested.
    var presentedCertificate: ClientCertificate?
    /// The rejected certificate of the client, until it is taken.
    var refusedCertificate: ClientCertificate?
    /// The newest ticket from a target.
    var resumption: TLSResumption?
    private var ending: Ending?
    /// Why the session failed; nil if it did not.
    public var failure: TLSFailure? {
        if case .failed(let failure) = ending { return failure }
        return nil
    }
    private var hasBegun = false
    private var isDone = false
    private var isCloseSent = false
    /// The last fatal alert that was received (RFC 8446 §6); nil if none was.
    public private(set) var alert: UInt8?
    /// The client's ALPN list as sent (RFC 7301 §3.1), up to `Limits.offeredProtocolBytesMax`; only if the
    /// configuration records it.
    public internal(set) var offeredProtocols: [UInt8] = []
    /// Handshake records that the other side may still send, and the bytes received towards one more.
    private var recordsLeft = Limits.postHandshakeRecordsMax
    private var bytesTowardsRecord = 0

    /// The result of a handshake call.
    public enum Handshake: Equatable, Sendable {
        /// The session is ready for data; the client's first data may be in the ciphertext already.
        case done
        /// Send what is in `outgoing`, and call again when more ciphertext has come.
        case needsMore
        /// Send what is in `outgoing` and close.
        case failed(TLSFailure)
    }

    /// The result of `open`.
    public enum Opened: Equatable, Sendable {
        /// This many bytes, at least one, were appended.
        case bytes(Int)
        /// More ciphertext is needed.
        case nothing
        /// The other side has ended its direction (close_notify); all its data was received.
        case closed
        /// Send what is in `outgoing` and close.
        case failed(TLSFailure)
    }

    /// How a session ended.
    private enum Ending {
        case closed
        case failed(TLSFailure)

        var opened: Opened {
            switch self {
            case .closed: .closed
            case .failed(let failure): .failed(failure)
            }
        }
    }

    /// The server's side of a connection from a client.
    public init(_ context: TLSServerContext, wire: TLSWire) {
        server = context
        client = nil
        self.wire = wire
        unsafe ssl = unsafe Self.make(context.context, wire)
        unsafe SSL_set_accept_state(ssl)
        unsafe apus_ssl_set_msg_callback_arg(ssl, Unmanaged.passUnretained(self).toOpaque())
    }

    /// The client's side of a connection to a target. `serverName` is a host name, an IP address as text, or empty when
    /// the context does not verify; a host name is sent as SNI. A `resuming` of another context or name is ignored. If
    /// `offering` is not nil, it replaces the context's ALPN list.
    public init(
        _ context: TLSClientContext, serverName: Span<UInt8>, resuming: TLSResumption? = nil,
        offering: ApplicationProtocol? = nil, wire: TLSWire
    ) {
        server = nil
        client = context
        self.wire = wire
        unsafe ssl = unsafe Self.make(context.context, wire)
        for index in 0..<serverName.count { name.append(serverName[index].lowercased) }
        name.removeLastDot()
        unsafe SSL_set_connect_state(ssl)
        unsafe apus_ssl_set_msg_callback_arg(ssl, Unmanaged.passUnretained(self).toOpaque())
        unsafe context.setName(name, on: ssl)
        if let offering {
            let list = ApplicationProtocol.list([offering])
            unsafe SSL_set_alpn_protos(ssl, list, UInt32(list.count))
        }
        if let resuming, resuming.context === context, resuming.name == name {
            unsafe SSL_set_session(ssl, resuming.session)
        }
    }

    deinit {
        // Without this OpenSSL assumes that the connection was cut off, and invalidates its ticket.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
    }

    private static func make(_ context: TLSContext, _ wire: TLSWire) -> OpaquePointer {
        guard let ssl = unsafe SSL_new(context.pointer) else { preconditionFailure("tls: OpenSSL is out of memory") }
        // One reference covers both directions of the BIO.
        unsafe BIO_up_ref(wire.bio)
        unsafe SSL_set_bio(ssl, wire.bio, wire.bio)
        return unsafe ssl
    }

    /// Continues the handshake. In the client's role the first call has no ciphertext.
    ///
    /// Consumes the complete records of `ciphertext` that the handshake needs. Pass the rest (an incomplete record, or
    /// application data) to the next call.
    public func handshake(_ ciphertext: Buffer?) -> Handshake {
        if isDone { return .done }
        if case .failed(let failure) = ending { return .failed(failure) }
        // OpenSSL recognises only some HTTP methods, and reports the others as a wrong TLS version.
        if server != nil, !hasBegun, let ciphertext, ciphertext.count >= recordHeaderCount {
            hasBegun = true
            if isPlainHTTP(ciphertext.bytes) {
                ending = .failed(.plainHTTP)
                return .failed(.plainHTTP)
            }
        }
        begin(ciphertext)
        defer { wire.end() }
        let status = unsafe SSL_do_handshake(ssl)
        if status == 1 {
            isDone = true
            keepResumedSession()
            return .done
        }
        if unsafe SSL_get_error(ssl, status) == SSL_ERROR_WANT_READ { return .needsMore }
        return .failed(fail())
    }

    /// Decrypts as many records as fit into `plaintext`, which must not be full, and consumes them from `ciphertext`.
    ///
    /// Returns `.bytes` even if the session ended or failed after them; the next call reports that.
    public func open(_ ciphertext: Buffer?, into plaintext: Buffer) -> Opened {
        precondition(isDone, "tls: opened before the handshake was done")
        if let ending { return ending.opened }
        if !hasPending && ciphertext?.isEmpty != false { return .nothing }
        begin(ciphertext)
        let count = openRecords(into: plaintext)
        wire.end()
        if isFlooded && ending == nil { endFlood() }
        creditReceived(count)
        if count > 0 { return .bytes(count) }
        return ending?.opened ?? .nothing
    }

    /// Whether `open` would return bytes without more ciphertext, since `plaintext` was full.
    public var hasPending: Bool { unsafe ending == nil && SSL_pending(ssl) > 0 }

    /// Whether `open` would return bytes or the end of the session without more ciphertext.
    public var hasMore: Bool { ending != nil || hasPending }

    /// Encrypts at most `Limits.sealedBytesMax` bytes into `wire.outgoing`. Returns false if the session has failed.
    public func seal(_ plaintext: Span<UInt8>) -> Bool {
        precondition(isDone, "tls: sealed before the handshake was done")
        precondition(plaintext.count <= Limits.sealedBytesMax, "tls: sealed more than the limit at once")
        let room = wire.outgoing.freeCount
        precondition(room >= plaintext.count + Limits.sealOverheadMax, "tls: no room in outgoing to seal into")
        if case .failed = ending { return false }
        if isCloseSent { return false }
        if plaintext.isEmpty { return true }
        clearErrorQueue()
        var written = 0
        let status = unsafe plaintext.withUnsafeBytes { bytes in
            unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written)
        }
        if status == 1 && written == plaintext.count { return true }
        _ = fail()
        return false
    }

    /// Ends our direction by close_notify (half-close), once; the other side may still send.
    public func close() {
        if case .failed = ending { return }
        guard isDone, !isCloseSent else { return }
        isCloseSent = true
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    private func begin(_ ciphertext: Buffer?) {
        clearErrorQueue()
        wire.begin(self, ciphertext, isInsideRecord: unsafe SSL_has_pending(ssl) == 1)
    }

    /// A stale entry in OpenSSL's error queue would be reported as the next call's error. Peeking is cheaper than
    /// clearing.
    private func clearErrorQueue() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    private func openRecords(into plaintext: Buffer) -> Int {
        var total = 0
        while plaintext.freeCount > 0 {
            if unsafe SSL_pending(ssl) == 0 {
                guard wire.availableCount > 0 else { break }
                // If a record does not fit, OpenSSL would keep its rest in a buffer of 17 KB.
                if total > 0 && wire.nextRecordCount > plaintext.freeCount { break }
            }
            var status: Int32 = 0
            let count = unsafe plaintext.appendInPlace { memory in
                var count = 0
                status = unsafe SSL_read_ex(ssl, memory.baseAddress, memory.count, &count)
                return status == 1 ? count : 0
            }
            total += count
            if status == 1 { continue }
            switch unsafe SSL_get_error(ssl, status) {
            case SSL_ERROR_WANT_READ: return total
            case SSL_ERROR_ZERO_RETURN: ending = .closed
            default: _ = fail()
            }
            return total
        }
        return total
    }

    /// Ends the session with the failure in OpenSSL's error queue.
    private func fail() -> TLSFailure {
        var (failure, reason) = TLSFailure.takeFromQueue(alert: alert)
        let verdict = unsafe SSL_get_verify_result(ssl)
        switch failure {
        case .badCertificate where client != nil:
            let isName = [X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH].contains(Int32(verdict))
            failure = isName ? .nameMismatch : .untrustedTarget
        case .badCertificate:
            verifyFailure = ClientCertificateFailure(verdict: verdict)
            if verifyFailure == .identityNotAccepted { failure = .identityNotAccepted }
        case .malformed where reason == SSL_R_EXCESSIVE_MESSAGE_SIZE && isAtClientCertificate:
            failure = .badCertificate
            verifyFailure = .maxSizeExceeded
        default: break
        }
        ending = .failed(failure)
        return failure
    }
}

/// What the callbacks record.
extension TLSSession {
    /// Whether more handshake records came after the handshake than `Limits` allows.
    var isFlooded: Bool { recordsLeft < 0 }

    /// Records one received message or record header. Source: SSL_CTX_set_msg_callback(3).
    func received(kind: Int32, _ bytes: UnsafeRawBufferPointer) {
        switch kind {
        case SSL3_RT_ALERT:
            // Level and description. Warnings are ignored, and close_notify is no failure once data flows.
            guard bytes.count == 2, unsafe bytes[0] == SSL3_AL_FATAL || (!isDone && bytes[1] == 0) else {
                return
            }
            alert = unsafe bytes[1]
        // In TLS 1.3 the type of a record is encrypted with its content.
        case SSL3_RT_HEADER, SSL3_RT_INNER_CONTENT_TYPE:
            if unsafe isDone && bytes[0] == UInt8(SSL3_RT_HANDSHAKE) { recordsLeft -= 1 }
        default: break
        }
    }

    /// Records the client's server name, and the set of certificates for it, if any.
    func accept(name: [UInt8], set: Int?) {
        self.name = name
        isNameServed = set != nil
        certificateSet = set ?? 0
    }

    private func creditReceived(_ count: Int) {
        bytesTowardsRecord += count
        while bytesTowardsRecord >= Limits.bytesPerPostHandshakeRecord {
            bytesTowardsRecord -= Limits.bytesPerPostHandshakeRecord
            recordsLeft = min(recordsLeft + 1, Limits.postHandshakeRecordsMax)
        }
    }

    /// OpenSSL does not detect a flood and so has no alert for it; close_notify is sent.
    private func endFlood() {
        close()
        ending = .failed(version == .tls13 ? .keyUpdateFlood : .renegotiation)
    }

    /// Whether OpenSSL stopped while it was reading the client's certificates.
    private var isAtClientCertificate: Bool { unsafe SSL_get_state(ssl) == TLS_ST_SR_CERT }
}
