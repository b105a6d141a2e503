import Core

// What a field's name alone tells.
extension Span where Element == UInt8 {
    /// Whether a careless reader could take this name for Transfer-Encoding or Content-Length.
    ///
    /// That is, whether it equals one of them once everything but letters and digits is left out. U+017F and U+0131,
    /// which some fold to `s` and `i`, count as those. Asked only of names that are neither.
    /// Source: docs/elbv2.md, "Request classes".
    package var isSuspiciousName: Bool {
        guard count >= 13 else { return false }
        // What begins or ends differently, as nearly all names do, needs no closer look.
        var start = 0
        while start < count, !self[start].isLetterOrDigit { start += 1 }
        guard start < count, self[start].lowercased == 0x63 || self[start].lowercased == 0x74 else { return false }
        var end = count
        while !self[end - 1].isLetterOrDigit { end -= 1 }
        guard self[end - 1].lowercased == 0x67 || self[end - 1].lowercased == 0x68 else { return false }
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
            guard letterCount < letters.count else { return false }
            letters[letterCount] = letter
            letterCount += 1
        }
        let name = letters.span.extracting(first: letterCount)
        return name.equals("transferencoding") || name.equals("contentlength")
    }

    /// Whether a field of this name has no business in a trailer section, being about routing, the sender's rights,
    /// the content's form or what caches do, or is taken for such a one by those who read fields as variables.
    /// `FieldID` knows the others. Source: RFC 9110 §6.5.1.
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

    /// Whether servers that hand fields on as variables, as CGI does, cannot tell fields of these names apart: every
    /// byte but letters and digits is the same to them. Source: RFC 3875 §4.1.18.
    package func isSameCGIVariable(as other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index].inVariable != other[index].inVariable { return false }
        return true
    }

    /// The same, for a literal in lower case.
    private func isSameCGIVariable(as literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        for index in 0..<count where self[index].inVariable != literal[byte: index] { return false }
        return true
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool { isLetter || isDigit }
    /// What becomes of it in the name of a variable, the case and the sort of dash aside.
    fileprivate var inVariable: UInt8 { isLetterOrDigit ? lowercased : 0x2D }
}
