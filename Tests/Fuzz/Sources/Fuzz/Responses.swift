import Core
import HTTP1

/// Checks that an accepted response head is sent on in a form that is accepted and means the same.
enum Responses {
    /// The input is the bytes that arrive, parsed as the response to GET and to HEAD.
    static func check(_ input: Span<UInt8>) {
        check(input, isHEAD: false)
        check(input, isHEAD: true)
    }

    private static func check(_ input: Span<UInt8>, isHEAD: Bool) {
        let parser = HeadParser.response(isHEAD: isHEAD)
        let head = Head()
        guard case .complete(let parsed) = parser.verdict(input, into: head) else { return }
        demand(parsed.byteCount <= input.count, "took \(parsed.byteCount) bytes of \(input.count)")
        // We may add two fields, which may be more than a head may have.
        guard head.fieldCount + 2 <= HTTP1.Limits.fieldCountMax else { return }

        for connection in [ConnectionOption.none, .close, .keepAlive] {
            let buffer = Buffer(capacity: responseHeadByteCount(head))
            writeResponseHead(head, framing: parsed.framing, connection: connection, into: buffer)
            let again = Head()
            var scan = HeadScan()
            let result = parser.parse(buffer.bytes, into: again, scan: &scan)
            guard case .complete(let reparsed) = result else {
                return demand(false, "\(result) of what we wrote: \(shown(buffer.bytes))")
            }
            demand(reparsed.byteCount == buffer.count, "head of \(reparsed.byteCount) in \(shown(buffer.bytes))")
            demand(reparsed.framing == parsed.framing, "\(parsed.framing) became \(reparsed.framing)")
            // The switch to WebSocket has a connection option of its own.
            let mayPersist = head.isWebSocket || connection != .close
            demand(
                reparsed.isPersistent == (mayPersist && parsed.framing != .untilClose),
                "\(connection) became persistent \(reparsed.isPersistent)")
            demand(again.status == head.status && again.body == head.body, "status or body differs")
            demand(again.bytes(again.reason).equals(head.bytes(head.reason)), "reason differs")
            demandSameFields(head, again)
        }
    }
}
