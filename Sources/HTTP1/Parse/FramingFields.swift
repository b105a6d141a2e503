import Core

/// What Content-Length and Transfer-Encoding say. Each may occur once, and never both.
///
/// Everything ambiguous is rejected, since what one parser takes for the body is the next request for another (request
/// smuggling).
/// Source: RFC 9112 §6.1, §6.2, §6.3, §11.2; RFC 9110 §8.6; docs/threats.md, "Message framing".
package struct FramingFields {
    /// The value of Content-Length; nil if there is none.
    package private(set) var contentLength: UInt64?
    private(set) var isChunked = false

    /// Reads a Content-Length value: digits only, at most 2^63 − 1.
    mutating func readContentLength(_ value: Span<UInt8>) -> Violation? {
        guard !isChunked else { return .contentLengthWithTransferEncoding }
        guard contentLength == nil else { return .duplicateContentLength }
        guard value.count > 0 else { return .badContentLength }
        var length: UInt64 = 0
        for index in 0..<value.count {
            guard value[index].isDigit else { return .badContentLength }
            // Below 2^63 / 10 neither the product nor the sum can overflow.
            guard length <= UInt64(Int64.max) / 10 else { return .badContentLength }
            length = length * 10 + UInt64(value[index] &- 0x30)
            guard length <= UInt64(Int64.max) else { return .badContentLength }
        }
        contentLength = length
        return nil
    }

    /// Reads a Transfer-Encoding value: `chunked`, in any case, on HTTP/1.1.
    mutating func readTransferEncoding(_ value: Span<UInt8>, minorVersion: UInt8) -> Violation? {
        guard contentLength == nil else { return .contentLengthWithTransferEncoding }
        guard !isChunked else { return .duplicateTransferEncoding }
        guard minorVersion > 0 else { return .transferEncodingOnHTTP10 }
        guard value.equalsIgnoringCase("chunked") else {
            return isKnownCoding(value) ? .unsupportedTransferEncoding : .badTransferEncoding
        }
        isChunked = true
        return nil
    }

    /// Whether `value` is a list of registered codings that Apus does not support, perhaps with `chunked` at its end.
    private func isKnownCoding(_ value: Span<UInt8>) -> Bool {
        var start = 0
        while true {
            var comma = start
            while comma < value.count, value[comma] != .comma { comma += 1 }
            let first = value.skippingWhitespace(from: start, to: comma)
            let coding = value.extracting(first..<value.trimmingWhitespace(from: first, to: comma))
            let isLast = comma == value.count
            let isCompression =
                coding.equalsIgnoringCase("gzip") || coding.equalsIgnoringCase("x-gzip")
                || coding.equalsIgnoringCase("deflate") || coding.equalsIgnoringCase("compress")
                || coding.equalsIgnoringCase("x-compress")
            guard isCompression || isLast && coding.equalsIgnoringCase("chunked") else { return false }
            if isLast { return true }
            start = comma + 1
        }
    }
}
