import Core

/// Sorts a request into ALB's classes by its parts: each field in turn, then the request line.
///
/// Parts may hold any bytes, as a parser that takes everything would find them. The first reason of the worst class
/// counts, in the order fields, framing, method, version, target.
/// Source: as `Compliance`.
package struct RequestClassifier {
    /// The verdict on what was read so far.
    package private(set) var compliance = Compliance.compliant

    private var codingFieldCount = 0
    private var hasBadCoding = false
    private var wasLastCodingChunked = false
    private var repeatsChunked = false
    private var lengthFieldCount = 0
    private var hasBadLength = false
    private var hasOtherLength = false
    private var length: UInt64 = 0
    /// Whether one of the fields that frame the body has a name in disguise.
    private var hasFramingInDisguise = false

    package init() {}

    /// Whether it is framed by an invalid length or transfer coding, by lengths that differ, or by a repeated coding,
    /// whether or not the field's name is in disguise. Nobody can tell where such a request ends.
    var isUnframeable: Bool { hasBadCoding || repeatsChunked || hasBadLength || hasOtherLength }

    /// Notes one more reason.
    package mutating func note(_ reason: Compliance) {
        if reason.tier > compliance.tier { compliance = reason }
    }

    /// Reads a field. Blanks around the value do not matter, those around the name do.
    package mutating func readField(name: Span<UInt8>, value: Span<UInt8>) {
        let first = name.skippingWhitespace(from: 0, to: name.count)
        if first == name.count || name[0] == .colon { note(.emptyHeader) }
        if name.hasLineOrNull || value.hasLineOrNull { note(.badHeader) }
        let id = FieldID(name)
        let framing = id == .other ? name.resembledFramingField : id
        if id == .other, framing != nil { note(.suspiciousHeader) }
        if name.endOfToken(from: 0) < name.count || value.endOfFieldValue(from: 0) < value.count {
            note(.nonCompliantHeader)
        }
        let start = value.skippingWhitespace(from: 0, to: value.count)
        let trimmed = value.extracting(start..<value.trimmingWhitespace(from: start, to: value.count))
        switch framing {
        case .transferEncoding: readCodings(trimmed)
        case .contentLength: readLength(trimmed)
        default: return
        }
        if id == .other { hasFramingInDisguise = true }
    }

    private mutating func readCodings(_ value: Span<UInt8>) {
        codingFieldCount += 1
        var start = 0
        while start <= value.count {
            var comma = start
            while comma < value.count, value[comma] != .comma { comma += 1 }
            var end = start
            while end < comma, value[end] != .semicolon { end += 1 }
            let first = value.skippingWhitespace(from: start, to: end)
            let coding = value.extracting(first..<value.trimmingWhitespace(from: first, to: end))
            let isChunked = coding.equalsIgnoringCase("chunked")
            if isChunked && wasLastCodingChunked { repeatsChunked = true }
            wasLastCodingChunked = isChunked
            let isKnown =
                isChunked || coding.equalsIgnoringCase("gzip") || coding.equalsIgnoringCase("deflate")
                || coding.equalsIgnoringCase("compress") || coding.equalsIgnoringCase("identity")
            if !isKnown { hasBadCoding = true }
            start = comma + 1
        }
    }

    private mutating func readLength(_ value: Span<UInt8>) {
        lengthFieldCount += 1
        var number: UInt64 = 0
        if value.isEmpty { hasBadLength = true }
        for index in 0..<value.count {
            let (product, isTooLong) = number.multipliedReportingOverflow(by: 10)
            let (sum, isTooMuch) = product.addingReportingOverflow(UInt64(value[index] & 0x0F))
            guard value[index].isDigit, !isTooLong, !isTooMuch else {
                hasBadLength = true
                return
            }
            number = sum
        }
        if lengthFieldCount > 1, number != length { hasOtherLength = true }
        length = number
    }

    /// Reads the request line, after all fields. An empty version stands for a line without one, as in HTTP/0.9.
    package mutating func finish(method: Span<UInt8>, target: Span<UInt8>, version: Span<UInt8>) {
        noteFraming(method: method, version: version)
        noteMethod(method)
        noteVersion(version)
        noteTarget(target)
    }

    private mutating func noteFraming(method: Span<UInt8>, version: Span<UInt8>) {
        let isRead = method.equals("GET") || method.equals("HEAD")
        let isHTTP09 = version.isEmpty || version.equals("HTTP/0.9")
        if codingFieldCount > 0 {
            if hasBadCoding { note(.badTransferEncoding) }
            if repeatsChunked { note(.multipleTransferEncodingChunked) }
        }
        if lengthFieldCount > 0 {
            if hasBadLength { note(.badContentLength) }
            if hasOtherLength { note(.multipleContentLength) }
        }
        if codingFieldCount > 0, lengthFieldCount > 0 {
            note(hasFramingInDisguise ? .suspiciousTeClPresent : .bothTeClPresent)
        }
        if lengthFieldCount > 1 { note(.duplicateContentLength) }
        if codingFieldCount > 0, isRead || isHTTP09 || version.equals("HTTP/1.0") {
            note(.undefinedTransferEncodingSemantics)
        }
        if lengthFieldCount > 0 {
            if isHTTP09 || isRead && length > 0 { note(.undefinedContentLengthSemantics) }
            if isRead { note(.getHeadZeroContentLength) }
        }
    }

    /// Notes what is wrong with the method alone.
    package mutating func noteMethod(_ method: Span<UInt8>) {
        if method.isEmpty || method.endOfToken(from: 0) < method.count { note(.badMethod) }
    }

    private mutating func noteVersion(_ version: Span<UInt8>) {
        if version.equals("HTTP/1.1") || version.equals("HTTP/1.0") { return }
        let start = version.skippingWhitespace(from: 0, to: version.count)
        let word = version.extracting(start..<version.trimmingWhitespace(from: start, to: version.count))
        let isHTTP1 = word.count == Version.byteCount && Version(word, at: 0)?.major == 1
        note(word.isEmpty || isHTTP1 || word.equals("HTTP/0.9") ? .nonCompliantVersion : .badVersion)
    }

    /// Notes what is wrong with the target alone.
    package mutating func noteTarget(_ target: Span<UInt8>) {
        if target.hasLineOrNull { note(.badUri) }
        for index in 0..<target.count where target[index] < .space || target[index] == .delete { note(.ambiguousUri) }
        for index in 0..<target.count where target[index] == .space { note(.spaceInUri) }
    }
}

extension Span where Element == UInt8 {
    /// Whether it has a byte that ends a line or, for many programs, a text.
    fileprivate var hasLineOrNull: Bool {
        for index in 0..<count
        where self[index] == 0 || self[index] == .carriageReturn || self[index] == .lineFeed {
            return true
        }
        return false
    }
}
