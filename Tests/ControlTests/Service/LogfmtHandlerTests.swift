import Logging
import Model
import Testing

@testable import Control

@Suite struct LogfmtHandlerTests {
    static let values: [(String, String)] = [
        ("plain", "plain"), ("10.0.0.1:80", "10.0.0.1:80"), ("[::1]:80", "[::1]:80"), ("/v1/status", "/v1/status"),
        ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""), ("say \"hi\"", "\"say \\\"hi\\\"\""),
        ("back\\slash", "\"back\\\\slash\""), ("line\nfeed", "\"line\\nfeed\""), ("\r\t", "\"\\r\\t\""),
        ("\u{1B}[31m", "\"\\u001b[31m\""), ("\u{7F}", "\"\\u007f\""), ("\u{85}", "\"\\u0085\""),
        ("\u{2028}", "\"\\u2028\""), ("Zürich", "Zürich"), ("\0", "\"\\u0000\""),
    ]

    @Test(arguments: values) func aValueIsQuotedWhenItMustBe(text: String, expected: String) {
        #expect(LogfmtHandler.quoted(text) == expected)
    }

    private func line(
        _ message: Logger.Message, _ metadata: Logger.Metadata? = nil, label: String = "apus", error: (any Error)? = nil
    ) -> String {
        var handler = LogfmtHandler(label: label, level: .info) { _ in }
        handler.metadata = ["worker": "1"]
        let event = LogEvent(
            level: .warning, message: message, error: error, metadata: metadata, source: "Control", file: "",
            function: "",
            line: 1)
        return handler.line(event, at: 1_767_225_599_001_000_000)
    }

    @Test func aLineHasTimeLevelMessageAndSortedValues() {
        #expect(
            line("a target's health changed", ["to": "un healthy", "group": "blue"])
                == "ts=2025-12-31T23:59:59.001Z level=warning msg=\"a target's health changed\" group=blue "
                + "to=\"un healthy\" worker=1\n")
    }

    /// The journal has the time itself.
    @Test(arguments: [
        (Logger.Level.trace, 7), (.debug, 7), (.info, 6), (.notice, 5), (.warning, 4), (.error, 3), (.critical, 2),
    ]) func aLineForTheJournalBeginsWithItsPriority(level: Logger.Level, priority: Int) {
        let handler = LogfmtHandler(label: "apus", level: .trace, isForJournal: true) { _ in }
        let event = LogEvent(
            level: level, message: "m", error: nil, metadata: ["a": "b"], source: "", file: "", function: "", line: 1)
        #expect(handler.line(event, at: 0) == "<\(priority)>level=\(level) msg=\"m\" a=b\n")
    }

    @Test func whatIsSaidLastWins() {
        #expect(line("m", ["worker": "2"]).hasSuffix(" msg=\"m\" worker=2\n"))
    }

    @Test func nothingCanBeginALineOfItsOwn() {
        let line = line(
            "a\nts=1 level=info", ["k e\ny=": "v\r\nx", "": "e"], label: "x\ny",
            error: AdminError(
                code: "", message: "m\n", remedy: "r"))
        #expect(line.filter(\.isNewline).count == 1 && line.hasSuffix("\n"))
        #expect(line.contains(" k_e_y_=\"v\\r\\nx\" ") && line.contains(" component=\"x\\ny\" "))
        #expect(line.contains(" error=\"m\\n r\""))
    }

    @Test func everyValueHasALength() {
        let long = String(repeating: "x", count: 4 << 20)
        let text = line(
            "\(long)", ["reason": "\(long)", long: "a"],
            error: AdminError(
                code: "", message: long, remedy: long))
        #expect(text.utf8.count < 4 * Limits.logValueBytesMax)
        #expect(text.contains("… (4194304 bytes)\""))
        let most = String(repeating: "y", count: Limits.logValueBytesMax)
        #expect(LogfmtHandler.quoted(most) == most)
        // Cut between two characters, whatever their length.
        for shift in 0..<4 {
            let cut = LogfmtHandler.quoted(
                String(repeating: "-", count: shift) + String(repeating: "\u{1F426}", count: 2000))
            #expect(!cut.contains("\u{FFFD}") && cut.contains("\u{1F426}… (\(8000 + shift) bytes)"))
        }
    }

    @Test func aLoggerWritesThroughIt() {
        let log = RecordingLog()
        var logger = Logger(label: "apus") { label in
            LogfmtHandler(label: label, level: .info) { text in
                log.log(
                    event: LogEvent(
                        level: .info, message: "\(text)", error: nil, metadata: nil, source: "", file: "", function: "",
                        line: 1))
            }
        }
        logger[metadataKey: "a"] = "b"
        #expect(logger[metadataKey: "a"] == "b")
        logger.debug("hidden")
        logger.info("shown")
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.contains("level=info msg=\"shown\" a=b\n") == true)
    }
}
