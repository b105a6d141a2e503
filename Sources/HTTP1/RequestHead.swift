import Core

/// Reads a request head from the start of `input`, all that waits, into `head`.
public func parseRequestHead(
    _ input: Span<UInt8>, into head: Head, options: RequestOptions, scan: inout HeadScan
) -> HeadResult {
    head.reset()
    return .needMore
}
