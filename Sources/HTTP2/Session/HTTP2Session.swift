import CNghttp2
import Core
import HTTP1

/// One HTTP/2 connection, as server or client. Turns received bytes into events, and commands into bytes to send.
///
/// The worker reads, calls `receive`, handles the events in order, calls `produce`, writes, handles the events that
/// producing added (usually `closed`), and calls `removeEvents`. The time is passed in.
/// Shape:  owned by one thread; nothing calls back. A stream is a slot (see `HTTP2Event`).
/// Limits: `HTTP2Settings`; `heldByteCount` is the memory that is held.
/// Errors: once `fault` is set no more events follow; write what `produce` returns, then close.
/// Source: RFC 9113; RFC 8441 (WebSocket); RFC 9218 (priorities).
@safe public final class HTTP2Session {
    /// Which side of the connection this is.
    public enum Role: Sendable {
        /// A client connected to us.
        case server
        /// We connected to a target.
        case client
    }

    /// Which side this is.
    public let role: Role
    /// What the other side may do.
    public let settings: HTTP2Settings
    /// Why the connection has to be closed; nil if it does not.
    public internal(set) var fault: HTTP2Fault?
    /// Whether the other side has sent GOAWAY, so that it accepts no more streams.
    public internal(set) var hasReceivedGoAway = false
    /// Whether its GOAWAY names a last stream other than 0, so that it has served some.
    public internal(set) var hasServedBeforeGoAway = false
    /// Whether the other side's settings are known.
    public internal(set) var hasReceivedSettings = false
    /// Requests that were reset before they were reported.
    public internal(set) var droppedRequestCount = 0

    let heads: HeadPool
    let native: OpaquePointer
    let memory: SessionMemory
    let writer = HeadWriter()
    var reader = HeadReader()
    var streams = StreamTable()
    var events: [HTTP2Event] = []
    var budget: FrameBudget
    var scan: FrameScan
    /// A server: the stream numbers that the client has skipped and may not use later.
    var gaps = StreamGaps()
    var now: Instant
    /// A fault that a callback found, handled once nghttp2 has returned.
    var verdict: HTTP2Fault?

    // Receiving.
    /// The work left in this turn.
    var work = TurnWork(Limits.turnWorkMax)
    /// Whether nghttp2 was told to pause in the middle of a head.
    var isPaused = false
    /// Bytes that were admitted and that nghttp2 has not seen yet, since it paused.
    var admittedCount = 0
    /// The fault of the frame after them.
    var refusal: HTTP2Fault?
    /// Counts the calls of `receive`.
    var turn: UInt64 = 0
    /// Whether `receive` is running.
    var isReceiving = false
    /// The start of the bytes that `receive` was given, while it is running.
    var input: UnsafePointer<UInt8>?
    /// PINGs of ours that were not acknowledged yet.
    var awaitedPingCount = 0
    /// Whether requests were reset in the same call in which they arrived.
    var hasDeadRequests = false
    /// What the heads of open streams are charged: bytes in the heads, and bytes of memory.
    var headByteCount = 0
    var headHeldByteCount = 0

    // Producing.
    /// Frames that `receive` drained from nghttp2; they are written first.
    var control: Buffer?
    /// The buffer that `produce` was given, while it is running.
    var output: Buffer?
    /// Whether DATA may be written to it.
    var takesData = false
    /// Whether DATA waits because it did not fit.
    var isOutputFull = false

    /// A session whose preface and SETTINGS are ready for `produce`.
    public init(_ role: Role, _ settings: HTTP2Settings, heads: HeadPool, now: Instant) {
        self.role = role
        self.settings = settings
        self.heads = heads
        self.now = now
        budget = FrameBudget(settings, now: now)
        scan = FrameScan(prefaceCount: role == .server ? Int(NGHTTP2_CLIENT_MAGIC_LEN) : 0)
        let memory = SessionMemory()
        self.memory = memory
        unsafe native = makeNativeSession(role, memory)
        unsafe bindNativeSession(native, to: self)
        submitSettings()
    }

