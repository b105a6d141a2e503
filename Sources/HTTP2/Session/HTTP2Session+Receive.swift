import CNghttp2
import Core
import HTTP1

// Reading frames. The callbacks of nghttp2 (+Callbacks) call into this file; they only record.
extension HTTP2Session {
    /// Begins another turn, in which `work` may be done before other connections have theirs, in the units of
    /// `Limits.turnWorkMax`.
    public func beginTurn(_ work: Int = Limits.turnWorkMax) { self.work = TurnWork(work) }

    /// Whether the work of this turn is used up, so that the rest has to wait for the next one.
    public var isTurnOver: Bool { work.isDone }

    /// Parses bytes of the connection and appends events. Returns how many it consumed: all, unless the turn is over or
    /// `fault` is set. Pass the rest again in a later turn, before newer bytes.
    ///
    /// `data` events point into `bytes`. Once `fault` is set, nothing is consumed any more.
    public func receive(_ bytes: Span<UInt8>, now: Instant) -> Int {
        guard fault == nil else { return 0 }
        self.now = now
        turn += 1
        isReceiving = true
        defer { isReceiving = false }
        admit(bytes)
        let queueBefore = unsafe nghttp2_session_get_outbound_queue_size(native)
        let status = feed(bytes.extracting(first: admittedCount))
        if status >= 0 { admittedCount -= status }
        // If nghttp2 paused, it has not seen all admitted bytes yet.
        let isComplete = admittedCount == 0
        if let fault = verdict ?? (isComplete ? refusal ?? budget.chargeIgnoredData(now) : nil) {
            terminate(fault)
        } else if status < 0 {
            terminate(HTTP2Fault(receiving: status))
        } else if unsafe nghttp2_session_get_outbound_queue_size(native) > queueBefore {
            drainControlFrames()
        }
        if memory.byteCount > settings.sessionBytesMax { terminate(.memory) }
        if hasDeadRequests { dropDeadRequests() }
        return max(0, status)
    }

    /// Charges the frames that begin in `bytes`, in addition to those admitted in an earlier turn, until the end of
    /// `bytes`, a frame that exceeds a budget, or the end of the turn.
    private func admit(_ bytes: Span<UInt8>) {
        guard refusal == nil else { return }
        var index = admittedCount
        while let frame = scan.next(bytes, &index) {
            refusal = check(frame)
            if refusal != nil { return admittedCount = max(0, index - FrameHeader.byteCount) }
            work.take(frame)
            if work.isDone {
                scan.skipPayload(bytes, &index)
                return admittedCount = index
            }
        }
        admittedCount = bytes.count
    }

    private func check(_ frame: FrameHeader) -> HTTP2Fault? {
        if role == .server, frame.type == FrameType.headers, !gaps.admit(frame.stream) { return .protocolError }
        // nghttp2 ignores PRIORITY frames without checking them. Source: RFC 9113 §6.3.
        if frame.type == FrameType.priority, frame.stream == 0 { return .protocolError }
        return budget.admit(frame, now: now)
    }

