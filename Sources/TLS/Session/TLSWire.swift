import COpenSSL
import Core

/// The BIO through which OpenSSL reads and writes the ciphertext of one thread's sessions.
///
/// Shape:  one BIO for all sessions of the thread. It reads from the buffer that the running call was given and appends
///         to `outgoing`, so that a session needs no BIO of its own, and the records of one call are sent in one write.
///         OpenSSL sees complete records only, since it would keep an incomplete one in a buffer of 17 KB per session.
///         The incomplete record stays in the caller's buffer, whose memory is counted.
/// Source: BIO_meth_new(3).
@safe public final class TLSWire {
    /// Ciphertext to be sent. The caller has to empty it after each call on a session.
    public let outgoing = Buffer(capacity: Limits.outgoingBytes)
    let bio: OpaquePointer
    /// The session whose call is running.
    private(set) var session: TLSSession?
    private var ciphertext: Buffer?
    /// Bytes of `ciphertext` that OpenSSL may still read.
    private(set) var availableCount = 0

    public init() {
        guard let bio = unsafe BIO_new(wireMethod) else { preconditionFailure("tls: OpenSSL is out of memory") }
        unsafe self.bio = unsafe bio
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
    }

    deinit { unsafe BIO_free(bio) }

    /// Begins a call of `session`, which may read the complete records of `ciphertext`; or all of it, if OpenSSL holds
    /// the beginning of a record.
    func begin(_ session: TLSSession, _ ciphertext: Buffer?, isInsideRecord: Bool) {
        precondition(self.session == nil, "tls: a call within a call")
        precondition(outgoing.freeCount >= Limits.flightBytesMax, "tls: outgoing has to be emptied between calls")
        self.session = session
        self.ciphertext = ciphertext
        guard let ciphertext else { return }
        availableCount = isInsideRecord ? ciphertext.count : wholeRecordsCount(ciphertext.bytes)
    }

    /// Ends the call.
    func end() {
        session = nil
        ciphertext = nil
        availableCount = 0
    }

    /// Bytes of the next record, which is complete.
    var nextRecordCount: Int {
        guard let ciphertext, availableCount >= recordHeaderCount else { return availableCount }
        return min(availableCount, recordCount(ciphertext.bytes, at: 0))
    }

    /// Copies bytes for OpenSSL to read, at most `availableCount`. Returns zero if none is left.
    fileprivate func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        guard let ciphertext, availableCount > 0, session?.isFlooded == false else { return 0 }
        let count = min(availableCount, memory.count)
        unsafe ciphertext.bytes.extracting(0..<count).withUnsafeBytes { bytes in
            unsafe memory.copyMemory(from: bytes)
        }
        ciphertext.consume(count)
        availableCount -= count
        return count
    }
}

/// Bytes of a record's header, which tells the record's length.
let recordHeaderCount = 5

/// Whether `bytes`, a record's header or more, begin with an HTTP method instead: at least three capital letters, then
/// perhaps a space. Source: RFC 9110 §9.1.
func isPlainHTTP(_ bytes: Span<UInt8>) -> Bool {
    var count = 0
    while count < recordHeaderCount, (0x41...0x5A).contains(bytes[count]) { count += 1 }
    return count == recordHeaderCount || count >= 3 && bytes[count] == 0x20
}

/// How many bytes the complete records at the start of `bytes` have. Bytes that are not a record count in full, so that
/// OpenSSL reports the error. Source: RFC 8446 §5.1.
func wholeRecordsCount(_ bytes: Span<UInt8>) -> Int {
    var end = 0
    while bytes.count - end >= recordHeaderCount {
        guard isRecordHeader(bytes, at: end) else { return bytes.count }
        let count = recordCount(bytes, at: end)
        guard count <= bytes.count - end else { break }
        end += count
    }
    return end
}

private func isRecordHeader(_ bytes: Span<UInt8>, at index: Int) -> Bool {
    let isKnown = (20...23).contains(bytes[index]) && bytes[index + 1] == 3
    return isKnown && recordCount(bytes, at: index) <= recordHeaderCount + Limits.recordContentMax
}

private func recordCount(_ bytes: Span<UInt8>, at index: Int) -> Int {
    recordHeaderCount + Int(bytes[index + 3]) << 8 + Int(bytes[index + 4])
}

/// The functions of the BIO, shared by all threads; they do not change after they were set.
private nonisolated(unsafe) let wireMethod: OpaquePointer = {
    guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire") else {
        preconditionFailure("tls: OpenSSL is out of memory")
    }
    unsafe BIO_meth_set_read_ex(method) { bio, memory, capacity, taken in
        let wire = unsafe Unmanaged<TLSWire>.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
        unsafe BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
        let count = unsafe wire.read(into: UnsafeMutableRawBufferPointer(start: memory, count: capacity))
        unsafe taken?.pointee = count
        if count == 0 { unsafe BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY) }
        return count > 0 ? 1 : 0
    }
    unsafe BIO_meth_set_write_ex(method) { bio, memory, count, written in
        let wire = unsafe Unmanaged<TLSWire>.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
        let bytes = unsafe UnsafeRawBufferPointer(start: memory, count: count)
        unsafe wire.outgoing.append(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: bytes)))
        unsafe written?.pointee = count
        return 1
    }
    unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in
        // There is nothing to flush. Other controls are not supported.
        command == BIO_CTRL_FLUSH ? 1 : 0
    }
    return unsafe method
}()
