import CNghttp2
import Core
import HTTP1

// Writing frames.
extension HTTP2Session {
    /// Writes frames into `output`, an empty or nearly empty large buffer, as long as whole frames fit. Returns false
    /// if more are waiting. May append events (usually `closed`) and set `fault`.
    public func produce(into output: Buffer) -> Bool {
        if let control {
            guard control.count <= output.freeCount else { return false }
            output.append(control.bytes)
            self.control = nil
        }
        var isDone = pump(into: output, takesData: true)
        if let verdict, fault == nil {
            terminate(verdict)
            isDone = pump(into: output, takesData: true)
        }
        return isDone
    }

    /// Takes frames out of nghttp2 until none waits or the buffer is full.
    func pump(into output: Buffer, takesData: Bool) -> Bool {
        self.output = output
        self.takesData = takesData
        defer { self.output = nil }
        while output.freeCount >= Limits.frameBytesMax {
            isOutputFull = false
            var start: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(native, &start)
            if count < 0 {
                fault = fault ?? .internalError
                return true
            }
            guard count > 0, let start = unsafe start else { return !isOutputFull }
            unsafe output.append(UnsafeBufferPointer(start: start, count: count).span)
        }
        return unsafe nghttp2_session_want_write(native) == 0
    }

    // MARK: What callbacks record

    /// How many bytes of the body of `slot` go into one frame of at most `countMax` bytes.
    func offerData(_ slot: Int, _ countMax: Int, _ flags: UnsafeMutablePointer<UInt32>) -> Int {
        guard takesData, let output else { return Int(NGHTTP2_ERR_PAUSE.rawValue) }
        let waiting = streams[slot].bodyCount
        let isLast = streams[slot].isLast
        if waiting == 0, !isLast {
            streams[slot].isWaitingForData = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        let count = min(waiting, countMax)
        let isEnd = isLast && count == waiting
        // After the end nghttp2 writes another frame in the same call: trailers, or a reset.
        let room = FrameHeader.byteCount + count + (isEnd ? Limits.frameBytesMax : 0)
        guard room <= output.freeCount else {
            isOutputFull = true
            return Int(NGHTTP2_ERR_PAUSE.rawValue)
        }
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if isEnd {
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if submitTrailers(slot) { unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue }
        }
        return count
    }

    /// Queues the trailers after the last DATA. Returns whether there are any.
    private func submitTrailers(_ slot: Int) -> Bool {
        guard let trailers = streams[slot].trailers else { return false }
        writer.writeTrailers(trailers)
        guard writer.count > 0 else { return false }
        return unsafe nghttp2_submit_trailer(native, streams[slot].id, writer.array, writer.count) == 0
    }

    /// Writes one DATA frame. `offerData` has checked that it fits.
    func sendData(_ slot: Int, _ header: UnsafePointer<UInt8>, _ count: Int) {
        guard let output else { preconditionFailure("HTTP/2: DATA while nothing is produced") }
        unsafe output.append(UnsafeBufferPointer(start: header, count: FrameHeader.byteCount).span)
        guard count > 0 else { return }
        guard let body = streams[slot].body else { preconditionFailure("HTTP/2: the body was detached") }
        budget.dataSent(count, isCutShort: count < min(streams[slot].bodyCount, FrameHeader.dataBytesMax))
        output.append(body.bytes.extracting(first: count))
        body.consume(count)
        streams[slot].bodyCount -= count
    }

    /// A frame with END_STREAM was written.
    func endSent(_ id: Int32) {
        guard let slot = slot(id) else { return }
        streams[slot].hasSentEnd = true
        // If the other side has ended too, the stream is closed anyway.
        guard streams[slot].isResetAtEnd, !streams[slot].hasEnded else { return }
        unsafe nghttp2_submit_rst_stream(native, 0, id, HTTP2ErrorCode.noError.rawValue)
    }

    /// A request was still queued when GOAWAY came, so the target has not processed it.
    func requestNotSent(_ id: Int32) {
        if let slot = slot(id) { streams[slot].wasNotSent = true }
    }

    /// A RST_STREAM is being written.
    func resetSent(_ id: Int32) {
        let slot = slot(id)
        if let slot, streams[slot].isResetByUs { return }
        // nghttp2 resets the stream by itself, without a callback, if DATA does not match content-length.
        if let slot, streams[slot].fault == nil { streams[slot].fault = .badMessage }
        verdict = budget.chargeReset(now) ?? verdict
    }

    /// A GOAWAY is being written.
    func goAwaySent(_ code: HTTP2ErrorCode) {
        if code != .noError, fault == nil { fault = HTTP2Fault(verdict: code) }
    }
}
