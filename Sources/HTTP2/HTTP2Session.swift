import CNghttp2
import Core
import HTTP1

/// One HTTP/2 connection without its socket and its clock: octets in and events out, commands in and octets out.
///
/// Shape:  belongs to one thread. nghttp2's callbacks record what happened; nothing re-enters.
/// Limits: `Limits`. What goes beyond them ends the session with ENHANCE_YOUR_CALM, and `fault` says why.
/// Source: RFC 9113, RFC 8441, RFC 9218; nghttp2's documentation.
@safe public final class HTTP2Session {
    /// On which side of the connection we are.
    public enum Role: Sendable { case server, client }

    let role: Role
    let settings: HTTP2Settings
    let heads: HeadPool
    private(set) var session: OpaquePointer
    private let memory: SessionMemory
    /// What was handed to `receive`, as nghttp2's data lies in it.
    var inputStart: UInt = 0
    var now: Instant
    var events: [HTTP2Event] = []
    var streams: [StreamRecord] = []
    private var freeSlots: [Int] = []
    /// The field section that is being read.
    var builder: HeadBuilder?
    var resets: TokenBucket
    var idleFrames: TokenBucket
    /// Octets that came since the last head or data.
    private var idleOctets = 0
    /// Why the session was ended; nil while it is not.
    public internal(set) var fault: HTTP2Fault?
    /// What was wrong with the last frame that was.
    var lastInvalid: HTTP2Fault?
    /// Streams that are open.
    public private(set) var openStreamCount = 0
    /// The other side has said that it takes, or opens, no more streams.
    public internal(set) var hasGoAway = false
    private var isShutDown = false
    /// What the running `produce` writes into.
    var output: Buffer?
    /// Streams whose data found no room in it.
    var roomless: [Int] = []
    let nameScratch = Buffer(capacity: 80 * 1024)
    private var fields: [nghttp2_nv] = unsafe []

    public init(_ role: Role, _ settings: HTTP2Settings, heads: HeadPool, now: Instant) {
        self.role = role
        self.settings = settings
        self.heads = heads
        self.now = now
        resets = TokenBucket(burst: Limits.resetsBurst, perSecond: Limits.resetsPerSecond, now: now)
        idleFrames = TokenBucket(burst: Limits.idleFramesBurst, perSecond: Limits.idleFramesPerSecond, now: now)
        memory = SessionMemory()
        unsafe session = memory.makeSession(role)
        unsafe memory.bind(self, to: session)
        submitSettings()
    }

    deinit { unsafe nghttp2_session_del(session) }

    /// Octets held: nghttp2's, and ours for each stream.
    public var heldByteCount: Int { memory.heldByteCount + streams.count * MemoryLayout<StreamRecord>.stride }

