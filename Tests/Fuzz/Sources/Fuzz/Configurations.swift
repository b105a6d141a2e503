import Core
import Model

/// Checks that a configuration is either read, and then can be written and read again, or refused with mistakes that
/// have a place in it.
enum Configurations {
    /// The input is a file.
    static func check(_ input: Span<UInt8>) {
        let bytes = copyBytes(input)
        let text = input.text
        let json = attempt(bytes, try Value.parse(json: bytes, file: "a"))
        let yaml = attempt(Array(text.utf8), try Value.parse(yaml: text, file: "a"))
        for value in [json, yaml].compactMap({ $0 }) {
            checkRewritten(value)
            guard let document = attempt(bytes, try Document(value, file: "a")) else { continue }
            let encoded = document.encoded()
            demand(reading(try Document(encoded)) == document, "the encoded document differs: \(encoded.json())")
        }
    }

    /// A value must be the same after it was written as JSON and read again, as JSON and as YAML.
    private static func checkRewritten(_ value: Value) {
        let line = value.json()
        demand(reading(try Value.parse(json: line)) == value, "another value: \(line)")
        let pretty = value.json(pretty: true)
        demand(reading(try Value.parse(json: pretty)) == value, "another value: \(pretty)")
        // YAML refuses some characters and long keys, but what it accepts must be the same value.
        guard let yaml = try? Value.parse(yaml: line, file: "a") else { return }
        demand(yaml == value, "another value as YAML: \(line)")
    }

    /// The result of `read`; nil if it throws, after the form of its mistakes was checked.
    private static func attempt<Result>(_ bytes: [UInt8], _ read: @autoclosure () throws -> Result) -> Result? {
        do {
            return try read()
        } catch let error as ConfigErrors {
            demand(!error.description.isEmpty, "a mistake without a message")
            let lineCount = bytes.count { $0 == .lineFeed || $0 == .carriageReturn } + 1
            for mistake in error.all {
                demand(!mistake.expected.isEmpty && !mistake.remedy.isEmpty, "no remedy for \(mistake)")
                guard let location = mistake.location else { continue }
                demand(
                    location.line >= 1 && location.column >= 1 && location.line <= lineCount + 1,
                    "no such place: \(mistake)")
            }
            return nil
        } catch {
            fatalError("broken promise: thrown was \(error)")
        }
    }

    /// The result of `read`, which must not throw.
    private static func reading<Result>(_ read: @autoclosure () throws -> Result) -> Result {
        do {
            return try read()
        } catch {
            fatalError("broken promise: what we wrote is refused: \(error)")
        }
    }
}
