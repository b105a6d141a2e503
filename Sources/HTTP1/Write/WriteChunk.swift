import Core

/// The most bytes that `writeChunk` appends beside the data.
public let chunkOverheadMax = 20

/// Appends `data`, which is not empty, as one chunk; `data.count + chunkOverheadMax` bytes fit.
/// Source: RFC 9112 §7.1.
public func writeChunk(_ data: Span<UInt8>, into buffer: Buffer) {
    precondition(!data.isEmpty, "chunk: an empty chunk would end the body")
    let size = UInt64(data.count)
    buffer.append(hexadecimal: size, digitCount: (64 - size.leadingZeroBitCount + 3) / 4)
    buffer.append("\r\n")
    buffer.append(data)
    buffer.append("\r\n")
}

/// The most bytes that `writeLastChunk` appends.
public func lastChunkByteCount(trailers: Head? = nil) -> Int {
    "0\r\n\r\n".utf8.count + (trailers.map(fieldLinesByteCount) ?? 0)
}

/// Appends the last chunk, the trailers that were not removed, and the body's end; `lastChunkByteCount` bytes fit.
/// Source: RFC 9112 §7.1.2.
public func writeLastChunk(trailers: Head? = nil, into buffer: Buffer) {
    buffer.append("0\r\n")
    if let trailers { writeFieldLines(trailers, keepsContentLength: false, into: buffer) }
    buffer.append("\r\n")
}