    private func feed(_ bytes: Span<UInt8>) -> Int {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return 0 }
            unsafe input = start
            defer { unsafe input = nil }
            isPaused = false
            let count = unsafe nghttp2_session_mem_recv(native, start, buffer.count)
            // nghttp2 paused after the last byte. What that byte completes is reported only by another call, which has
            // to be made now, since no further byte may come.
            guard isPaused, count == buffer.count else { return count }
            let status = unsafe nghttp2_session_mem_recv(native, start + count, 0)
            return status < 0 ? status : count
        }
    }

    /// Drains the control frames that nghttp2 wants to send in response. A GOAWAY among them is the only sign that
    /// nghttp2 gave up; a RST_STREAM closes its stream at once.
    private func drainControlFrames() {
        let control = self.control ?? Buffer(capacity: Limits.controlBytesMax + Limits.frameBytesMax)
        if control.count < Limits.controlBytesMax { _ = pump(into: control, takesData: false) }
        self.control = control.isEmpty ? nil : control
        if let verdict { terminate(verdict) }
    }

    /// Removes the events of requests that were reset in the same call in which they arrived.
    private func dropDeadRequests() {
        hasDeadRequests = false
        events.removeAll { event in
            guard let slot = event.slot, streams[slot].isDead else { return false }
            switch event {
            case .head(_, let head, _), .refusedHead(_, let head, _, _): heads.put(head)
            case .end(_, let trailers): if let trailers { heads.put(trailers) }
            case .data, .closed, .faultyRequest, .goAway, .settings, .pingAcknowledged: break
            }
            return true
        }
        for slot in streams.dead {
            drop(slot)
            streams.free(slot)
        }
    }

    /// Records a request that is not reported as one: cancelled by the client, or invalid.
    private func drop(_ slot: Int) {
        if streams[slot].isResetByOtherSide {
            droppedRequestCount += 1
        } else {
            events.append(.faultyRequest(streams[slot].fault ?? .other))
        }
    }

    // MARK: What callbacks record

    /// The slot of the stream with this stream identifier; nil if it has none.
    func slot(_ id: Int32) -> Int? {
        guard let data = unsafe nghttp2_session_get_stream_user_data(native, id) else { return nil }
        return Int(bitPattern: data) - 1
    }

    func beginHead(_ id: Int32, _ category: nghttp2_headers_category) {
        guard let slot = slot(id) else {
            guard role == .server, category == NGHTTP2_HCAT_REQUEST else { return }
            let slot = streams.open(id)
            streams[slot].turn = turn
            unsafe nghttp2_session_set_stream_user_data(native, id, UnsafeMutableRawPointer(bitPattern: slot + 1))
            return reader.begin(.request, slot: slot, settings, heads)
        }
        let isResponse = role == .client && !streams[slot].hasFinalHead
        reader.begin(isResponse ? .response(isHEAD: streams[slot].isHEAD) : .trailers, slot: slot, settings, heads)
    }

    /// Adds one field of a head. Returns what nghttp2 shall do: go on (nil), pause, or fail.
    func field(_ name: Span<UInt8>, _ value: Span<UInt8>) -> nghttp2_error? {
        work.takeField(byteCount: name.count + value.count)
        reader.add(name, value)
        guard !reader.isFlood else {
            verdict = .headFlood
            return NGHTTP2_ERR_CALLBACK_FAILURE
        }
        guard work.isDone else { return nil }
        isPaused = true
        return NGHTTP2_ERR_PAUSE
    }

    func endHead(isEnd: Bool) {
        let slot = reader.slot
        if isEnd { streams[slot].hasEnded = true }
        switch reader.kind {
        case .request: endRequest(slot, isEnd: isEnd)
        case .response:
            reader.finishResponse(isEnd: isEnd)
            if let violation = reader.violation { return refuse(slot, .violation(violation), .protocolError) }
            let head = reader.take()
            if head.status >= 200 {
                streams[slot].hasFinalHead = true
                budget.refundForHead()
            }
            charge(slot, head)
            events.append(.head(slot: slot, head, isEnd: isEnd))
        case .trailers:
            if let violation = reader.violation { return refuse(slot, .violation(violation), .protocolError) }
            let trailers = reader.take()
            guard role == .client || headByteCount + trailers.byteCount <= settings.openHeadBytesMax else {
                heads.put(trailers)
                return refuse(slot, .tooMuch, .refusedStream)
            }
            charge(slot, trailers)
            budget.refundForHead()
            events.append(.end(slot: slot, trailers: trailers))
        }
    }

    private func endRequest(_ slot: Int, isEnd: Bool) {
        let violation = reader.finishRequest(isEnd: isEnd)
        let head = reader.take()
        guard headByteCount + head.byteCount <= settings.openHeadBytesMax else {
            heads.put(head)
            return refuse(slot, .tooMuch, .refusedStream)
        }
        charge(slot, head)
        streams[slot].isAnnounced = true
        if let violation {
            events.append(.refusedHead(slot: slot, head, violation, isEnd: isEnd))
        } else {
            budget.refundForHead()
            events.append(.head(slot: slot, head, isEnd: isEnd))
        }
    }

    private func charge(_ slot: Int, _ head: Head) {
        let byteCount = head.byteCount
        let heldByteCount = head.heldByteCount
        streams[slot].headByteCount += byteCount
        streams[slot].headHeldByteCount += heldByteCount
        headByteCount += byteCount
        headHeldByteCount += heldByteCount
    }

    /// Resets a stream because of a fault of the other side.
    private func refuse(_ slot: Int, _ fault: HTTP2StreamFault, _ code: HTTP2ErrorCode) {
        streams[slot].fault = fault
        unsafe nghttp2_submit_rst_stream(native, 0, streams[slot].id, code.rawValue)
    }

    func data(_ id: Int32, _ start: UnsafePointer<UInt8>, _ count: Int) {
        unsafe nghttp2_session_consume_connection(native, count)
        guard let slot = slot(id), let input = unsafe input else { return }
        // nghttp2 also delivers DATA beyond the window, and resets the stream only after it has read all of it.
        guard streams[slot].fault == nil, streams[slot].unconsumedCount + count <= settings.streamWindowBytes else {
            if streams[slot].fault == nil { streams[slot].fault = .flowControl }
            return
        }
        streams[slot].unconsumedCount += count
        events.append(.data(slot: slot, unsafe ByteRange(start: start - input, count: count)))
    }

    /// A whole DATA frame was read.
    func dataEnded(_ id: Int32, isEmpty: Bool, isEnd: Bool) {
        guard let slot = slot(id) else { return }
        budget.refundData(isEmpty: isEmpty)
        guard isEnd else { return }
        streams[slot].hasEnded = true
        events.append(.end(slot: slot, trailers: nil))
    }

    func resetReceived(_ id: Int32) {
        guard let slot = slot(id) else { return }
        // Servers reset a stream after the response if they do not want the rest of the request. Source: RFC 9113 §8.1.
        if role == .client, streams[slot].hasEnded { budget.refundReset() }
        streams[slot].isResetByOtherSide = true
    }

    /// nghttp2 rejects a frame. If it closes the stream, this is the reason.
    func invalidFrame(_ id: Int32, _ error: Int32) {
        guard id != 0, let slot = slot(id), streams[slot].fault == nil else { return }
        streams[slot].fault = HTTP2StreamFault(receiving: error)
    }

    func settingsReceived() {
        hasReceivedSettings = true
        events.append(.settings)
    }

    func pingAcknowledged() {
        guard awaitedPingCount > 0 else { return }
        awaitedPingCount -= 1
        events.append(.pingAcknowledged)
    }

    func goAwayReceived(_ code: HTTP2ErrorCode, lastStream: Int32) {
        hasReceivedGoAway = true
        hasServedBeforeGoAway = lastStream > 0
        events.append(.goAway(code))
    }

    func streamClosed(_ id: Int32, _ code: HTTP2ErrorCode) {
        guard let slot = slot(id) else { return }
        streams.close(slot)
        if !streams[slot].hasEnded, !streams[slot].isResetByOtherSide { budget.expectLateData() }
        headByteCount -= streams[slot].headByteCount
        headHeldByteCount -= streams[slot].headHeldByteCount
        if role == .server, !streams[slot].isAnnounced {
            drop(slot)
            return streams.free(slot)
        }
        if role == .server, isReceiving, streams[slot].turn == turn {
            streams[slot].isDead = true
            hasDeadRequests = true
            return
        }
        if role == .client, code == .noError, streams[slot].hasEnded { budget.refundForServedRequest() }
        // The message was rejected after it had ended its stream, so nghttp2 saw no error.
        let code = streams[slot].fault != nil && code == .noError ? .protocolError : code
        events.append(.closed(slot: slot, code, ending(slot, code)))
    }

    private func ending(_ slot: Int, _ code: HTTP2ErrorCode) -> HTTP2Ending {
        if streams[slot].wasNotSent, !streams[slot].isResetByUs { return .notProcessed }
        if streams[slot].isResetByOtherSide { return code == .refusedStream ? .notProcessed : .resetByOtherSide }
        if let fault = streams[slot].fault { return .fault(fault) }
        if streams[slot].isResetByUs { return .resetByUs }
        if code == .noError { return .complete }
        return code == .refusedStream ? .notProcessed : .fault(.other)
    }
}

extension HTTP2Fault {
    /// The fault for which nghttp2 stopped receiving.
    fileprivate init(receiving status: Int) {
        switch Int32(clamping: status) {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: self = .badPreface
        case NGHTTP2_ERR_FLOODED.rawValue: self = .acknowledgementFlood
        default: self = .internalError
        }
    }
}

extension HTTP2StreamFault {
    /// The fault for an error code of nghttp2.
    fileprivate init(receiving error: Int32) {
        switch error {
        case NGHTTP2_ERR_HTTP_HEADER.rawValue: self = .badField
        case NGHTTP2_ERR_HTTP_MESSAGING.rawValue: self = .badMessage
        case NGHTTP2_ERR_FLOW_CONTROL.rawValue: self = .flowControl
        case NGHTTP2_ERR_STREAM_CLOSED.rawValue: self = .streamClosed
        case NGHTTP2_ERR_REFUSED_STREAM.rawValue: self = .tooMuch
        default: self = .other
        }
    }
}
