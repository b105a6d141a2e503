import Core

/// The most octets that `writeChunk` appends beside the data.
public let chunkOverheadMax = 20

/// Appends `data`, which is not empty, as one chunk; `data.count + chunkOverheadMax` octets fit.
public func writeChunk(_ data: Span<UInt8>, into buffer: Buffer) {}

/// The most octets that `writeLastChunk` appends.
public func lastChunkByteCount(trailers: Head?) -> Int { 0 }

/// Appends the last chunk and the trailers that were not removed.
public func writeLastChunk(trailers: Head?, into buffer: Buffer) {}
