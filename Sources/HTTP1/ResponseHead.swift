import Core

/// Reads a response head, 1xx included, from the start of `input`, all that waits, into `head`.
public func parseResponseHead(
    _ input: Span<UInt8>, into head: Head, requestIsHEAD: Bool, scan: inout HeadScan
) -> HeadResult {
    head.reset()
    return .needMore
}
