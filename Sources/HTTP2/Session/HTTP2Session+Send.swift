import CNghttp2
import Core
import HTTP1

// Commands. They only queue frames; `produce` writes them. A command for a stream that nghttp2 has closed already does
// nothing, since its `closed` event is waiting.
extension HTTP2Session {
    /// A server: answers the stream. 1xx may come before the final response, and does not end it.
    ///
    /// The head is copied. `framing` tells the body's length if it is known; without `isEnd`, `attach` provides the
    /// body.
    public func respond(_ slot: Int, _ head: Head, framing: Framing, isEnd: Bool) {
        precondition(role == .server, "HTTP/2: a client does not respond")
        guard streams[slot].isOpen else { return }
        writer.writeResponse(head, framing: framing)
        let id = streams[slot].id
        streams[slot].isAnswered = head.status >= 200
        if head.status < 200 {
            precondition(!isEnd, "HTTP/2: a 1xx response is not the last")
            unsafe nghttp2_submit_headers(native, 0, id, nil, writer.array, writer.count, nil)
        } else if isEnd {
            unsafe nghttp2_submit_response(native, id, writer.array, writer.count, nil)
        } else {
            var provider = unsafe dataProvider(slot)
            unsafe nghttp2_submit_response(native, id, writer.array, writer.count, &provider)
        }
    }

    /// A client: opens a stream. Nil if none can be opened now.
    ///
    /// The head is copied. Without `isEnd`, `attach` provides the body.
    public func request(_ head: Head, scheme: StaticString, framing: Framing, isEnd: Bool) -> Int? {
        guard streamCapacity > 0 else { return nil }
        writer.writeRequest(head, scheme: scheme, framing: framing)
        // The slot is passed as user data, since the stream identifier is not known yet.
        let slot = streams.open(Int32.max)
        let data = unsafe UnsafeMutableRawPointer(bitPattern: slot + 1)
        var id: Int32
        if isEnd {
            id = unsafe nghttp2_submit_request(native, nil, writer.array, writer.count, nil, data)
        } else {
            var provider = unsafe dataProvider(slot)
            id = unsafe nghttp2_submit_request(native, nil, writer.array, writer.count, &provider, data)
        }
        guard id > 0 else {
            streams.close(slot)
            streams.free(slot)
            return nil
        }
        streams[slot].id = id
        streams[slot].isAnnounced = true
        streams[slot].isHEAD = head.methodID == .head
        return slot
    }

    /// Makes the first `count` bytes of `body` (nil: all) available to `produce`, which consumes them, until `detach`.
    /// The caller keeps ownership. With `isLast` they are the last of the stream, followed by `trailers`; `body` may be
    /// nil then.
    public func attach(_ slot: Int, _ body: Buffer?, count: Int? = nil, isLast: Bool, trailers: Head? = nil) {
        precondition(body != nil || isLast, "HTTP/2: nothing to send")
        precondition(trailers == nil || isLast, "HTTP/2: trailers before the end")
        guard streams[slot].isOpen else { return }
        streams[slot].body = body
        streams[slot].bodyCount = count ?? body?.count ?? 0
        streams[slot].isLast = isLast
        streams[slot].trailers = trailers
        guard streams[slot].isWaitingForData else { return }
        streams[slot].isWaitingForData = false
        unsafe nghttp2_session_resume_data(native, streams[slot].id)
    }

    /// Ends the access to `body` and `trailers`. Returns whether all of it was written into frames, the end of the
    /// stream included if it was the last.
    @discardableResult public func detach(_ slot: Int) -> Bool {
        let isTaken = streams[slot].bodyCount == 0 && (!streams[slot].isLast || streams[slot].hasSentEnd)
        streams[slot].body = nil
        streams[slot].bodyCount = 0
        streams[slot].trailers = nil
        // Without this, attaching an empty body later would end the stream too early.
        streams[slot].isLast = false
        return isTaken || !streams[slot].isOpen
    }

    /// Resets a stream. `closed` follows when `produce` has written it.
    ///
    /// With `noError`, a server that has responded resets after the end of its response, because it does not want the
    /// rest of the request. With any other code, what was not written yet is dropped. Source: RFC 9113 §8.1.
    public func reset(_ slot: Int, _ code: HTTP2ErrorCode) {
        guard streams[slot].isOpen else { return }
        streams[slot].isResetByUs = true
        if code == .noError, streams[slot].isAnswered, !streams[slot].hasSentEnd {
            streams[slot].isResetAtEnd = true
            return
        }
        unsafe nghttp2_submit_rst_stream(native, 0, streams[slot].id, code.rawValue)
    }

    /// Reports that `count` bytes of the stream were forwarded, and opens its window by as many.
    public func consumed(_ slot: Int, _ count: Int) {
        streams[slot].unconsumedCount = max(0, streams[slot].unconsumedCount - count)
        unsafe nghttp2_session_consume_stream(native, streams[slot].id, count)
    }

    /// Reports that a target has served a request of this client, which allows the client to cancel another one. An
    /// answer made by Apus itself allows none, since it costs the client next to nothing.
    public func requestServed() { budget.refundForServedRequest() }

    /// A server: announces a graceful shutdown by GOAWAY; streams in flight are still served. Does nothing on a client.
    /// Source: RFC 9113 §6.8.
    public func beginShutdown() {
        if role == .server { unsafe nghttp2_submit_shutdown_notice(native) }
    }

    /// Sends the final GOAWAY with the last stream. Open streams go on to their end; then `isFinished` is true.
    public func finishShutdown() {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(native)
        unsafe nghttp2_submit_goaway(native, 0, last, 0, nil, 0)
    }

    /// Sends a PING, to test whether the other side is alive. `pingAcknowledged` follows if it is.
    public func ping() {
        awaitedPingCount += 1
        unsafe nghttp2_submit_ping(native, 0, nil)
    }

    @unsafe private func dataProvider(_ slot: Int) -> nghttp2_data_provider {
        unsafe nghttp2_data_provider(
            source: nghttp2_data_source(ptr: UnsafeMutableRawPointer(bitPattern: slot + 1)),
            read_callback: readData)
    }
}
