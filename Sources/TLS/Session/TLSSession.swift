import COpenSSL
import Core

/// One connection's TLS: bytes in, bytes out, no socket.
///
/// Shape:  sole owner of its `SSL *`; belongs to the thread of its wire. Every call may leave something in
///         `wire.outgoing` that has to be sent, alerts included, whatever it returns.
/// Limits: `Limits.postHandshakeRecordsMax` and those that the context brings.
/// Source: RFC 8446, RFC 5246; SSL_do_handshake(3), SSL_read_ex(3), SSL_get_error(3).
@safe public final class TLSSession {
    let ssl: OpaquePointer
    let wire: TLSWire
    let server: TLSServerContext?
    let client: TLSClientContext?
    /// The set of the server's certificates that was chosen by name.
    private(set) var certificateSet = 0
    /// SNI as sent, lower-case.
    private(set) var name: [UInt8] = []
    /// Whether one of the server's certificates is for that name; otherwise the default was offered.
    public private(set) var isNameServed = false
    /// What logs call the certificate that was shown, once the handshake is done: its name, or `session-reused`; empty
    /// in the client's role.
    public private(set) lazy var certificateName = makeCertificateName()
    /// Why verification failed, once it did.
    public private(set) var verifyFailure: ClientCertificateFailure?
    /// What the client showed, once somebody has asked for it.
    var shownCertificate: ClientCertificate?
    /// What the client showed in vain, until somebody takes it.
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
    /// The last alert that came and was more than a warning (RFC 8446 §6); nil if none did.
    public private(set) var alert: UInt8?
    /// The names that the client has offered by ALPN, as they were sent (RFC 7301 §3.1), up to
    /// `Limits.offeredProtocolBytesMax`; only where the configuration keeps them.
    public internal(set) var offeredProtocols: [UInt8] = []
    /// Handshake records that may still come, and the bytes received towards one more.
    private var recordsLeft = Limits.postHandshakeRecordsMax
    private var bytesTowardsRecord = 0

    /// What a call on the handshake came to.
    public enum Handshake: Equatable, Sendable {
        /// The session is ready for data; the client's first may be waiting in the ciphertext already.
        case done
        /// Send what is in `outgoing`, and call again when more ciphertext has come.
        case needsMore
        /// Send what is in `outgoing` and close.
        case failed(TLSFailure)
    }

    /// What `open` came to.
    public enum Opened: Equatable, Sendable {
        /// So many bytes, at least one, were appended.
        case bytes(Int)
        /// There is nothing to open before more ciphertext comes.
        case nothing
        /// The other side sends no more (close_notify); what it was sent is complete.
        case closed
        /// Send what is in `outgoing` and close.
        case failed(TLSFailure)
    }

