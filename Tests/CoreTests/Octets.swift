import Core

/// The octets of a span, which `#expect` cannot take itself.
func octets(_ span: Span<UInt8>) -> [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(span.count)
    for index in 0..<span.count { copy.append(span[index]) }
    return copy
}

extension Buffer {
    /// What waits, as text.
    var text: String { bytes.text }
}
