import CNghttp2
import Core
import HTTP1

/// What nghttp2 calls. Each finds its session and records; nothing here calls nghttp2 back into receiving or sending.
enum Callbacks {
    private typealias Frame = UnsafePointer<nghttp2_frame>

    /// The object that a session is made with; the maker deletes it.
    static func make() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        _ = unsafe nghttp2_session_callbacks_new(&callbacks)
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            unsafe Callbacks.session(user).beginHeaders(frame)
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, user in
            unsafe Callbacks.session(user).receiveField(
                UnsafeBufferPointer(start: name, count: nameCount), UnsafeBufferPointer(start: value, count: valueCount)
            )
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, _, _, _, _, _, _, _ in
            // Left to itself, nghttp2 drops the field; the message is malformed (RFC 9113 §8.1.1).
            NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            unsafe Callbacks.session(user).receiveFrame(frame)
        }
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            unsafe Callbacks.session(user).beginFrame(header)
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, data, count, user in
            unsafe Callbacks.session(user).receiveData(id, data, count)
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
            unsafe Callbacks.session(user).closeStream(id, code)
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            unsafe Callbacks.session(user).frameSent(frame)
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, user in
            unsafe Callbacks.session(user).frameNotSent(frame)
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, code, user in
            unsafe Callbacks.session(user).noteInvalidFrame(code)
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, count, source, user in
            unsafe Callbacks.session(user).sendData(source, header, count)
        }
        return unsafe callbacks
    }

    private static func session(_ user: UnsafeMutableRawPointer?) -> HTTP2Session {
        guard let user = unsafe user else { preconditionFailure("HTTP/2: a callback of no session") }
        return unsafe Unmanaged<HTTP2Session>.fromOpaque(user).takeUnretainedValue()
    }

    /// A slot as nghttp2 keeps it for a stream: never null.
    static func pointer(_ slot: Int) -> UnsafeMutableRawPointer? {
        unsafe UnsafeMutableRawPointer(bitPattern: slot + 1)
    }

    /// The slot that nghttp2 keeps for a stream.
    static func slot(_ pointer: UnsafeMutableRawPointer?) -> Int? {
        unsafe pointer.map { UInt(bitPattern: $0) }.map { Int($0) - 1 }
    }

    /// Where nghttp2 asks for a stream's data.
    static func provider(_ slot: Int) -> nghttp2_data_provider {
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.source.ptr = pointer(slot)
        unsafe provider.read_callback = { _, _, _, length, flags, source, user in
            unsafe Callbacks.session(user).readData(source, length, flags)
        }
        return unsafe provider
    }
}

extension HTTP2Session {
    private func slot(_ id: Int32) -> Int? {
        unsafe Callbacks.slot(nghttp2_session_get_stream_user_data(session, id))
    }

    // MARK: Heads

    fileprivate func beginHeaders(_ frame: UnsafePointer<nghttp2_frame>?) -> Int32 {
        guard let frame = unsafe frame?.pointee, unsafe frame.hd.type == UInt8(NGHTTP2_HEADERS.rawValue) else {
            return 0
        }
        let id = unsafe frame.hd.stream_id
        let slot: Int
        let kind: HeadBuilder.Kind
        if unsafe role == .server && frame.headers.cat == NGHTTP2_HCAT_REQUEST {
            slot = open(id)
            _ = unsafe nghttp2_session_set_stream_user_data(session, id, Callbacks.pointer(slot))
            kind = .request
        } else {
            guard let known = self.slot(id) else { return 0 }
            slot = known
            kind = streams[slot].hasHead ? .trailers : .response
        }
        builder = HeadBuilder(kind, heads.take(), slot: slot, settings: settings)
        return 0
    }

