import Core

/// The bytes of a span, which `#expect` cannot take itself.
func copyBytes(_ span: Span<UInt8>) -> [UInt8] {
    unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
}

extension Buffer {
    /// What waits, as text.
    var text: String { bytes.text }
}
