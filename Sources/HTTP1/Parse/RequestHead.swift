import Core

/// Parses a request head from the start of `input`, which is all bytes that wait, into `head`.
///
/// On `complete` the head is neutral: hop-by-hop fields and those that Connection names are marked removed, framing and
/// Expect among them; Host is kept. Its arena holds the bytes as received. On `refused` it has the request line, for
/// logs, if that could be parsed, and no field. `scan` belongs to the connection and starts again with each head.
/// Source: RFC 9112 §3, §5, §6, §9; docs/elbv2.md, "HTTP connections" and "Request classes" (mode `defensive`).
public func parseRequestHead(
    _ input: Span<UInt8>, into head: Head, options: RequestOptions, scan: inout HeadScan
) -> HeadResult {
    head.reset()
    guard scan.isWorthParsing(input, bytesMax: Limits.requestHeadBytesMax) else { return .needMore }
    // Bytes beyond the cap are not parsed, so that the verdict does not depend on how the head arrives.
    let window = input.extracting(first: Limits.requestHeadBytesMax)
    let result = readRequestHead(window, into: head, options: options, scan: &scan)
    let limited = applyHeadLimit(result, isBeyondLimit: input.count > window.count, head, &scan)
    if case .refused = limited { keepRequestLine(window, head) }
    return limited
}

/// Parses the request line of a rejected head once more, into the empty `head`, as far as it is valid.
private func keepRequestLine(_ input: Span<UInt8>, _ head: Head) {
    var line = RequestLine()
    guard let start = input.skippingBlankLines() else { return }
    guard case .complete(let next) = line.read(input, from: start) else { return }
    var target = RequestTarget()
    if target.resolve(line, of: input, into: head) != nil {
        head.reset()
        head.setMethod(input.extracting(line.method), at: line.method)
        head.target = line.target
        head.minorVersion = line.minorVersion
        // The target of CONNECT is a host and a port.
        let isHost = head.methodID == .connect && input.extracting(line.target).isAuthority
        if isHost { head.authority = line.target }
    }
    head.append(input.extracting(first: next))
}

/// Turns `needMore` into a rejection if the head exceeds its limit, and resets a head that is not complete.
@inline(__always)
func applyHeadLimit(_ result: HeadResult, isBeyondLimit: Bool, _ head: Head, _ scan: inout HeadScan) -> HeadResult {
    switch result {
    case .complete:
        scan.reset()
        return result
    case .refused:
        head.reset()
        scan.reset()
        return result
    case .needMore:
        head.reset()
        guard isBeyondLimit else { return .needMore }
        scan.reset()
        return .refused(.headTooLarge)
    }
}

private func readRequestHead(
    _ input: Span<UInt8>, into head: Head, options: RequestOptions, scan: inout HeadScan
) -> HeadResult {
    guard let start = input.skippingBlankLines() else { return .refused(.bareCarriageReturn) }
    var line = RequestLine()
    let fieldsStart: Int
    switch line.read(input, from: start) {
    case .needMore:
        scan.suspend(input, lineStart: start, lineCount: 0)
        return .needMore
    case .refused(let violation): return .refused(violation)
    case .complete(let next): fieldsStart = next
    }
    // TRACE would echo the fields that we add to the client; CONNECT is for forward proxies.
    let method = MethodID(input.extracting(line.method))
    if method == .trace || method == .connect { return .refused(.methodNotAllowed) }
    var target = RequestTarget()
    if let violation = target.resolve(line, of: input, into: head) { return .refused(violation) }

    var facts = FieldFacts(.request(options), minorVersion: line.minorVersion, arenaShift: target.arenaShift)
    facts.hasBareLineFeed = input[fieldsStart - 2] != .carriageReturn
    switch FieldLines.read(input, from: fieldsStart, into: head, facts: &facts) {
    case .needMore(let lineStart):
        scan.suspend(input, lineStart: lineStart, lineCount: head.fieldCount + 1)
        return .needMore
    case .refused(let violation): return .refused(violation)
    case .complete(let end):
        head.append(input.extracting(first: end))
        // An absolute-form target wins over Host. Source: RFC 9112 §3.2.2.
        if head.authority.isEmpty {
            head.authority = facts.host
            head.noteAuthority(hostCount: facts.hostCountOfHost)
        } else {
            head.noteAuthority(hostCount: target.hostCount)
        }
        let result = finish(input, end: end, line: line, facts: &facts, head)
        guard options.refusesNonCompliant, case .complete(let parsed) = result else { return result }
        return parsed.compliance == .compliant ? result : .refused(.nonCompliant)
    }
}

/// Checks what only the complete head can tell.
private func finish(
    _ input: Span<UInt8>, end: Int, line: RequestLine, facts: inout FieldFacts, _ head: Head
) -> HeadResult {
    if facts.hostCount == 0, line.minorVersion > 0 { return .refused(.missingHost) }
    if let violation = facts.applyConnection(input, to: head) { return .refused(violation) }
    var hasContent = true
    let framing: Framing
    if facts.framing.isChunked {
        framing = .chunked
        head.body = .unknown
    } else if let length = facts.framing.contentLength {
        framing = .length(length)
        head.body = .exactly(length)
        hasContent = length > 0
    } else {
        framing = .none
        hasContent = false
    }
    head.isWebSocket = facts.upgradesToWebSocket && !hasContent && head.methodID == .get
    return .complete(
        ParsedHead(
            byteCount: end, framing: framing, isPersistent: facts.isPersistent,
            expectsContinue: hasContent && facts.expectsContinue,
            compliance: compliance(
                of: line, framing, isRead: head.methodID == .get || head.methodID == .head,
                hasBareLineFeed: facts.hasBareLineFeed)))
}

/// As `Compliance(headOf:)`, for a head that is served. `isRead` stands for a method whose requests have no meaningful
/// content. Source: RFC 9110 §9.3.1.
private func compliance(of line: RequestLine, _ framing: Framing, isRead: Bool, hasBareLineFeed: Bool) -> Compliance {
    var hasLengthOfZero = false
    if isRead {
        switch framing {
        case .none, .untilClose: break
        case .chunked: return .undefinedTransferEncodingSemantics
        case .length(let count):
            if count > 0 { return .undefinedContentLengthSemantics }
            hasLengthOfZero = true
        }
    }
    if hasBareLineFeed { return .nonCrLfLineTermination }
    if hasLengthOfZero { return .getHeadZeroContentLength }
    return line.isVersionKnown ? .compliant : .nonCompliantVersion
}

extension Span where Element == UInt8 {
    /// Where the first line begins after empty lines; nil if a carriage return is not followed by a line feed.
    /// Source: RFC 9112 §2.2.
    fileprivate func skippingBlankLines() -> Int? {
        var index = 0
        var lineCount = 0
        while index < count, lineCount < Limits.blankLineCountMax {
            if self[index] == .lineFeed {
                index += 1
            } else if self[index] == .carriageReturn {
                guard index + 1 < count else { return count }
                guard self[index + 1] == .lineFeed else { return nil }
                index += 2
            } else {
                return index
            }
            lineCount += 1
        }
        return index
    }
}

extension Head {
    /// Whether the request's method is HEAD, so that its answer has no body.
    public var isHEAD: Bool { methodID == .head }
}
