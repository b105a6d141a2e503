import Core
import Logging
import Model
import Telemetry

/// Writes log records as `ts=… level=info msg="…" key=value`, one line each; for the journal of systemd as
/// `<6>level=info msg="…" key=value`, where the number is the priority and the journal knows the time.
///
/// Shape:  a value, as swift-log wants; safe on any thread if `write` is.
/// Limits: a key and a value have a length, `Limits.logKeyBytesMax` and `Limits.logValueBytesMax`; what is longer is
///         cut, and says how long it was. So a line has one too, whatever a client of the admin socket sends.
/// Source: logfmt, as Heroku and Grafana read it: values with anything but plain characters are quoted; sd-daemon(3).
public struct LogfmtHandler: LogHandler {
    /// What stands in every line of this logger.
    public var metadata: Logger.Metadata = [:]
    /// What is less severe is not written.
    public var logLevel: Logger.Level
    private let label: String
    private let isForJournal: Bool
    private let write: @Sendable (String) -> Void

    /// A handler whose lines go to `write`, each with its line feed.
    init(
        label: String, level: Logger.Level, isForJournal: Bool = false, write: @escaping @Sendable (String) -> Void
    ) {
        self.label = label
        self.logLevel = level
        self.isForJournal = isForJournal
        self.write = write
    }

    /// One value that stands in every line of this logger.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        write(line(event, at: WallClock.now()))
    }

    /// The line for `event`, with its line feed. `time` is in nanoseconds since 1970.
    func line(_ event: LogEvent, at time: UInt64) -> String {
        var line = isForJournal ? event.level.journalPrefix : "ts=\(utcText(nanoseconds: time)) "
        line += "level=\(event.level.rawValue) "
        line += "msg=\(Self.quoted(event.message.description, always: true))"
        if label != Log.label { line += " component=\(Self.quoted(label))" }
        let all = metadata.merging(event.metadata ?? [:]) { _, own in own }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(Self.key(key))=\(Self.quoted(value.description))"
        }
        if let error = event.error { line += " error=\(Self.quoted(String(describing: error)))" }
        return line + "\n"
    }

    /// A key: what could not stand in one becomes an underscore.
    private static func key(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(Limits.logKeyBytesMax).map {
                $0.value > 0x20 && $0 != "=" && $0 != "\"" && $0.value != 0x7F ? Character($0) : "_"
            })
    }

    /// A value: as it is when that can be read back, else in quotes with escapes, so that a line stays one line.
    static func quoted(_ text: String, always: Bool = false) -> String {
        let text = text.cut(to: Limits.logValueBytesMax)
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0 != "\"" && $0 != "=" && $0 != "\\" && !isControl($0)
            }
        if isPlain && !always { return text }
        return Value.quoted(text, isControl: isControl)
    }

    /// C0, DEL, C1 and the two separators that some terminals take for a line's end.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}

/// The program's own log.
public enum Log {
    static let label = "apus"
    /// Where its lines are queued for the standard error, so that logging never waits for a reader.
    static let lines = SharedLog(.standardError, name: "own-log")

    /// Sends every logger of the process to the standard error, in logfmt. Called once, before the first logger.
    public static func bootstrap(level: Logger.Level = .info) {
        let isForJournal = isForJournal
        LoggingSystem.bootstrap { label in
            LogfmtHandler(label: label, level: level, isForJournal: isForJournal) { lines.write($0) }
        }
    }

    /// What a line of text on the standard error begins with, to be an error in the journal; empty where the journal
    /// does not read it.
    public static var errorPrefix: String { isForJournal ? Logger.Level.error.journalPrefix : "" }

    /// Whether the standard error is read by the journal of systemd.
    private static var isForJournal: Bool {
        Terminal.environment("JOURNAL_STREAM").map(FileDescriptor.standardError.isStream) ?? false
    }

    /// The logger of the control thread.
    public static var logger: Logger { Logger(label: label) }
}

extension Logger.Level {
    /// The priority of a line, as the journal of systemd reads it. Source: sd-daemon(3), syslog(3).
    var journalPrefix: String {
        switch self {
        case .trace, .debug: "<7>"
        case .info: "<6>"
        case .notice: "<5>"
        case .warning: "<4>"
        case .error: "<3>"
        case .critical: "<2>"
        }
    }
}
