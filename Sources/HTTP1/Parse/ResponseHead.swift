import Core

/// Parses a response head from the start of `input`, which is all bytes that wait, into `head`. A 1xx response (100
/// Continue, 101) is a complete head without a body, and the final response follows it.
///
/// Fields are treated as in a request. In a response to HEAD and in a 304, which have no body, Content-Length is kept,
/// as it describes another response; everywhere else it is marked removed. `scan` belongs to the connection and starts
/// again with each head.
/// Source: RFC 9112 §4, §6.3; RFC 9110 §8.6; docs/elbv2.md, "Status codes".
public func parseResponseHead(
    _ input: Span<UInt8>, into head: Head, requestIsHEAD: Bool, scan: inout HeadScan
) -> HeadResult {
    head.reset()
    guard scan.isWorthParsing(input, bytesMax: Limits.responseHeadBytesMax) else { return .needMore }
    // Bytes beyond the cap are not parsed, so that the verdict does not depend on how the head arrives.
    let window = input.extracting(first: Limits.responseHeadBytesMax)
    let result = readResponseHead(window, into: head, requestIsHEAD: requestIsHEAD, scan: &scan)
    return applyHeadLimit(result, isBeyondLimit: input.count > window.count, head, &scan)
}

private func readResponseHead(
    _ input: Span<UInt8>, into head: Head, requestIsHEAD: Bool, scan: inout HeadScan
) -> HeadResult {
    var line = StatusLine()
    let fieldsStart: Int
    switch line.read(input) {
    case .needMore:
        scan.suspend(input, lineStart: 0, lineCount: 0)
        return .needMore
    case .refused(let violation): return .refused(violation)
    case .complete(let next): fieldsStart = next
    }
    head.minorVersion = line.minorVersion
    head.status = line.status
    head.reason = line.reason
    let forbidsBody = forbidsFraming(line.status)
    let hasNoBody = requestIsHEAD || forbidsBody || line.status == 304

    let kind = FieldFacts.Kind.response(keepsContentLength: hasNoBody && !forbidsBody)
    var facts = FieldFacts(kind, minorVersion: line.minorVersion, arenaShift: 0)
    switch FieldLines.read(input, from: fieldsStart, into: head, facts: &facts) {
    case .needMore(let lineStart):
        scan.suspend(input, lineStart: lineStart, lineCount: head.fieldCount + 1)
        return .needMore
    case .refused(let violation): return .refused(violation)
    case .complete(let end):
        head.append(input.extracting(first: end))
        if let violation = facts.applyConnection(input, to: head) { return .refused(violation) }
        let framing = framing(of: facts.framing, hasNoBody: hasNoBody, head)
        head.isWebSocket = line.status == 101 && facts.upgradesToWebSocket
        return .complete(
            ParsedHead(
                byteCount: end, framing: framing, isPersistent: facts.isPersistent && framing != .untilClose,
                expectsContinue: false))
    }
}

/// Source: RFC 9112 §6.3.
private func framing(of fields: FramingFields, hasNoBody: Bool, _ head: Head) -> Framing {
    if hasNoBody { return .none }
    if let length = fields.contentLength {
        head.body = .exactly(length)
        return .length(length)
    }
    head.body = .unknown
    return fields.isChunked ? .chunked : .untilClose
}

/// Whether a response of this status must not carry framing fields: 1xx, 204. Source: RFC 9110 §8.6, RFC 9112 §6.1.
package func forbidsFraming(_ status: UInt16) -> Bool { status < 200 || status == 204 }
