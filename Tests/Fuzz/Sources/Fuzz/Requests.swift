import Core
import HTTP1

/// Checks that an accepted request head is sent on in a form that is accepted, means the same, and does not change when
/// it is sent on again.
enum Requests {
    /// The input is the bytes that arrive. They are parsed with the default options, and with both options that change
    /// the parsing.
    static func check(_ input: Span<UInt8>) {
        check(input, RequestOptions())
        check(input, RequestOptions(dropsInvalidNames: true, keepsDuplicateHosts: true))
    }

    private static func check(_ input: Span<UInt8>, _ options: RequestOptions) {
        let head = Head()
        guard case .complete(let parsed) = HeadParser.request(options).verdict(input, into: head) else { return }
        demand(parsed.byteCount <= input.count, "took \(parsed.byteCount) bytes of \(input.count)")
        // We may add a field, which may be one more than a head may have.
        guard head.fieldCount < HTTP1.Limits.fieldCountMax else { return }

        let buffer = Buffer(capacity: requestHeadByteCount(head))
        writeRequestHead(head, framing: parsed.framing, into: buffer)
        let again = Head()
        var scan = HeadScan()
        // What was dropped must be gone by now.
        let lenient = RequestOptions(keepsDuplicateHosts: options.keepsDuplicateHosts)
        let result = parseRequestHead(buffer.bytes, into: again, options: lenient, scan: &scan)
        guard let hostIndex = head.firstField(.host) else {
            // An HTTP/1.0 request may have no Host field; the worker adds one.
            return demand(head.minorVersion == 0 && result == .refused(.missingHost), "without Host: \(result)")
        }
        guard case .complete(let reparsed) = result else {
            return demand(false, "\(result) of what we wrote: \(shown(buffer.bytes))")
        }
        demand(reparsed.byteCount == buffer.count, "head of \(reparsed.byteCount) in \(shown(buffer.bytes))")
        demand(reparsed.isPersistent && !reparsed.expectsContinue, "connection options in \(shown(buffer.bytes))")
        demand(hasSameFraming(parsed, reparsed), "\(parsed.framing) became \(reparsed.framing)")
        demandSameFields(head, again)
        let names = ["method", "path", "query"]
        for (name, range) in zip(names, [\Head.method, \Head.path, \Head.query]) {
            let (first, second) = (head.bytes(head[keyPath: range]), again.bytes(again[keyPath: range]))
            demand(first.equals(second), "\(name) \(shown(first)) became \(shown(second))")
        }
        // In absolute form the authority of the request target counts, and the worker replaces the Host field.
        let host = head.field(hostIndex).value
        demand(again.bytes(again.authority).equals(head.bytes(host)), "authority differs from Host")
        let isAbsoluteForm = !head.target.isEmpty && head.bytes(head.target)[0].isLetter
        demand(isAbsoluteForm || head.authority == host, "authority \(head.authority) is not that of Host")

        let third = Buffer(capacity: requestHeadByteCount(again))
        writeRequestHead(again, framing: reparsed.framing, into: third)
        demand(third.bytes.equals(buffer.bytes), "\(shown(buffer.bytes)) became \(shown(third.bytes))")
    }

    /// Without a body, a Content-Length of 0 may be present or not.
    private static func hasSameFraming(_ first: ParsedHead, _ second: ParsedHead) -> Bool {
        let bodiless: [Framing] = [.none, .length(0)]
        return first.framing == second.framing
            || bodiless.contains(first.framing) && bodiless.contains(second.framing)
    }
}