    /// How a session came to its end.
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
    /// the context does not verify; a host name is sent as SNI. A `resuming` of another context or name is ignored.
    /// `offering` is offered by ALPN instead of what the context offers, if it is not nil.
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
        // Without this OpenSSL takes the connection for cut off, and the ticket it brought for spoilt.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
    }

    private static func make(_ context: TLSContext, _ wire: TLSWire) -> OpaquePointer {
        guard let ssl = unsafe SSL_new(context.pointer) else { preconditionFailure("tls: OpenSSL is out of memory") }
        // The session gives back one reference for reading and writing together.
        unsafe BIO_up_ref(wire.bio)
        unsafe SSL_set_bio(ssl, wire.bio, wire.bio)
        return unsafe ssl
    }

    /// Goes on with the handshake, at first with no ciphertext in the client's role.
    ///
    /// Consumes of `ciphertext` the whole records that the handshake needs; what is left (the beginning of a record, or
    /// early application data) is for the next call.
    public func handshake(_ ciphertext: Buffer?) -> Handshake {
        if isDone { return .done }
        if case .failed(let failure) = ending { return .failed(failure) }
        // OpenSSL knows a few methods, and takes the others for a version of TLS.
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

    /// Opens as many records as fit into `plaintext`, which has room, and consumes their bytes from `ciphertext`.
    ///
    /// `.bytes` even if the stream ended or failed behind them; the next call then says so.
    public func open(_ ciphertext: Buffer?, into plaintext: Buffer) -> Opened {
        precondition(isDone, "tls: opened before the handshake was done")
        if let ending { return ending.opened }
        if !hasPending && ciphertext?.isEmpty != false { return .nothing }
        begin(ciphertext)
        let count = openRecords(into: plaintext)
        wire.end()
        if isFlooded && ending == nil { refuseFlood() }
        earn(count)
        if count > 0 { return .bytes(count) }
        return ending?.opened ?? .nothing
    }

    /// Whether OpenSSL holds bytes that `open` could give without more ciphertext: it did when `plaintext` was full.
    public var hasPending: Bool { unsafe ending == nil && SSL_pending(ssl) > 0 }

    /// Whether `open` has something to say without more ciphertext: bytes, or how the session ended behind the last.
    public var hasMore: Bool { ending != nil || hasPending }

    /// Seals at most `Limits.sealedBytesMax` bytes into `wire.outgoing`. False: the session is dead.
    public func seal(_ plaintext: Span<UInt8>) -> Bool {
        precondition(isDone, "tls: sealed before the handshake was done")
        precondition(plaintext.count <= Limits.sealedBytesMax, "tls: sealed more than the limit at once")
        let room = wire.outgoing.freeCount
        precondition(room >= plaintext.count + Limits.sealOverheadMax, "tls: no room in outgoing to seal into")
        if case .failed = ending { return false }
        if isCloseSent { return false }
        if plaintext.isEmpty { return true }
        forgetErrors()
        var written = 0
        let status = unsafe plaintext.withUnsafeBytes { bytes in
            unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written)
        }
        if status == 1 && written == plaintext.count { return true }
        _ = fail()
        return false
    }

    /// Says that nothing more will be sent (close_notify), once; the other side may still send.
    public func close() {
        if case .failed = ending { return }
        guard isDone, !isCloseSent else { return }
        isCloseSent = true
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    private func begin(_ ciphertext: Buffer?) {
        forgetErrors()
        wire.begin(self, ciphertext, isInsideRecord: unsafe SSL_has_pending(ssl) == 1)
    }

    /// A stale entry in this queue would be reported as the next call's error. Looking is cheaper than clearing.
    private func forgetErrors() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    private func openRecords(into plaintext: Buffer) -> Int {
        var total = 0
        while plaintext.freeCount > 0 {
            if unsafe SSL_pending(ssl) == 0 {
                guard wire.lentCount > 0 else { break }
                // The rest of a record that does not fit would be held by OpenSSL, in 17 KB.
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

    /// Ends the session with what OpenSSL's queue says.
    private func fail() -> TLSFailure {
        var (failure, reason) = TLSFailure.takeFromQueue(alert: alert)
        let verdict = unsafe SSL_get_verify_result(ssl)
        switch failure {
        case .badCertificate where client != nil:
            let isName = [X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH].contains(Int32(verdict))
            failure = isName ? .nameMismatch : .untrustedTarget
        case .badCertificate: verifyFailure = ClientCertificateFailure(verdict: verdict)
        case .malformed where reason == SSL_R_EXCESSIVE_MESSAGE_SIZE && isAtClientCertificate:
            failure = .badCertificate
            verifyFailure = .maxSizeExceeded
        default: break
        }
        ending = .failed(failure)
        return failure
    }
}

/// What callbacks record.
extension TLSSession {
    /// Whether more handshake records came after the handshake than `Limits` lets in.
    var isFlooded: Bool { recordsLeft < 0 }

    /// Notes one received message or record header. Source: SSL_CTX_set_msg_callback(3).
    func received(kind: Int32, _ bytes: UnsafeRawBufferPointer) {
        switch kind {
        case SSL3_RT_ALERT:
            // Level and description; close_notify is no failure once data flows, and warnings are passed over.
            guard bytes.count == 2, unsafe bytes[0] == SSL3_AL_FATAL || (!isDone && bytes[1] == 0) else {
                return
            }
            alert = unsafe bytes[1]
        // TLS 1.3 hides the kind of a record inside of it.
        case SSL3_RT_HEADER, SSL3_RT_INNER_CONTENT_TYPE:
            if unsafe isDone && bytes[0] == UInt8(SSL3_RT_HANDSHAKE) { recordsLeft -= 1 }
        default: break
        }
    }

    /// Notes what the client asked for, and which set of certificates is for it, if any.
    func accept(name: [UInt8], set: Int?) {
        self.name = name
        isNameServed = set != nil
        certificateSet = set ?? 0
    }

    private func earn(_ count: Int) {
        bytesTowardsRecord += count
        while bytesTowardsRecord >= Limits.bytesPerPostHandshakeRecord {
            bytesTowardsRecord -= Limits.bytesPerPostHandshakeRecord
            recordsLeft = min(recordsLeft + 1, Limits.postHandshakeRecordsMax)
        }
    }

    /// OpenSSL sees no fault in a flood and so has no alert for it: close_notify it is.
    private func refuseFlood() {
        close()
        ending = .failed(version == .tls13 ? .keyUpdateFlood : .renegotiation)
    }

    /// Whether OpenSSL was reading the client's certificates when it stopped.
    private var isAtClientCertificate: Bool { unsafe SSL_get_state(ssl) == TLS_ST_SR_CERT }
}
