import Core

@testable import TLS

/// A copy of a span's bytes, since `#expect` cannot capture a span.
func copyBytes(_ span: Span<UInt8>) -> [UInt8] {
    unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
}

extension Buffer {
    /// The content, as text.
    var text: String { bytes.text }
    /// The content.
    var content: [UInt8] { copyBytes(bytes) }
}

extension TLSSession {
    /// The names of the cipher and the group as text.
    var cipher: String { cipherName.text }
    var keyExchange: String { keyExchangeName.text }
    /// The server name (SNI) as text.
    var sentName: String { serverName.text }

    /// `seal` for `#expect`, which cannot capture a span.
    func seal(bytes: [UInt8]) -> Bool { seal(bytes.span) }
}
