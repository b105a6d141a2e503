import Core

/// Parses a request head as `parseRequestHead` does, and takes what it refuses for how it is written, as ALB does in
/// mode `monitor`.
///
/// Such a head is written anew into the arena of `scratch`, with one reading, and that is parsed. What has no single
/// reading stays refused: an invalid length or transfer coding, lengths that differ, all of these in disguise too, a
/// transfer coding with HTTP/1.0, a bad method or version. So whatever the client meant, the target reads what was read
/// here.
/// Source: RFC 9112 §2.2, §3.2, §5.1, §5.2, §6.3; docs/elbv2.md, "Request classes".
public func parseMonitoredRequestHead(
    _ input: Span<UInt8>, into head: Head, scratch: Head, options: RequestOptions, scan: inout HeadScan
) -> HeadResult {
    let result = parseRequestHead(input, into: head, options: options, scan: &scan)
    guard case .refused(let violation) = result, violation.isAboutNotation else { return result }
    let window = input.extracting(first: Limits.requestHeadBytesMax)
    var lines = LenientLines(window)
    var lineCount = 0
    while true {
        let start = lines.position
        guard lines.advance(), lines.isComplete else {
            if lineCount > Limits.fieldCountMax || window.count - start > Limits.fieldLineBytesMax { return result }
            if input.count > window.count { return .refused(.headTooLarge) }
            // As if it were valid so far, so that a head that comes byte by byte is not read again for each.
            head.reset()
            scan.suspend(input, lineStart: start, lineCount: max(lineCount, 1))
            return .needMore
        }
        if lines.line.isEmpty { break }
        lineCount += 1
        if lineCount > Limits.fieldCountMax + 1 { return result }
    }
    let end = lines.position
    let original = window.extracting(first: end)
    let classifier = RequestClassifier(headOf: original)
    guard !classifier.isUnframeable, writeAnew(original, into: scratch) else { return result }
    var scanOfCopy = HeadScan()
    guard
        case .complete(var parsed) = parseRequestHead(
            scratch.bytes, into: head, options: options, scan: &scanOfCopy)
    else { return result }
    parsed.byteCount = end
    parsed.compliance = classifier.compliance
    parsed.isRewritten = true
    return .complete(parsed)
}

extension Violation {
    /// Whether the request is refused for how its head is written, which can be written otherwise.
    fileprivate var isAboutNotation: Bool {
        switch self {
        case .badRequestLine, .badTarget, .badVersion, .badFieldName, .badFieldValue, .bareCarriageReturn,
            .obsoleteFold, .suspiciousHeader, .duplicateContentLength, .contentLengthWithTransferEncoding:
            true
        default: false
        }
    }
}

/// Writes the complete head `input` into the empty arena of `copy`, with one reading. False if it has no version, or a
/// request line beyond its limit.
///
/// Control characters and blanks are escaped in the target, and become blanks in values. Folded lines are joined. Lines
/// that are no fields are left out, and fields whose name is no token or resembles one that frames the body, and a
/// length that is repeated or stands beside a coding.
///
/// The values of fields that frame the body, and of Host, stay as they are, so that a wrong one stays wrong.
private func writeAnew(_ input: Span<UInt8>, into copy: Head) -> Bool {
    copy.reset()
    var lines = LenientLines(input)
    guard lines.advance() else { return false }
    let line = LenientRequestLine(lines.line)
    guard !line.version.isEmpty, lines.line.count <= Limits.requestLineBytesMax else { return false }
    copy.append(line.method)
    copy.append(.space)
    let target = line.target.trimmed
    for index in 0..<target.count { copy.append(escaping: target[index]) }
    copy.append(.space)
    copy.append(line.version.extracting(0..<line.version.trimmingWhitespace(from: 0, to: line.version.count)))
    let hasCoding = input.hasField(.transferEncoding)
    var length: ByteRange?
    var isWriting = false
    var isFraming = false
    while lines.advance() {
        let line = lines.line
        if lines.isFolded {
            guard isWriting else { continue }
            copy.append(.space)
            copy.append(value: line.trimmed, isVerbatim: isFraming)
            continue
        }
        let colon = line.firstColon(from: 0)
        let name = line.extracting(0..<colon)
        let id = FieldID(name)
        isWriting = colon > 0 && colon < line.count && name.endOfToken(from: 0) == colon
        if id == .other, name.isSuspiciousName { isWriting = false }
        guard isWriting else { continue }
        let value = line.extracting(colon + 1..<line.count).trimmed
        if id == .contentLength {
            if hasCoding { isWriting = false }
            if let length, copy.bytes(length).equals(value) { isWriting = false }
            guard isWriting else { continue }
        }
        isFraming = id == .contentLength || id == .transferEncoding || id == .host
        copy.endLine()
        copy.append(name)
        copy.append(.colon)
        let start = copy.byteCount
        copy.append(value: value, isVerbatim: isFraming)
        if id == .contentLength, length == nil { length = copy.range(from: start) }
    }
    copy.endLine()
    copy.endLine()
    return true
}

extension Span where Element == UInt8 {
    /// Whether a line of this head has this name.
    fileprivate func hasField(_ id: FieldID) -> Bool {
        var lines = LenientLines(self)
        _ = lines.advance()
        while lines.advance() {
            let line = lines.line
            if FieldID(line.extracting(0..<line.firstColon(from: 0))) == id { return true }
        }
        return false
    }

    /// Without blanks around it.
    fileprivate var trimmed: Span<UInt8> {
        @_lifetime(copy self)
        get {
            let start = skippingWhitespace(from: 0, to: count)
            return extracting(start..<trimmingWhitespace(from: start, to: count))
        }
    }
}

extension Head {
    fileprivate func endLine() {
        append(.carriageReturn)
        append(.lineFeed)
    }

    /// Appends a byte of a request target, with an escape if it may not stand there.
    fileprivate func append(escaping byte: UInt8) {
        guard byte <= .space || byte == .delete else { return append(byte) }
        let digits: StaticString = "0123456789ABCDEF"
        append(.percent)
        append(digits[byte: Int(byte >> 4)])
        append(digits[byte: Int(byte & 15)])
    }

    /// Appends a part of a value, with blanks for control characters unless it `isVerbatim`.
    fileprivate func append(value: Span<UInt8>, isVerbatim: Bool) {
        if isVerbatim {
            append(value)
            return
        }
        for index in 0..<value.count {
            let byte = value[index]
            append(byte < .space && byte != .tab || byte == .delete ? .space : byte)
        }
    }
}