    private func submitSettings() {
        var entries: [nghttp2_settings_entry] = [
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Limits.streamWindowBytes),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(Limits.headListBytesMax)),
        ]
        switch role {
        case .server:
            entries.append(entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Limits.concurrentStreamsMax))
            entries.append(entry(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1))
            entries.append(entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1))
        case .client:
            entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        }
        var status = unsafe nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        precondition(status == 0, "nghttp2_submit_settings: \(status)")
        status = unsafe nghttp2_session_set_local_window_size(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Limits.connectionWindowBytes)
        precondition(status == 0, "nghttp2_session_set_local_window_size: \(status)")
    }

    private func entry(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
    }

    // MARK: In

    /// Takes octets of the connection, all of them. False if the session is beyond help: what `produce` still gives is
    /// to be written, then the connection ends.
    public func receive(_ octets: Span<UInt8>, now: Instant) -> Bool {
        self.now = now
        guard fault == nil else { return false }
        let status = unsafe octets.withUnsafeBufferPointer { octets in
            inputStart = UInt(bitPattern: octets.baseAddress)
            return unsafe nghttp2_session_mem_recv(session, octets.baseAddress, octets.count)
        }
        if status < 0 { noteFailure(Int32(status)) }
        idleOctets += octets.count
        if fault == nil, idleOctets > Limits.idleOctetsMax { fail(.controlFlood) }
        if fault == nil, memory.heldByteCount > Limits.sessionBytesMax { fail(.memory) }
        return fault == nil
    }

    /// Something useful has come: what brought nothing before it is forgiven in part.
    func noteProgress() {
        idleOctets = 0
        idleFrames.give()
    }

    private func noteFailure(_ status: Int32) {
        guard fault == nil else { return }
        switch nghttp2_error(rawValue: status) {
        case NGHTTP2_ERR_FLOODED: fault = .controlFlood
        case NGHTTP2_ERR_NOMEM: fault = .memory
        default: fault = lastInvalid ?? .protocolError
        }
    }

    /// Ends the session for a fault of the other side's.
    func fail(_ fault: HTTP2Fault) {
        guard self.fault == nil else { return }
        self.fault = fault
        _ = unsafe nghttp2_session_terminate_session(session, HTTP2ErrorCode.enhanceYourCalm.number)
    }

    /// Events since they were removed last.
    public var eventCount: Int { events.count }
    /// The event at `index`.
    public func event(_ index: Int) -> HTTP2Event { events[index] }
    /// Forgets all events; the slots of closed streams are given again.
    public func removeEvents() {
        for event in events {
            if case .closed(let slot, _, _) = event { freeSlots.append(slot) }
        }
        events.removeAll(keepingCapacity: true)
    }

    // MARK: Slots

    /// A slot for a new stream.
    func open(_ id: Int32) -> Int {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            streams[slot] = StreamRecord(id: id)
        } else {
            slot = streams.count
            streams.append(StreamRecord(id: id))
        }
        openStreamCount += 1
        return slot
    }

    /// The stream in `slot` is over; the slot is given again once the event was removed, or now without one.
    func close(_ slot: Int, hasEvent: Bool) {
        openStreamCount -= 1
        if let trailers = streams[slot].trailers.take() { heads.put(trailers) }
        streams[slot].isOpen = false
        streams[slot].body = nil
        if !hasEvent { freeSlots.append(slot) }
    }

    // MARK: Out

    /// Sends a response's head: interim if its status is below 200, else final, with `isEnd` if no body follows.
    public func respond(_ slot: Int, _ head: Head, framing: Framing, isEnd: Bool) {
        guard streams[slot].isOpen else { return }
        let id = streams[slot].id
        prepare(head, isRequest: false, scheme: "", framing: framing)
        if head.status < 200 && !isTunnelStart(head) {
            _ = unsafe nghttp2_submit_headers(
                session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, nil, fields, fields.count, nil)
            return
        }
        if isEnd {
            _ = unsafe nghttp2_submit_response(session, id, fields, fields.count, nil)
        } else {
            var provider = unsafe Callbacks.provider(slot)
            _ = unsafe nghttp2_submit_response(session, id, fields, fields.count, &provider)
        }
    }

    /// Opens a stream for a request. Returns its slot; nil if no stream can be opened now.
    public func request(_ head: Head, scheme: StaticString, framing: Framing, isEnd: Bool) -> Int? {
        guard streamCapacity > 0 else { return nil }
        prepare(head, isRequest: true, scheme: scheme, framing: framing)
        let slot = open(0)
        streams[slot].isHEAD = head.bytes(head.method).equals("HEAD")
        let name = unsafe Callbacks.pointer(slot)
        let id: Int32
        if isEnd {
            id = unsafe nghttp2_submit_request(session, nil, fields, fields.count, nil, name)
        } else {
            var provider = unsafe Callbacks.provider(slot)
            id = unsafe nghttp2_submit_request(session, nil, fields, fields.count, &provider, name)
        }
        guard id > 0 else {
            close(slot, hasEvent: false)
            return nil
        }
        streams[slot].id = id
        return slot
    }

    /// Lends the first `count` octets of `body` to the stream until `detach`: `produce` takes DATA from it. With
    /// `isLast`
    /// the message ends behind them, with these trailers if any.
    public func attach(_ slot: Int, _ body: Buffer, count: Int, isLast: Bool, trailers: Head?) {
        guard streams[slot].isOpen else { return }
        streams[slot].body = body
        streams[slot].bodyCount = count
        streams[slot].isLast = isLast
        if let trailers { streams[slot].trailersOut = trailers }
        guard streams[slot].isDeferred else { return }
        streams[slot].isDeferred = false
        _ = unsafe nghttp2_session_resume_data(session, streams[slot].id)
    }

    /// Takes the body back. Whether all of it, and the end if it was the last, was made frames of.
    public func detach(_ slot: Int) -> Bool {
        let stream = streams[slot]
        streams[slot].body = nil
        streams[slot].trailersOut = nil
        return !stream.isOpen || stream.bodyCount == 0 && (!stream.isLast || stream.hasEnded)
    }

    /// Writes frames into `output` as long as there is room. False if more wait for it.
    public func produce(into output: Buffer) -> Bool {
        self.output = output
        defer { self.output = nil }
        for slot in roomless where streams[slot].isOpen && streams[slot].isDeferred {
            streams[slot].isDeferred = false
            _ = unsafe nghttp2_session_resume_data(session, streams[slot].id)
        }
        roomless.removeAll(keepingCapacity: true)
        while output.freeCount >= Limits.frameRoomBytes {
            var start: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &start)
            if count < 0 { noteFailure(Int32(count)) }
            // DATA is written by its callback, as much as there is room for, and counts as nothing here.
            if count <= 0 { return roomless.isEmpty }
            let raw = unsafe UnsafeRawBufferPointer(start: start, count: count)
            unsafe output.append(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: raw)))
        }
        let wantsToWrite = unsafe nghttp2_session_want_write(session) != 0
        return roomless.isEmpty && !wantsToWrite
    }

    /// Ends a stream at once.
    public func reset(_ slot: Int, _ code: HTTP2ErrorCode) {
        guard streams[slot].isOpen, !streams[slot].isResetByUs else { return }
        streams[slot].isResetByUs = true
        _ = unsafe nghttp2_submit_rst_stream(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), streams[slot].id, code.number)
    }

    /// `count` octets of the stream's data were taken: its window opens by so many again.
    public func consumed(_ slot: Int, _ count: Int) {
        guard streams[slot].isOpen else { return }
        _ = unsafe nghttp2_session_consume_stream(session, streams[slot].id, count)
    }

    /// Announces the end: requests that cross this are still served. Source: RFC 9113 §6.8.
    public func beginShutdown() { _ = unsafe nghttp2_submit_shutdown_notice(session) }

    /// Takes no more streams.
    public func finishShutdown() {
        isShutDown = true
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        _ = unsafe nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, 0, nil, 0)
    }

    /// Asks the other side for a sign of life, which `pingAcknowledged` tells.
    public func ping() { _ = unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil) }

    /// In the role of a client: how many more streams may be opened now.
    public var streamCapacity: Int {
        guard fault == nil, !hasGoAway, !isShutDown, unsafe nghttp2_session_check_request_allowed(session) == 1 else {
            return 0
        }
        let allowed = unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return max(0, Int(min(allowed, Limits.targetStreamsMax)) - openStreamCount)
    }

    // MARK: Fields

    /// Makes nghttp2's list of what `head` says.
    private func prepare(_ head: Head, isRequest: Bool, scheme: StaticString, framing: Framing) {
        unsafe fields.removeAll(keepingCapacity: true)
        nameScratch.removeAll()
        if isRequest {
            add(":method", head.bytes(head.method))
            addLiteral(":scheme", scheme)
            if let index = head.firstField(.host) { add(":authority", head.bytes(head.field(index).value)) }
            addPath(head)
        } else {
            addNumber(":status", UInt64(isTunnelStart(head) ? 200 : head.status))
        }
        addFields(head, isRequest: isRequest, keepsLength: framing == .none && !isRequest)
        if case .length(let length) = framing, isRequest || head.status >= 200, head.status != 204, head.status != 304 {
            addNumber("content-length", length)
        }
        if isRequest && head.acceptsTrailers { addLiteral("te", "trailers") }
    }

    /// A 101 of a target's is a 200 here. Source: RFC 8441 §5.
    private func isTunnelStart(_ head: Head) -> Bool { head.isWebSocket && head.status == 101 }

    /// Makes nghttp2's list of trailers.
    func submitTrailers(_ head: Head, id: Int32) {
        unsafe fields.removeAll(keepingCapacity: true)
        nameScratch.removeAll()
        addFields(head, isRequest: false, keepsLength: false)
        _ = unsafe nghttp2_submit_trailer(session, id, fields, fields.count)
    }

    private func addFields(_ head: Head, isRequest: Bool, keepsLength: Bool) {
        for index in 0..<head.fieldCount {
            let field = head.field(index)
            if field.isRemoved { continue }
            switch field.id {
            case .connection, .transferEncoding, .upgrade, .keepAlive, .proxyConnection, .http2Settings, .te: continue
            case .host where isRequest: continue
            case .contentLength where !keepsLength: continue
            default: break
            }
            let name = head.bytes(field.name)
            // What asks for a WebSocket on HTTP/1, and agrees to one, has no meaning here. Source: RFC 8441 §5.
            if head.isWebSocket, name.equalsIgnoringCase("sec-websocket-accept") { continue }
            let value = head.bytes(field.value)
            guard nameScratch.freeCount > name.count else { return }
            let scratch = nameScratch
            let start = scratch.count
            for index in 0..<name.count { scratch.append(name[index].lowercased) }
            append(scratch.bytes.extracting(start..<start + name.count), value)
        }
    }

    private func addPath(_ head: Head) {
        let scratch = nameScratch
        let start = scratch.count
        scratch.append(head.bytes(head.path))
        if !head.query.isEmpty { scratch.append(head.bytes(head.query)) }
        add(":path", scratch.bytes.extracting(start..<scratch.count))
    }

    private func addNumber(_ name: StaticString, _ number: UInt64) {
        let scratch = nameScratch
        let start = scratch.count
        scratch.append(decimal: number)
        add(name, scratch.bytes.extracting(start..<scratch.count))
    }

    private func addLiteral(_ name: StaticString, _ value: StaticString) {
        let scratch = nameScratch
        let start = scratch.count
        scratch.append(value)
        add(name, scratch.bytes.extracting(start..<scratch.count))
    }

    private func add(_ name: StaticString, _ value: Span<UInt8>) {
        let raw = unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        unsafe append(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: raw)), value)
    }

    /// nghttp2 copies names and values when the list is submitted; both lie still until then.
    private func append(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        var field = unsafe nghttp2_nv()
        unsafe name.withUnsafeBufferPointer { unsafe field.name = UnsafeMutablePointer(mutating: $0.baseAddress) }
        unsafe value.withUnsafeBufferPointer { unsafe field.value = UnsafeMutablePointer(mutating: $0.baseAddress) }
        unsafe field.namelen = name.count
        unsafe field.valuelen = value.count
        unsafe fields.append(field)
    }
}

/// What a session knows of one stream.
struct StreamRecord {
    /// nghttp2's name.
    var id: Int32
    var isOpen = true
    /// The final head has come, so a further one is trailers.
    var hasHead = false
    /// The request was HEAD: a response has no body.
    var isHEAD = false
    /// Its end was told.
    var hasEnd = false
    /// We have reset it: what still comes is not told.
    var isResetByUs = false
    /// Its request could not be sent any more.
    var wasNotSent = false
    /// The other side has reset it.
    var isResetByOther = false
    /// Where in this batch's events it begins; negative if in an earlier one.
    var firstEvent = -1
    /// Trailers that came and wait for the frame's end.
    var trailers: Head?
    /// What is lent for sending.
    var body: Buffer?
    var bodyCount = 0
    var isLast = false
    var trailersOut: Head?
    /// nghttp2 was told that nothing is there to send.
    var isDeferred = false
    /// END_STREAM was sent.
    var hasEnded = false

    init(id: Int32) { self.id = id }
}
