import Core

/// One way in which servers read a path, beside the way it is written.
///
/// Which of them a target has is not known to us. nginx and Apache decode escapes, slashes among them, and make runs of
/// slashes one; Tomcat and Jetty cut parameters off each segment before they decode; servers of Windows take a
/// backslash for a slash; and behind any of them may be an application that decodes once more.
/// Source: RFC 3986 §3.3, §6.2.2; RFC 9110 §4.2.3.
struct PathReading: Equatable {
    /// What becomes of `;` and what follows it in a segment.
    enum Parameters: Int {
        case kept, cutBeforeDecoding, cutAfterDecoding
    }

    /// How many times escapes are decoded: 0, 1 or 2.
    var decodeCount = 0
    var readsBackslashes = false
    var parameters = Parameters.kept
    var mergesSlashes = false

    /// Appends what a server makes of `path`, which begins with a slash, to the arena of `out`, and resolves the dot
    /// segments that are there by then. Returns whether slashes followed each other before that, so that merging them
    /// first can lead elsewhere.
    func append(_ path: Span<UInt8>, to out: Head) -> Bool {
        var result = Result(out, mergesSlashes: mergesSlashes)
        var index = 1
        var isCut = false
        while index < path.count {
            let (byte, next) = decodeCount == 0 ? (path[index], index + 1) : decoded(path, at: index)
            let isWritten = next == index + 1
            index = next
            // A reader that cuts before decoding does not see what an escape stands for.
            let isPlain = isWritten || parameters != .cutBeforeDecoding
            switch byte {
            case .slash where isPlain || !isCut, .backslash where readsBackslashes && (isPlain || !isCut):
                isCut = false
                result.endSegment()
            case .semicolon where parameters != .kept && isPlain: isCut = true
            default: if !isCut { result.append(byte) }
            }
        }
        result.finish()
        return result.hasEmptySegments
    }

    /// The byte at `index`, or the one that the escape there stands for, and where the next one begins.
    private func decoded(_ path: Span<UInt8>, at index: Int) -> (byte: UInt8, next: Int) {
        guard let byte = path.escape(at: index) else { return (path[index], index + 1) }
        // `%252f` decodes to `%2f`, and once more to a slash.
        guard decodeCount > 1, byte == .percent, let again = path.hexadecimal(at: index + 3) else {
            return (byte, index + 3)
        }
        return (again, index + 5)
    }

    /// The path as far as it has been read.
    private struct Result {
        let out: Head
        /// Where it begins in the arena: with a slash.
        let start: Int
        let mergesSlashes: Bool
        /// Where its last segment begins, after the slash.
        var segmentStart: Int
        var hasEmptySegments = false

        init(_ out: Head, mergesSlashes: Bool) {
            self.out = out
            self.mergesSlashes = mergesSlashes
            start = out.byteCount
            out.append(.slash)
            segmentStart = out.byteCount
        }

        func append(_ byte: UInt8) { out.append(byte) }

        /// A slash ends the segment.
        mutating func endSegment() {
            if resolveDots() { return }
            if out.byteCount == segmentStart {
                if mergesSlashes { return }
                hasEmptySegments = true
            }
            out.append(.slash)
            segmentStart = out.byteCount
        }

        mutating func finish() { _ = resolveDots() }

        /// Takes the last segment back if it is a dot segment. Above the root is the root. RFC 3986 §5.2.4.
        private mutating func resolveDots() -> Bool {
            let out = out
            let arena = out.bytes
            let count = arena.count - segmentStart
            guard count == 1 || count == 2, arena[segmentStart] == .dot, arena[arena.count - 1] == .dot else {
                return false
            }
            var end = segmentStart
            if count == 2, end > start + 1 {
                end -= 1
                while arena[end - 1] != .slash { end -= 1 }
            }
            out.truncate(to: end)
            segmentStart = end
            return true
        }
    }
}

/// The ways in which a path can be read, as far as they can differ: those with `mergesSlashes` left out.
struct PathReadings {
    private var decodeCountMax = 0
    private var hasBackslashes = false
    private var hasParameters = false

    /// Looks for what servers read in different ways.
    init(_ path: Span<UInt8>) {
        for index in 0..<path.count {
            switch path[index] {
            case .semicolon: hasParameters = true
            case .backslash: hasBackslashes = true
            case .percent:
                guard let byte = path.escape(at: index) else { continue }
                decodeCountMax = max(decodeCountMax, 1)
                if byte == .percent, let again = path.hexadecimal(at: index + 3) {
                    decodeCountMax = 2
                    note(again)
                } else {
                    note(byte)
                }
            default: break
            }
        }
    }

    private mutating func note(_ decoded: UInt8) {
        if decoded == .semicolon { hasParameters = true }
        if decoded == .backslash { hasBackslashes = true }
    }

    /// How many there are; the first leaves the path as it is.
    var count: Int { (decodeCountMax + 1) * (hasBackslashes ? 2 : 1) * (hasParameters ? 3 : 1) }

    subscript(index: Int) -> PathReading {
        var rest = index
        var reading = PathReading()
        reading.decodeCount = rest % (decodeCountMax + 1)
        rest /= decodeCountMax + 1
        if hasBackslashes {
            reading.readsBackslashes = rest % 2 == 1
            rest /= 2
        }
        guard let parameters = PathReading.Parameters(rawValue: rest) else { preconditionFailure("no such reading") }
        reading.parameters = parameters
        return reading
    }
}

extension Span where Element == UInt8 {
    /// What the escape at `index` stands for; nil if there is none.
    fileprivate func escape(at index: Int) -> UInt8? { self[index] == .percent ? hexadecimal(at: index + 1) : nil }

    /// The value of the two hexadecimal digits at `index`; nil if they are not two.
    fileprivate func hexadecimal(at index: Int) -> UInt8? {
        guard index + 1 < count, let high = self[index].hexadecimalValue, let low = self[index + 1].hexadecimalValue
        else { return nil }
        return high << 4 | low
    }
}
