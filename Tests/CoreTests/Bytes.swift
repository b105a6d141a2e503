import Core

/// A copy of a span's bytes, since `#expect` cannot capture a span.
func copyBytes(_ span: Span<UInt8>) -> [UInt8] {
    unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
}

extension Buffer {
    /// The content, as text.
    var text: String { bytes.text }
}
