import Model

extension Control {
    /// Whether `run` would take `file`: a few words on what it holds. Errors: `StartError` with every mistake.
    public static func check(file: String) throws(StartError) -> String {
        do throws(ConfigErrors) {
            let (document, places) = try Document.readWithPlaces(file)
            let certificates = CertificateStore(configurationFile: file)
            try certificates.prepare(for: document, onlyNew: false, places)
            return ([document.summary] + certificates.preparedWarnings).joined(separator: ". ")
        } catch {
            throw .configuration(error)
        }
    }

    /// The same for scripts, as JSON: the file, whether it is valid, and every mistake with its place, code and remedy.
    public static func checkReport(file: String) -> String {
        var mistakes: [ConfigError] = []
        do throws(ConfigErrors) {
            let (document, places) = try Document.readWithPlaces(file)
            try CertificateStore(configurationFile: file).prepare(for: document, onlyNew: false, places)
        } catch { mistakes = error.all }
        let report: Value = [
            "file": .string(file), "valid": .bool(mistakes.isEmpty),
            "errors": .array(
                mistakes.map { mistake in
                    var value: Value = [:]
                    value["line"] = mistake.location.map { .int($0.line) }
                    value["column"] = mistake.location.map { .int($0.column) }
                    value["path"] = .string(mistake.path)
                    value["code"] = .string(mistake.code.rawValue)
                    value["message"] = .string(mistake.message)
                    value["remedy"] = .string(mistake.remedy)
                    return value
                }),
        ]
        return report.json(pretty: true)
    }

    /// The JSON Schema of configuration files.
    public static var schema: String { Schema.json() }
}
