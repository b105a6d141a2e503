import COpenSSL
import Core

/// One thread's door between OpenSSL and bytes.
///
/// Shape:  one BIO for all sessions of the thread. It reads from the buffer that is lent for the running call and
///         appends to `outgoing`, so a session holds no BIO, and the records of one call leave in one write.
///         OpenSSL is lent whole records only: it never keeps the beginning of one, which would cost 17 KB per session;
///         that stays in the caller's buffer, where it is counted.
/// Source: BIO_meth_new(3).
@safe public final class TLSWire {
    /// What is to be sent. Emptied by the caller after each call on a session, or moved to where it waits.
    public let outgoing = Buffer(capacity: Limits.outgoingBytes)
    let bio: OpaquePointer
    /// The session whose call is running.
    private(set) var session: TLSSession?
    private var lent: Buffer?
    /// Bytes of the lent buffer that OpenSSL may still take.
    private(set) var lentCount = 0

    public init() {
        guard let bio = unsafe BIO_new(wireMethod) else { preconditionFailure("tls: OpenSSL is out of memory") }
        unsafe self.bio = unsafe bio
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
    }

    deinit { unsafe BIO_free(bio) }

    /// Begins a call of `session`, which may take the whole records of `ciphertext`; or all of it if OpenSSL holds the
    /// beginning of one.
    func begin(_ session: TLSSession, _ ciphertext: Buffer?, isInsideRecord: Bool) {
        precondition(self.session == nil, "tls: a call within a call")
        precondition(outgoing.freeCount >= Limits.flightBytesMax, "tls: outgoing has to be emptied between calls")
        self.session = session
        lent = ciphertext
        guard let ciphertext else { return }
        lentCount = isInsideRecord ? ciphertext.count : wholeRecordsCount(ciphertext.bytes)
    }

    /// Ends the call.
    func end() {
        session = nil
        lent = nil
        lentCount = 0
    }

    /// Bytes of the record that comes next in what is lent; it is whole.
    var nextRecordCount: Int {
        guard let lent, lentCount >= recordHeaderCount else { return lentCount }
        return min(lentCount, recordCount(lent.bytes, at: 0))
    }

    /// What OpenSSL reads: at most as much as was lent. Zero: nothing is left.
    fileprivate func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        guard let lent, lentCount > 0, session?.isFlooded == false else { return 0 }
        let count = min(lentCount, memory.count)
        unsafe lent.bytes.extracting(0..<count).withUnsafeBytes { bytes in
            unsafe memory.copyMemory(from: bytes)
        }
        lent.consume(count)
        lentCount -= count
        return count
    }
}

/// Bytes of a record's header: with fewer nothing can be said about what comes.
let recordHeaderCount = 5

/// Whether `bytes`, a record's header or more, begin with a method of HTTP instead: capital letters, at least three,
/// then perhaps a space. Source: RFC 9110 §9.1.
func isPlainHTTP(_ bytes: Span<UInt8>) -> Bool {
    var count = 0
    while count < recordHeaderCount, (0x41...0x5A).contains(bytes[count]) { count += 1 }
    return count == recordHeaderCount || count >= 3 && bytes[count] == 0x20
}

/// How many bytes the whole records at the start of `bytes` have. What is no record counts whole: OpenSSL says what
/// is wrong with it. Source: RFC 8446 §5.1.
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

/// The BIO's functions, for all threads; nobody changes it after it was made.
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
        // There is nothing to flush; all else is not supported.
        command == BIO_CTRL_FLUSH ? 1 : 0
    }
    return unsafe method
}()
