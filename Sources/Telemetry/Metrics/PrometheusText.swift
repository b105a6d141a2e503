import Core

/// Writes a page in the text format of Prometheus, from top to bottom, on the control thread.
///
/// `begin` starts a metric and writes its HELP and TYPE; its samples follow. Beginning the same metric twice traps,
/// since scrapers reject such a page.
///
/// Shape:  a growing array of UTF-8 bytes. It allocates, so it is not for the request path.
/// Source: Prometheus exposition formats, text format 0.0.4.
public struct PrometheusText: Sendable {
    /// The media type of the format.
    public static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    /// The type of a metric.
    public enum Kind: Sendable {
        /// Only grows; its name ends in `_total`.
        case counter
        /// Rises and falls.
        case gauge
        /// Cumulative counts by upper bound.
        case histogram

        var text: StaticString {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// One `name="value"` of a sample. The value may be any text; it is escaped.
    public struct Label: Sendable {
        let name: String
        let value: String

        /// A label; `name` has to match `[a-zA-Z_][a-zA-Z0-9_]*`.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The page so far.
    public private(set) var bytes: [UInt8] = []
    private var begun: Set<String> = []
    private var name = ""

    /// An empty page.
    public init() {}

    /// Begins a metric, to which the following samples belong.
    ///
    /// Errors: traps on a name begun before, and on a counter that is not called `…_total`.
    public mutating func begin(_ name: String, _ kind: Kind, help: String) {
        precondition(begun.insert(name).inserted, "metrics: \(name) begun twice")
        precondition((kind == .counter) == name.hasSuffix("_total"), "metrics: \(name) is misnamed")
        self.name = name
        append("# HELP \(name) ")
        appendEscaped(help, escapesQuote: false)
        append("\n# TYPE \(name) \(kind.text)\n")
    }

    /// Adds a sample with an integer value.
    public mutating func sample(_ value: UInt64, _ labels: Label...) {
        append(name)
        appendLabels(labels)
        append(" \(value)\n")
    }

    /// Adds a sample whose value is a time, given in nanoseconds and written in seconds.
    public mutating func sample(nanoseconds value: UInt64, _ labels: Label...) {
        append(name)
        appendLabels(labels)
        append(" \(Self.seconds(value))\n")
    }

    /// Adds the buckets, sum and count of a histogram of times. The bounds are the powers of two from 128 µs to 134 s,
    /// which are bucket edges of `LatencyHistogram`, so every count is exact.
    public mutating func sample(_ latencies: LatencySums, _ labels: Label...) {
        for exponent in 7...27 {
            append("\(name)_bucket")
            appendLabels(labels + [Label("le", Self.seconds(1000 << UInt64(exponent)))])
            append(" \(latencies.count(atMostMicrosecondsLog2: exponent))\n")
        }
        append("\(name)_bucket")
        appendLabels(labels + [Label("le", "+Inf")])
        append(" \(latencies.count)\n\(name)_sum")
        appendLabels(labels)
        append(" \(Self.seconds(latencies.nanosecondsTotal))\n\(name)_count")
        appendLabels(labels)
        append(" \(latencies.count)\n")
    }

    /// `nanoseconds` in seconds, as an exact decimal number without trailing zeros.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let whole = nanoseconds / 1_000_000_000
        var fraction = nanoseconds % 1_000_000_000
        guard fraction > 0 else { return "\(whole)" }
        var digitCount = 9
        while fraction % 10 == 0 {
            fraction /= 10
            digitCount -= 1
        }
        let digits = String(fraction)
        return "\(whole)." + String(repeating: "0", count: digitCount - digits.utf8.count) + digits
    }

    private mutating func appendLabels(_ labels: [Label]) {
        guard !labels.isEmpty else { return }
        for (index, label) in labels.enumerated() {
            append(index == 0 ? "{" : ",")
            append("\(label.name)=\"")
            appendEscaped(label.value, escapesQuote: true)
            append("\"")
        }
        append("}")
    }

    /// Escapes backslash and line feed, and quotes if `escapesQuote`.
    private mutating func appendEscaped(_ text: String, escapesQuote: Bool) {
        for byte in text.utf8 {
            switch byte {
            case .backslash: append("\\\\")
            case .lineFeed: append("\\n")
            case .quote where escapesQuote: append("\\\"")
            default: bytes.append(byte)
            }
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
