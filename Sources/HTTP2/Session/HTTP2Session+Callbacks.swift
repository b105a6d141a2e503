import CNghttp2
import Core

// The callbacks of nghttp2. Each reports one thing to the session, which only records it, so that nothing re-enters
// nghttp2.

/// Creates an nghttp2 session that counts its memory. `bindNativeSession` has to follow.
@unsafe func makeNativeSession(_ role: HTTP2Session.Role, _ memory: SessionMemory) -> OpaquePointer {
    var callbacks: OpaquePointer?
    unsafe nghttp2_session_callbacks_new(&callbacks)
    unsafe setCallbacks(callbacks)
    defer { unsafe nghttp2_session_callbacks_del(callbacks) }
    var option: OpaquePointer?
    unsafe nghttp2_option_new(&option)
    defer { unsafe nghttp2_option_del(option) }
    unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    unsafe nghttp2_option_set_no_closed_streams(option, 1)
    // nghttp2's own limit would drop a head silently, and its stream would wait for ever. Our limits apply when heads
    // are read.
    unsafe nghttp2_option_set_max_send_header_block_length(option, Head.bytesMax)
    unsafe nghttp2_option_set_max_outbound_ack(option, Limits.acknowledgementCountMax)
    unsafe nghttp2_option_set_max_settings(option, Limits.settingCountMax)
    // nghttp2's limit counts each piece in which a frame header arrives, so it would hit slow senders. `FrameBudget`
    // counts instead.
    unsafe nghttp2_option_set_max_continuations(option, Limits.continuationCountMax * FrameHeader.byteCount * 2)
    // nghttp2's limit reads the clock and covers only resets by the other side. `FrameBudget` counts instead.
    unsafe nghttp2_option_set_stream_reset_rate_limit(option, 1 << 32, 1 << 32)
    var functions = unsafe memory.functions
    var native: OpaquePointer?
    switch role {
    case .server:
        unsafe nghttp2_option_set_builtin_recv_extension_type(option, UInt8(NGHTTP2_PRIORITY_UPDATE.rawValue))
        unsafe nghttp2_session_server_new3(&native, callbacks, nil, option, &functions)
    case .client:
        unsafe nghttp2_session_client_new3(&native, callbacks, nil, option, &functions)
    }
    guard let native = unsafe native else { preconditionFailure("HTTP/2: no memory for a session") }
    return unsafe native
}

/// Sets the session that receives the callbacks. It outlives the native session.
@unsafe func bindNativeSession(_ native: OpaquePointer, to session: HTTP2Session) {
    unsafe nghttp2_session_set_user_data(native, Unmanaged.passUnretained(session).toOpaque())
}

/// Calls `what` with the session of a callback's user data. No reference is counted: the session is alive, since it
/// called nghttp2.
@unsafe @inline(__always)
private func withSession<Result>(_ data: UnsafeMutableRawPointer?, _ what: (HTTP2Session) -> Result) -> Result {
    guard let data = unsafe data else { preconditionFailure("HTTP/2: a callback without its session") }
    return unsafe Unmanaged<HTTP2Session>.fromOpaque(data)._withUnsafeGuaranteedRef { what($0) }
}

/// The bytes of a C pointer and a length.
@unsafe @inline(__always) @_lifetime(immortal)
private func span(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Span<UInt8> {
    unsafe _overrideLifetime(UnsafeBufferPointer(start: start, count: count).span, copying: ())
}

@unsafe private func setCallbacks(_ callbacks: OpaquePointer?) {
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, data in
        guard let frame = unsafe frame else { return 0 }
        unsafe withSession(data) { session in
            unsafe session.beginHead(frame.pointee.hd.stream_id, frame.pointee.headers.cat)
        }
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
        _, _, name, nameCount, value, valueCount, _, data in
        let next = unsafe withSession(data) { session in
            unsafe session.field(span(name, nameCount), span(value, valueCount))
        }
        return next?.rawValue ?? 0
    }
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, start, count, data in
        guard let start = unsafe start else { return 0 }
        unsafe withSession(data) { session in unsafe session.data(id, start, count) }
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
        guard let frame = unsafe frame else { return 0 }
        unsafe withSession(data) { session in unsafe frameReceived(frame, session) }
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, frame, error, data in
        guard let frame = unsafe frame else { return 0 }
        unsafe withSession(data) { session in unsafe session.invalidFrame(frame.pointee.hd.stream_id, error) }
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, data in
        unsafe withSession(data) { session in session.streamClosed(id, HTTP2ErrorCode(rawValue: code)) }
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, data in
        guard let frame = unsafe frame else { return 0 }
        unsafe withSession(data) { session in unsafe frameSent(frame, session) }
        return 0
    }
    unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, data in
        guard let header = unsafe frame?.pointee.hd, header.type == FrameType.headers else { return 0 }
        unsafe withSession(data) { session in session.requestNotSent(header.stream_id) }
        return 0
    }
    unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, header, count, source, data in
        guard let header = unsafe header, let source = unsafe source else { return 0 }
        unsafe withSession(data) { session in
            unsafe session.sendData(Int(bitPattern: source.pointee.ptr) - 1, header, count)
        }
        return 0
    }
}

/// Called when nghttp2 wants DATA of the stream whose slot is in `source`.
let readData: nghttp2_data_source_read_callback = { _, _, _, countMax, flags, source, data in
    guard let flags = unsafe flags, let source = unsafe source else { return Int(NGHTTP2_ERR_PAUSE.rawValue) }
    return unsafe withSession(data) { session in
        unsafe session.offerData(Int(bitPattern: source.pointee.ptr) - 1, countMax, flags)
    }
}

@unsafe private func frameReceived(_ frame: UnsafePointer<nghttp2_frame>, _ session: HTTP2Session) {
    let header = unsafe frame.pointee.hd
    let isEnd = header.flags & FrameHeader.endStream != 0
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue: session.endHead(isEnd: isEnd)
    case NGHTTP2_DATA.rawValue:
        let isEmpty = unsafe frame.pointee.data.padlen >= header.length
        session.dataEnded(header.stream_id, isEmpty: isEmpty, isEnd: isEnd)
    case NGHTTP2_RST_STREAM.rawValue: session.resetReceived(header.stream_id)
    // For SETTINGS and PING the same flag means ACK.
    case NGHTTP2_SETTINGS.rawValue: if !isEnd { session.settingsReceived() }
    case NGHTTP2_PING.rawValue: if isEnd { session.pingAcknowledged() }
    case NGHTTP2_GOAWAY.rawValue:
        let goAway = unsafe frame.pointee.goaway
        unsafe session.goAwayReceived(
            HTTP2ErrorCode(rawValue: goAway.error_code), lastStream: goAway.last_stream_id)
    default: break
    }
}

@unsafe private func frameSent(_ frame: UnsafePointer<nghttp2_frame>, _ session: HTTP2Session) {
    let header = unsafe frame.pointee.hd
    switch UInt32(header.type) {
    case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
        if header.flags & FrameHeader.endStream != 0 { session.endSent(header.stream_id) }
    case NGHTTP2_RST_STREAM.rawValue: session.resetSent(header.stream_id)
    case NGHTTP2_GOAWAY.rawValue:
        unsafe session.goAwaySent(HTTP2ErrorCode(rawValue: frame.pointee.goaway.error_code))
    default: break
    }
}
