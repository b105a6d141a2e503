import Core

/// The most bytes that the fields of `head` take when they are written.
func fieldLinesByteCount(_ head: Head) -> Int {
    var count = 0
    for index in 0..<head.fieldCount {
        let field = head.field(index)
        if !field.isRemoved { count += field.name.count + field.value.count + 4 }
    }
    return count
}

/// Appends the fields of `head` that were not removed, in their order, each as `name: value` and CRLF.
///
/// Framing fields are never written, even if they were added later, except Content-Length if `keepsContentLength`.
/// Lines that are contiguous in the arena in this form are copied in one piece.
func writeFieldLines(_ head: Head, keepsContentLength: Bool, into buffer: Buffer) {
    let bytes = head.bytes
    var run = 0..<0
    for index in 0..<head.fieldCount {
        let field = head.field(index)
        if field.isRemoved || field.id == .transferEncoding { continue }
        if field.id == .contentLength, !keepsContentLength { continue }
        let name = field.name
        let value = field.value
        if isCanonical(name, value, in: bytes) {
            if run.upperBound != name.start {
                buffer.append(bytes.extracting(run))
                run = name.start..<name.start
            }
            run = run.lowerBound..<value.end + 2
        } else {
            buffer.append(bytes.extracting(run))
            run = 0..<0
            buffer.append(bytes.extracting(name))
            buffer.append(": ")
            buffer.append(bytes.extracting(value))
            buffer.append("\r\n")
        }
    }
    buffer.append(bytes.extracting(run))
}

/// Whether the arena holds this field in the form in which it is written, line end included.
@inline(__always)
private func isCanonical(_ name: ByteRange, _ value: ByteRange, in bytes: Span<UInt8>) -> Bool {
    name.end + 2 == value.start && value.end + 1 < bytes.count
        && bytes[name.end] == .colon && bytes[name.end + 1] == .space
        && bytes[value.end] == .carriageReturn && bytes[value.end + 1] == .lineFeed
}