    deinit { unsafe nghttp2_session_del(native) }

    // MARK: Events

    /// Events that wait.
    public var eventCount: Int { events.count }

    /// The event at `index`, the oldest at 0.
    public func event(_ index: Int) -> HTTP2Event { events[index] }

    /// Removes all events, and frees the slots of streams that were `closed`.
    public func removeEvents() {
        for index in events.indices {
            if case .closed(let slot, _, _) = events[index] { streams.free(slot) }
        }
        events.removeAll(keepingCapacity: events.capacity <= 256)
    }

    // MARK: Facts

    /// Streams that are open.
    public var openStreamCount: Int { streams.openCount }

    /// A client: how many more streams may be opened now.
    public var streamCapacity: Int {
        guard role == .client, fault == nil, unsafe nghttp2_session_check_request_allowed(native) != 0 else { return 0 }
        let theirs = hasReceivedSettings ? remoteStreamCountMax : settings.streamCountBeforeSettings
        return max(0, min(theirs, settings.streamCountMax) - streams.openCount)
    }

    /// How many streams the other side allows at once, once its settings are known. RFC 9113 §6.5.2.
    public var remoteStreamCountMax: Int {
        unsafe Int(nghttp2_session_get_remote_settings(native, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }

    /// Bytes of DATA that the other side's windows allow on `slot` now.
    public func windowCount(_ slot: Int) -> Int {
        let own = unsafe nghttp2_session_get_stream_remote_window_size(native, streams[slot].id)
        return unsafe Int(max(0, min(own, nghttp2_session_get_remote_window_size(native))))
    }

    /// Whether nothing is left to read or write, so that the connection may be closed.
    public var isFinished: Bool {
        guard control == nil else { return false }
        return unsafe nghttp2_session_want_read(native) == 0 && nghttp2_session_want_write(native) == 0
    }

    /// Whether a preface, a head or another frame except DATA is incomplete (slow loris).
    public var isInsideFrame: Bool { scan.isInside }

    /// Bytes of memory held: by nghttp2, by the session, and by the heads of open streams, even if others own them now.
    public var heldByteCount: Int { memory.byteCount + headHeldByteCount + writer.byteCount + (control?.capacity ?? 0) }

    /// Ends the session with GOAWAY and the code of `fault`. Must not be called from a callback.
    func terminate(_ fault: HTTP2Fault) {
        guard self.fault == nil else { return }
        self.fault = fault
        unsafe nghttp2_session_terminate_session(native, fault.code.rawValue)
    }

    private func submitSettings() {
        let window = UInt32(clamping: settings.streamWindowBytes)
        let streamCount = UInt32(clamping: settings.streamCountMax)
        switch role {
        case .server:
            submit([
                (NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streamCount),
                (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window),
                (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: settings.requestHeadBytesMax)),
                (NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, settings.allowsWebSocket ? 1 : 0),
                (NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
            ])
        case .client:
            submit([
                (NGHTTP2_SETTINGS_ENABLE_PUSH, 0),
                (NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0),
                (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window),
                (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: settings.responseHeadBytesMax)),
            ])
        }
        // The connection's window is as large as those of all streams together, so it never blocks a stream.
        let connectionWindow = Int32(clamping: settings.streamWindowBytes * settings.streamCountMax)
        let status = unsafe nghttp2_session_set_local_window_size(native, 0, 0, max(connectionWindow, 65_535))
        precondition(status == 0, "HTTP/2: window refused")
    }

    private func submit(_ entries: [(nghttp2_settings_id, UInt32)]) {
        let entries = entries.map { id, value in
            nghttp2_settings_entry(settings_id: Int32(bitPattern: id.rawValue), value: value)
        }
        let status = unsafe nghttp2_submit_settings(native, 0, entries, entries.count)
        precondition(status == 0, "HTTP/2: settings refused")
    }
}