    fileprivate func receiveField(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Int32 {
        guard builder != nil, name.count > 0 else { return 0 }
        let nameSpan = unsafe Span<UInt8>(_bytes: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(name)))
        let valueSpan = unsafe Span<UInt8>(_bytes: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(value)))
        if builder?.add(nameSpan, valueSpan) == false { fail(.headFlood) }
        return 0
    }

    private func endHeaders(isEnd: Bool) {
        guard var builder else { return }
        self.builder = nil
        let slot = builder.slot
        let violation = builder.finish(isEnd: isEnd, requestIsHEAD: streams[slot].isHEAD)
        let head = builder.head
        noteProgress()
        guard !streams[slot].isResetByUs else { return heads.put(head) }
        switch builder.kind {
        case .trailers:
            guard violation == nil else {
                heads.put(head)
                return reset(slot, .protocolError)
            }
            streams[slot].trailers = head
            return
        case .request:
            streams[slot].hasHead = true
            streams[slot].firstEvent = events.count
        case .response:
            streams[slot].hasHead = head.status >= 200
        }
        streams[slot].hasEnd = isEnd
        if let violation {
            events.append(.refusedHead(slot: slot, head, violation, isEnd: isEnd))
        } else {
            events.append(.head(slot: slot, head, isEnd: isEnd))
        }
    }

    // MARK: Frames

    /// Counts frames that may bring nothing. Those that do give back what they took.
    fileprivate func beginFrame(_ header: UnsafePointer<nghttp2_frame_hd>?) -> Int32 {
        guard let header = unsafe header?.pointee else { return 0 }
        let isEmptyData =
            header.type == UInt8(NGHTTP2_DATA.rawValue) && header.length == 0
            && header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) == 0
        let isData = header.type == UInt8(NGHTTP2_DATA.rawValue) && !isEmptyData
        // A window is opened for what we have sent; HEADERS and RST_STREAM have budgets of their own.
        let isCounted =
            !isData && header.type != UInt8(NGHTTP2_HEADERS.rawValue)
            && header.type != UInt8(NGHTTP2_RST_STREAM.rawValue)
        if isCounted, !idleFrames.take(now: now) { fail(.controlFlood) }
        return 0
    }

    fileprivate func receiveFrame(_ frame: UnsafePointer<nghttp2_frame>?) -> Int32 {
        guard let frame = unsafe frame?.pointee else { return 0 }
        let header = unsafe frame.hd
        let isEnd = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch nghttp2_frame_type(rawValue: UInt32(header.type)) {
        case NGHTTP2_HEADERS:
            endHeaders(isEnd: isEnd)
            if isEnd { noteEnd(header.stream_id) }
        case NGHTTP2_DATA:
            if isEnd { noteEnd(header.stream_id) }
        case NGHTTP2_RST_STREAM:
            if let slot = slot(header.stream_id) { streams[slot].isResetByOther = true }
            if role == .server, !resets.take(now: now) { fail(.resetFlood) }
        case NGHTTP2_PING:
            if header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { events.append(.pingAcknowledged) }
        case NGHTTP2_GOAWAY:
            hasGoAway = true
            events.append(.goAway)
        default: break
        }
        return 0
    }

    private func noteEnd(_ id: Int32) {
        guard let slot = slot(id), !streams[slot].isResetByUs else { return }
        let trailers = streams[slot].trailers.take()
        // A head that says that it is the end has told so.
        if streams[slot].hasEnd && trailers == nil { return }
        streams[slot].hasEnd = true
        events.append(.end(slot: slot, trailers: trailers))
    }

    fileprivate func receiveData(_ id: Int32, _ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        _ = unsafe nghttp2_session_consume_connection(session, count)
        guard let slot = slot(id), !streams[slot].isResetByUs else { return 0 }
        let offset = UInt(bitPattern: data) - inputStart
        events.append(.data(slot: slot, ByteRange(start: Int(offset), count: count)))
        noteProgress()
        return 0
    }

    fileprivate func closeStream(_ id: Int32, _ code: UInt32) -> Int32 {
        guard let slot = slot(id) else { return 0 }
        _ = unsafe nghttp2_session_set_stream_user_data(session, id, nil)
        if let builder, builder.slot == slot {
            heads.put(builder.head)
            self.builder = nil
        }
        let wasSeen = streams[slot].hasHead || role == .client
        let isByOther = streams[slot].isResetByOther
        if role == .server, !wasSeen || isByOther && isInThisBatch(slot) {
            // Nobody saw it yet, and nobody shall: the work it asks for would be for nothing.
            withdraw(slot)
            close(slot, hasEvent: false)
            return 0
        }
        let code = streams[slot].wasNotSent ? HTTP2ErrorCode.refusedStream : HTTP2ErrorCode(code)
        close(slot, hasEvent: true)
        events.append(.closed(slot: slot, code, byOtherSide: isByOther))
        return 0
    }

    private func isInThisBatch(_ slot: Int) -> Bool {
        let first = streams[slot].firstEvent
        guard first >= 0, first < events.count else { return false }
        switch events[first] {
        case .head(slot, _, _), .refusedHead(slot, _, _, _): return true
        default: return false
        }
    }

    private func withdraw(_ slot: Int) {
        let first = streams[slot].firstEvent
        guard first >= 0 else { return }
        for index in first..<events.count where events[index].slot == slot {
            switch events[index] {
            case .head(_, let head, _), .refusedHead(_, let head, _, _): heads.put(head)
            case .end(_, let trailers?): heads.put(trailers)
            default: break
            }
            events[index] = .none
        }
    }

    fileprivate func frameSent(_ frame: UnsafePointer<nghttp2_frame>?) -> Int32 {
        guard let frame = unsafe frame?.pointee else { return 0 }
        // What breaks the connection is answered by nghttp2 itself.
        let isGoAway = unsafe frame.hd.type == UInt8(NGHTTP2_GOAWAY.rawValue)
        if unsafe isGoAway && frame.goaway.error_code != 0 && fault == nil { fault = lastInvalid ?? .protocolError }
        guard unsafe frame.hd.type == UInt8(NGHTTP2_RST_STREAM.rawValue), role == .server else { return 0 }
        // Resets that the other side's errors made us send count as its own (CVE-2025-8671).
        let isOurs = unsafe slot(frame.hd.stream_id).map { streams[$0].isResetByUs } ?? false
        if !isOurs, !resets.take(now: now) { fail(.resetFlood) }
        return 0
    }

    /// A request that waited when the other side's GOAWAY came: it was never seen.
    fileprivate func frameNotSent(_ frame: UnsafePointer<nghttp2_frame>?) -> Int32 {
        guard let frame = unsafe frame?.pointee else { return 0 }
        if unsafe frame.hd.type == UInt8(NGHTTP2_HEADERS.rawValue), let slot = unsafe slot(frame.hd.stream_id) {
            streams[slot].wasNotSent = true
        }
        return 0
    }

    fileprivate func noteInvalidFrame(_ code: Int32) -> Int32 {
        guard fault == nil else { return 0 }
        switch nghttp2_error(rawValue: code) {
        case NGHTTP2_ERR_HEADER_COMP: lastInvalid = .compression
        case NGHTTP2_ERR_FLOW_CONTROL: lastInvalid = .flowControl
        case NGHTTP2_ERR_FRAME_SIZE_ERROR: lastInvalid = .frameSize
        default: lastInvalid = .protocolError
        }
        return 0
    }

    // MARK: Data out

    fileprivate func readData(
        _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ length: Int, _ flags: UnsafeMutablePointer<UInt32>?
    ) -> Int {
        guard let slot = unsafe Callbacks.slot(source?.pointee.ptr), streams[slot].body != nil else {
            if let slot = unsafe Callbacks.slot(source?.pointee.ptr) { streams[slot].isDeferred = true }
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        let stream = streams[slot]
        // Behind DATA, nghttp2 may go on with a frame of its own in the same call: there must be room for that.
        let room = (output?.freeCount ?? 0) - 9 - Limits.frameRoomBytes
        guard room >= min(stream.bodyCount, Limits.dataRoomBytes) else {
            streams[slot].isDeferred = true
            roomless.append(slot)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        let count = min(length, stream.bodyCount, room)
        if count == 0 && !stream.isLast {
            streams[slot].isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if count == stream.bodyCount && stream.isLast {
            unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            streams[slot].hasEnded = true
            if let trailers = stream.trailersOut {
                unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                submitTrailers(trailers, id: stream.id)
            }
        }
        return count
    }

    fileprivate func sendData(
        _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ header: UnsafePointer<UInt8>?, _ count: Int
    ) -> Int32 {
        guard let output, let slot = unsafe Callbacks.slot(source?.pointee.ptr) else {
            return NGHTTP2_ERR_WOULDBLOCK.rawValue
        }
        let raw = unsafe UnsafeRawBufferPointer(start: header, count: 9)
        unsafe output.append(Span<UInt8>(_bytes: RawSpan(_unsafeBytes: raw)))
        if count > 0, let body = streams[slot].body {
            output.append(body.bytes.extracting(0..<count))
            body.consume(count)
            streams[slot].bodyCount -= count
        }
        return 0
    }
}
