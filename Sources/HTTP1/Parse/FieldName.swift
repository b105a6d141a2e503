import Core

// What can be decided from a field's name alone.
extension Span where Element == UInt8 {
    /// Whether a lenient parser could confuse this name with Transfer-Encoding or Content-Length (request smuggling).
    /// Must not be called for the two names themselves.
    package var isSuspiciousName: Bool { resembledFramingField != nil }

    /// Which of Transfer-Encoding and Content-Length a lenient parser could confuse this name with, if any.
    ///
    /// That is the one it equals after everything but letters and digits is removed. U+017F and U+0131, which some
    /// parsers fold to `s` and `i`, count as those.
    /// Source: docs/elbv2.md, "Request classes".
    package var resembledFramingField: FieldID? {
        guard count >= 13 else { return nil }
        // Nearly all names have another first or last letter, and are decided here.
        var start = 0
        while start < count, !self[start].isLetterOrDigit { start += 1 }
        guard start < count, self[start].lowercased == 0x63 || self[start].lowercased == 0x74 else { return nil }
        var end = count
        while !self[end - 1].isLetterOrDigit { end -= 1 }
        guard self[end - 1].lowercased == 0x67 || self[end - 1].lowercased == 0x68 else { return nil }
        var letters = InlineArray<16, UInt8>(repeating: 0)
        var letterCount = 0
        var index = start
        while index < end {
            var letter = self[index].lowercased
            if index + 1 < end {
                if letter == 0xC5, self[index + 1] == 0xBF { letter = 0x73 }
                if letter == 0xC4, self[index + 1] == 0xB1 { letter = 0x69 }
            }
            index += 1
            guard letter.isLetterOrDigit else { continue }
            guard letterCount < letters.count else { return nil }
            letters[letterCount] = letter
            letterCount += 1
        }
        let name = letters.span.extracting(first: letterCount)
        if name.equals("transferencoding") { return .transferEncoding }
        return name.equals("contentlength") ? .contentLength : nil
    }

    /// Whether a field of this name must not be in a trailer section, because it concerns routing, authentication, the
    /// content's format or caching, or because a CGI-like server would confuse it with such a field. `FieldID` covers
    /// the other names. Source: RFC 9110 §6.5.1.
    package var isForbiddenInTrailers: Bool {
        if extracting(first: 7).isSameCGIVariable(as: "x-amzn-") { return true }
        if extracting(first: 12).isSameCGIVariable(as: "x-forwarded-") { return true }
        return switch count {
        case 3: isSameCGIVariable(as: "age")
        case 5: isSameCGIVariable(as: "range")
        case 6: isSameCGIVariable(as: "cookie") || isSameCGIVariable(as: "pragma")
        case 10: isSameCGIVariable(as: "set-cookie")
        case 12: isSameCGIVariable(as: "max-forwards")
        case 13:
            isSameCGIVariable(as: "authorization") || isSameCGIVariable(as: "cache-control")
                || isSameCGIVariable(as: "content-range")
        case 16: isSameCGIVariable(as: "content-encoding") || isSameCGIVariable(as: "www-authenticate")
        case 18: isSameCGIVariable(as: "proxy-authenticate")
        case 19: isSameCGIVariable(as: "proxy-authorization")
        default: false
        }
    }

    /// Whether a CGI-like server confuses fields of these two names: it passes fields on as environment variables, in
    /// whose names every byte but letters and digits becomes `_`. Source: RFC 3875 §4.1.18.
    package func isSameCGIVariable(as other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index].inVariable != other[index].inVariable { return false }
        return true
    }

    /// As above, for a literal in lower case.
    private func isSameCGIVariable(as literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index].inVariable != literal[byte: index] { return false }
        return true
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool { isLetter || isDigit }
    /// What it becomes in the name of a variable; lower case for upper case, and a dash for `_`.
    fileprivate var inVariable: UInt8 { isLetterOrDigit ? lowercased : 0x2D }
}
