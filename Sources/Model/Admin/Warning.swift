/// A warning about a configuration that is valid and in force all the same.
public struct Warning: Equatable, Sendable, CustomStringConvertible {
    /// The file that it is about: the configuration, or one that it names; empty if that is not known.
    public let file: String
    /// Where in the file.
    public var location: Location?
    /// What happens: a sentence.
    public let message: String
    /// What to do about it: a sentence.
    public let remedy: String

    /// A warning.
    public init(file: String, location: Location? = nil, message: String, remedy: String) {
        self.file = file
        self.location = location
        self.message = message
        self.remedy = remedy
    }

    /// Its place, what happens and what to do, on one line.
    public var description: String {
        let place = location.map { "\(file):\($0.line):\($0.column): " } ?? (file.isEmpty ? "" : "\(file): ")
        return "\(place)\(message)\(remedy.isEmpty ? "" : " \(remedy)")"
    }

    /// The warning as JSON, in the form of an error's details.
    public var value: Value {
        var value = Value(file: file, location)
        value["message"] = .string(message)
        value["remedy"] = .string(remedy)
        return value
    }

    /// Reads what `value` gives; nil for something else.
    public init?(_ value: Value) {
        guard let message = value["message"]?.string else { return nil }
        self.init(
            file: value["file"]?.string ?? "", location: value.namedLocation, message: message,
            remedy: value["remedy"]?.string ?? "")
    }
}

extension Value {
    /// An object with the keys `file`, `line` and `column`, as far as they are known.
    fileprivate init(file: String, _ location: Location?) {
        self = [:]
        if !file.isEmpty { self["file"] = .string(file) }
        self["line"] = location.map { .int($0.line) }
        self["column"] = location.map { .int($0.column) }
    }

    /// The place that the object's keys `line` and `column` name.
    fileprivate var namedLocation: Location? {
        guard let line = self["line"]?.int, let column = self["column"]?.int else { return nil }
        return Location(line: line, column: column)
    }
}

extension ConfigError {
    /// The mistake as JSON: the one form in which both the admin socket and the command line give it to scripts.
    public var value: Value {
        var value = Value(file: file, location)
        if !path.isEmpty { value["path"] = .string(path) }
        value["code"] = .string(code.rawValue)
        value["message"] = .string(message)
        value["remedy"] = .string(remedy)
        return value
    }

    /// Reads what `value` gives; nil for something else.
    public init?(_ value: Value) {
        guard let message = value["message"]?.string else { return nil }
        self.init(
            file: value["file"]?.string ?? "", location: value.namedLocation, path: value["path"]?.string ?? "",
            expected: message.hasSuffix(".") ? String(message.dropLast()) : message,
            remedy: value["remedy"]?.string ?? "",
            code: value["code"]?.string.flatMap(Code.init(rawValue:)) ?? .validationError)
    }
}
