import COpenSSL
import Core

/// One thread's door between OpenSSL and octets: what its sessions read comes from the buffer lent for the running
/// call,
/// what they write goes into `outgoing`. So an idle session holds no octets, and several records leave in one write.
///
/// Shape:  one BIO for all sessions of the thread. Not Sendable.
/// Source: BIO_meth_new(3).
@safe public final class TLSWire {
    /// What must be sent: the caller empties it after each step of a session.
    public let outgoing = Buffer(capacity: Limits.outgoingBytesMax)
    /// What the running step may read.
    private var incoming: Buffer?
    private let method: OpaquePointer
    private let bio: OpaquePointer

    public init() {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let method = unsafe BIO_meth_new(type, "apus") else { preconditionFailure("TLS: no memory") }
        unsafe BIO_meth_set_create(method) { bio in
            unsafe BIO_set_init(bio, 1)
            return 1
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        unsafe BIO_meth_set_read(method) { bio, start, count in
            guard let bio = unsafe bio, let start = unsafe start else { return -1 }
            return unsafe TLSWire.of(bio).read(bio, start, Int(count))
        }
        unsafe BIO_meth_set_write(method) { bio, start, count in
            guard let bio = unsafe bio, let start = unsafe start else { return -1 }
            return unsafe TLSWire.of(bio).write(start, Int(count))
        }
        guard let bio = unsafe BIO_new(method) else { preconditionFailure("TLS: no memory") }
        unsafe self.method = method
        unsafe self.bio = bio
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        unsafe BIO_free(bio)
        unsafe BIO_meth_free(method)
    }

    private static func of(_ bio: OpaquePointer) -> TLSWire {
        unsafe Unmanaged<TLSWire>.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
    }

    /// Has `session` read and write here.
    func connect(_ session: OpaquePointer) {
        // SSL_set_bio takes one reference when both directions are the same BIO.
        _ = unsafe BIO_up_ref(bio)
        unsafe SSL_set_bio(session, bio, bio)
    }

    /// Lends `ciphertext` to OpenSSL for one step, with an empty error queue: an entry that an earlier call left there
    /// would be taken for this step's. Source: SSL_get_error(3).
    func step<Result>(reading ciphertext: Buffer?, _ body: () -> Result) -> Result {
        incoming = ciphertext
        defer { incoming = nil }
        ERR_clear_error()
        return body()
    }

    private func read(_ bio: OpaquePointer, _ start: UnsafeMutablePointer<CChar>, _ count: Int) -> Int32 {
        unsafe apus_bio_clear_retry(bio)
        guard let incoming, !incoming.isEmpty else {
            unsafe apus_bio_retry_read(bio)
            return -1
        }
        let taken = min(count, incoming.count)
        unsafe incoming.bytes.extracting(0..<taken).withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(start).copyMemory(from: base, byteCount: taken)
        }
        incoming.consume(taken)
        return Int32(taken)
    }

    private func write(_ start: UnsafePointer<CChar>, _ count: Int) -> Int32 {
        if outgoing.freeCount < count { outgoing.compact() }
        guard outgoing.freeCount >= count else { return -1 }
        let raw = unsafe UnsafeRawBufferPointer(start: start, count: count)
        unsafe outgoing.append(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: raw)))
        return Int32(count)
    }
}
