import CNghttp2
import Core
import HTTP1

// Bytes in. What nghttp2 calls comes here through +Callbacks; it records and returns.
extension HTTP2Session {
    /// Begins another turn: so much work may be done before others have their turn, in the units of
    /// `Limits.turnWorkMax`.
    public func beginTurn(_ work: Int = Limits.turnWorkMax) { self.work = TurnWork(work) }

    /// Whether so much was done in this turn that the rest is for another one.
    public var isTurnOver: Bool { work.isDone }

    /// Takes bytes of the connection and appends what they say to the events. Returns how many it took: all, unless the
    /// turn is over, or the connection beyond help. The rest is to be handed in again in a later turn, before all else.
    ///
    /// `data` events point into `bytes`. Once `fault` is set, nothing is taken any more.
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
        // Where nghttp2 paused, what was admitted behind is still to come.
        let isSettled = admittedCount == 0
        if let fault = verdict ?? (isSettled ? refusal ?? budget.settleData(now) : nil) {
            giveUp(fault)
        } else if status < 0 {
            giveUp(HTTP2Fault(receiving: status))
        } else if unsafe nghttp2_session_get_outbound_queue_size(native) > queueBefore {
            takeControl()
        }
        if memory.byteCount > settings.sessionBytesMax { giveUp(.memory) }
        if hasDeadRequests { dropDeadRequests() }
        return max(0, status)
    }

    /// Judges the frames that `bytes` begin, in addition to those that were admitted in an earlier turn: up to the end,
    /// to the frame that is one too many, or to that which makes the turn long enough.
    private func admit(_ bytes: Span<UInt8>) {
        guard refusal == nil else { return }
        var index = admittedCount
        while let frame = scan.next(bytes, &index) {
            refusal = judge(frame)
            if refusal != nil { return admittedCount = max(0, index - FrameHeader.byteCount) }
            work.take(frame)
            if work.isDone {
                scan.skipPayload(bytes, &index)
                return admittedCount = index
            }
        }
        admittedCount = bytes.count
    }

    private func judge(_ frame: FrameHeader) -> HTTP2Fault? {
        if role == .server, frame.type == FrameType.headers, !gaps.admit(frame.stream) { return .protocolError }
        // nghttp2 passes over what it does not use. Source: RFC 9113 §6.3.
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
            // Paused behind the last byte: what that ends is told by another call, and no byte may ever come for it.
            guard isPaused, count == buffer.count else { return count }
            let status = unsafe nghttp2_session_mem_recv(native, start + count, 0)
            return status < 0 ? status : count
        }
    }

    /// Takes out what nghttp2 has decided to send because of what it received. GOAWAY among it tells that it gave up,
    /// which it tells in no other way; RST_STREAM closes its stream at once.
    private func takeControl() {
        let control = self.control ?? Buffer(capacity: Limits.controlBytesMax + Limits.frameBytesMax)
        if control.count < Limits.controlBytesMax { _ = pump(into: control, takesData: false) }
        self.control = control.isEmpty ? nil : control
        if let verdict { giveUp(verdict) }
    }

    /// Forgets the requests that were reset in the call that brought them: nobody needs to hear of them.
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

    /// Notes a request of which nobody was told: withdrawn by the other side, or none at all.
    private func drop(_ slot: Int) {
        if streams[slot].isResetByOtherSide {
            droppedRequestCount += 1
        } else {
            events.append(.faultyRequest(streams[slot].fault ?? .other))
        }
    }

    // MARK: What callbacks record

    /// The slot of the stream that the wire names `id`, or nil if nobody has heard of it.
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

    /// Takes one field of a head. What nghttp2 is to do then: go on, pause, or give up.
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
                budget.usefulHead()
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
            budget.usefulHead()
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
            budget.usefulHead()
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

    /// Resets a stream for what the other side did on it.
    private func refuse(_ slot: Int, _ fault: HTTP2StreamFault, _ code: HTTP2ErrorCode) {
        streams[slot].fault = fault
        unsafe nghttp2_submit_rst_stream(native, 0, streams[slot].id, code.rawValue)
    }

    func data(_ id: Int32, _ start: UnsafePointer<UInt8>, _ count: Int) {
        unsafe nghttp2_session_consume_connection(native, count)
        guard let slot = slot(id), let input = unsafe input else { return }
        // What is beyond the window nghttp2 hands out as well; it resets the stream, but only once all was read.
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
        budget.dataTaken(isEmpty: isEmpty)
        guard isEnd else { return }
        streams[slot].hasEnded = true
        events.append(.end(slot: slot, trailers: nil))
    }

    func resetReceived(_ id: Int32) {
        guard let slot = slot(id) else { return }
        // Servers reset what they have answered and whose body they do not want. Source: RFC 9113 §8.1.
        if role == .client, streams[slot].hasEnded { budget.forgiveReset() }
        streams[slot].isResetByOtherSide = true
    }

    /// nghttp2 refuses a frame; if it closes the stream for it, this is why.
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
        if role == .client, code == .noError, streams[slot].hasEnded { budget.served() }
        // A message that ended its stream is refused behind nghttp2's back.
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
    /// The fault that nghttp2 names so.
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
