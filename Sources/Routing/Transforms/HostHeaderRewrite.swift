import Core
import RegularExpressions

/// The transform `host-header-rewrite`: what a target gets as the Host field, made of the host that the request names.
///
/// Shape:  applied once a rule has decided for the request, so that it changes no decision.
/// Limits: `Limits.transformedHostBytesMax`.
/// Source: Application Load Balancer user guide, "Transforms for listener rules"; RFC 3986 §3.2.2.
public struct HostHeaderRewrite: Equatable, Sendable {
    private let rewrite: Rewrite

    /// A transform that rewrites hosts.
    public init(_ rewrite: Rewrite) { self.rewrite = rewrite }

    /// Appends the host that a target gets to the arena of `request`, whose host, in lower case and without port, is
    /// `host`. A port may stand behind it.
    public func apply(to host: ByteRange, of request: Head, in space: MatchSpace) -> TransformOutcome {
        switch rewrite.apply(to: host, of: request, countMax: Limits.transformedHostBytesMax, in: space) {
        case .notFound: .notFound
        case .tooLong: .failed(.bufferTooSmall)
        case .limit: .failed(.replaceError)
        case .written(let range): isHost(request.bytes(range)) ? .written(range) : .failed(.invalidHost)
        }
    }

    /// Whether these digits are a port, 1–65535.
    private func isPort(_ digits: Span<UInt8>) -> Bool {
        guard digits.count <= 5 else { return false }
        var port = 0
        for index in 0..<digits.count { port = port * 10 + Int(digits[index] & 0x0F) }
        return (1...65535).contains(port)
    }

    /// Whether `text` is a name or an address, with or without a port.
    private func isHost(_ text: Span<UInt8>) -> Bool {
        var end = text.count
        while end > 0, text[end - 1].isDigit { end -= 1 }
        if end > 0, end < text.count, text[end - 1] == .colon {
            guard isPort(text.extracting(end..<text.count)) else { return false }
            end -= 1
        } else {
            end = text.count
        }
        guard end > 0 else { return false }
        if text[0] == UInt8(ascii: "[") {
            guard end > 2, text[end - 1] == UInt8(ascii: "]") else { return false }
            for index in 1..<end - 1 where text[index].hexadecimalValue == nil && text[index] != .colon {
                if text[index] != .dot { return false }
            }
            return true
        }
        for index in 0..<end {
            let byte = text[index]
            guard
                byte.isLetter || byte.isDigit || byte == .dot || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            else { return false }
        }
        return true
    }
}
