import Core

/// The lines of a request head as a parser finds them that takes everything, however it is written.
///
/// Only heads that `parseRequestHead` refuses are read this way: to say what is wrong with them, and to write them
/// anew.
struct LenientLines: ~Escapable {
    private let input: Span<UInt8>
    private var next: Int
    /// Where the line begins that `advance` has found.
    private(set) var start = 0
    /// Where it ends, without CRLF or LF.
    private(set) var end = 0
    /// Whether it ends with LF alone.
    private(set) var hasBareLineFeed = false
    /// Whether its end has come.
    private(set) var isComplete = true

    /// The lines of `input`; empty ones before the first are skipped.
    @_lifetime(copy input)
    init(_ input: Span<UInt8>) {
        self.input = input
        next = 0
        while next < input.count, input[next] == .carriageReturn || input[next] == .lineFeed { next += 1 }
    }

    /// Where the line begins that is next.
    var position: Int { next }

    /// Finds the next line, complete or not; false at the end of the input.
    mutating func advance() -> Bool {
        guard next < input.count else { return false }
        start = next
        guard let lineFeed = input.firstLineFeed(from: start) else {
            end = input.count
            next = end
            isComplete = false
            return true
        }
        hasBareLineFeed = lineFeed == start || input[lineFeed - 1] != .carriageReturn
        end = hasBareLineFeed ? lineFeed : lineFeed - 1
        next = lineFeed + 1
        return true
    }

    /// The line's bytes.
    var line: Span<UInt8> {
        @_lifetime(copy self)
        get { input.extracting(start..<end) }
    }

    /// Whether it continues the line before it (obs-fold). Source: RFC 9112 §5.2.
    var isFolded: Bool { end > start && (input[start] == .space || input[start] == .tab) }
}

/// The parts of a request line that may have too few or too many. Each may be empty; the target may have blanks around
/// it.
struct LenientRequestLine: ~Escapable {
    let method: Span<UInt8>
    let target: Span<UInt8>
    /// With blanks that follow it.
    let version: Span<UInt8>

    /// Takes `line` apart at its first space, and before the first word that begins as a version does, or else before
    /// the last word. So a version that stands twice is no version, rather than a part of the target.
    @_lifetime(copy line)
    init(_ line: Span<UInt8>) {
        var methodEnd = 0
        while methodEnd < line.count, line[methodEnd] != .space { methodEnd += 1 }
        method = line.extracting(0..<methodEnd)
        let end = line.trimmingWhitespace(from: methodEnd, to: line.count)
        var lastWord = end
        while lastWord > methodEnd, line[lastWord - 1] != .space { lastWord -= 1 }
        var versionStart = methodEnd
        while versionStart < lastWord, !line.hasVersion(at: versionStart) { versionStart += 1 }
        let first = line.skippingWhitespace(from: methodEnd, to: end)
        guard line.hasVersion(at: versionStart) || first < versionStart else {
            target = line.extracting(versionStart..<end)
            version = line.extracting(end..<end)
            return
        }
        let start = min(methodEnd + 1, versionStart)
        target = line.extracting(start..<max(start, versionStart - 1))
        version = line.extracting(versionStart..<line.count)
    }
}

extension Span where Element == UInt8 {
    /// Whether a word begins at `index`, behind a space, as a version does.
    fileprivate func hasVersion(at index: Int) -> Bool {
        index > 0 && self[index - 1] == .space && extracting(index..<count).extracting(first: 5).equals("HTTP/")
    }
}

extension Compliance {
    /// Of the request whose head `input` begins with. If its end has not come, what has come counts.
    public init(headOf input: Span<UInt8>) { self = RequestClassifier(headOf: input).compliance }
}

extension RequestClassifier {
    /// What is found in the head that `input` begins with. If its end has not come, what has come counts.
    init(headOf input: Span<UInt8>) {
        self.init()
        var lines = LenientLines(input)
        guard lines.advance() else { return }
        let first = lines.line
        let isLineComplete = lines.isComplete
        if lines.hasBareLineFeed { note(.nonCrLfLineTermination) }
        var mayFold = false
        while lines.advance() {
            let line = lines.line
            if lines.isComplete, lines.hasBareLineFeed { note(.nonCrLfLineTermination) }
            if line.isEmpty { break }
            if lines.isFolded {
                if !mayFold { note(.multilineHeader) }
                continue
            }
            let colon = line[0] == .colon ? 0 : line.firstColon(from: 0)
            guard colon < line.count else {
                if lines.isComplete { note(.missingHeaderColon) }
                continue
            }
            let name = line.extracting(0..<colon)
            mayFold = name.equalsIgnoringCase("content-type")
            readField(name: name, value: line.extracting(colon + 1..<line.count))
        }
        let parts = LenientRequestLine(first)
        if isLineComplete {
            finish(method: parts.method, target: parts.target, version: parts.version)
            if parts.target.isEmpty { note(.missingUri) }
        } else {
            noteMethod(parts.method)
            noteTarget(parts.target)
        }
    }
}
