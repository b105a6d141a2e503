import Model

extension Control {
    /// Whether `run` would take `file`: a few words on what it holds. Errors: `StartError` with every mistake.
    public static func check(file: String) throws(StartError) -> String {
        do throws(ConfigErrors) {
            return try Document.read(file).summary
        } catch {
            throw .configuration(error)
        }
    }

    /// The JSON Schema of configuration files, with a line feed at its end.
    public static var schema: String {
        let text = Schema.json()
        return text.hasSuffix("\n") ? text : text + "\n"
    }
}
