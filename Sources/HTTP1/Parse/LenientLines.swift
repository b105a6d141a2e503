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

    /// Takes `line` apart at its first space, and at the last before a version.
    @_lifetime(copy line)
    init(_ line: Span<UInt8>) {
        var methodEnd = 0
        while methodEnd < line.count, line[methodEnd] != .space { methodEnd += 1 }
        method = line.extracting(0..<methodEnd)
        let end = line.trimmingWhitespace(from: methodEnd, to: line.count)
        var lastSpace = end
        while lastSpace > methodEnd, line[lastSpace - 1] != .space { lastSpace -= 1 }
        let word = line.extracting(lastSpace..<end)
        let first = line.skippingWhitespace(from: methodEnd, to: end)
        let isVersion = word.extracting(first: 5).equals("HTTP/")
        guard isVersion || first < lastSpace else {
            target = word
            version = line.extracting(end..<end)
            return
        }
        let start = min(methodEnd + 1, lastSpace)
        target = line.extracting(start..<max(start, lastSpace - 1))
        version = line.extracting(lastSpace..<line.count)
    }
}

extension Compliance {
    /// Of the request whose head `input` begins with. If its end has not come, what has come counts.
    public init(headOf input: Span<UInt8>) {
        var classifier = RequestClassifier()
        var lines = LenientLines(input)
        guard lines.advance() else {
            self = .compliant
            return
        }
        let first = lines.line
        let isLineComplete = lines.isComplete
        if lines.hasBareLineFeed { classifier.note(.nonCrLfLineTermination) }
        var mayFold = false
        while lines.advance() {
            let line = lines.line
            if lines.isComplete, lines.hasBareLineFeed { classifier.note(.nonCrLfLineTermination) }
            if line.isEmpty { break }
            if lines.isFolded {
                if !mayFold { classifier.note(.multilineHeader) }
                continue
            }
            let colon = line[0] == .colon ? 0 : line.firstColon(from: 0)
            guard colon < line.count else {
                if lines.isComplete { classifier.note(.missingHeaderColon) }
                continue
            }
            let name = line.extracting(0..<colon)
            mayFold = name.equalsIgnoringCase("content-type")
            classifier.readField(name: name, value: line.extracting(colon + 1..<line.count))
        }
        let parts = LenientRequestLine(first)
        if isLineComplete {
            classifier.finish(method: parts.method, target: parts.target, version: parts.version)
            if parts.target.isEmpty { classifier.note(.missingUri) }
        } else {
            classifier.noteMethod(parts.method)
            classifier.noteTarget(parts.target)
        }
        self = classifier.compliance
    }
}
