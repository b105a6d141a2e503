import Core

@testable import TLS

/// The bytes of a span, which `#expect` cannot take itself.
func copyBytes(_ span: Span<UInt8>) -> [UInt8] {
    unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
}

extension Buffer {
    /// What waits, as text.
    var text: String { bytes.text }
    /// What waits.
    var content: [UInt8] { copyBytes(bytes) }
}

extension TLSSession {
    /// The names of cipher and group as text.
    var cipher: String { cipherName.text }
    var keyExchange: String { keyExchangeName.text }
    /// SNI as text.
    var sentName: String { serverName.text }

    /// `seal` for `#expect`, which cannot take a span.
    func seal(bytes: [UInt8]) -> Bool { seal(bytes.span) }
}
