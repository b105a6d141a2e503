import Model

extension Control {
    /// Whether `run` would take `file`: a few words on what it holds. Errors: `StartError` with every mistake.
    public static func check(file: String) throws(StartError) -> String {
        do throws(ConfigErrors) {
            let (document, places) = try Document.readWithPlaces(file, acceptsPipe: true)
            let warnings = try certificates(of: document, file, places).warnings.map { "warning: \($0.file): \($0)" }
            let notes = document.targetGroups.filter(\.preservesClientIP).map { group in
                "note: target group \(group.name) has preserve_client_ip.enabled: apus run sees whether it has "
                    + "CAP_NET_ADMIN, and whether answers come back to this host"
            }
            return ([document.summary] + warnings + notes).joined(separator: "\n")
        } catch {
            throw .configuration(error)
        }
    }

    /// The same for scripts, as JSON: the file, whether it is valid, and every mistake with its place, code and remedy.
    /// The mistakes as an error come with it; nil if there are none.
    public static func checkReport(file: String) -> (json: String, error: StartError?) {
        var errors: ConfigErrors?
        var warnings: [CertificateWarning] = []
        do throws(ConfigErrors) {
            let (document, places) = try Document.readWithPlaces(file, acceptsPipe: true)
            warnings = try certificates(of: document, file, places).warnings
        } catch { errors = error }
        let mistakes = errors?.all ?? []
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
            "warnings": .array(warnings.map { ["file": .string($0.file), "message": .string($0.description)] }),
        ]
        return (report.json(pretty: true), errors.map { .configuration($0) })
    }

    private static func certificates(
        of document: Document, _ file: String, _ places: DocumentPlaces
    ) throws(ConfigErrors) -> CertificateStore.Content {
        let store = CertificateStore(configurationFile: file)
        let files = FileContents(reading: store.files(for: document, onlyNew: false))
        return try store.read(for: document, onlyNew: false, from: files, places)
    }

    /// The JSON Schema of configuration files.
    public static var schema: String { Schema.json() }
}
