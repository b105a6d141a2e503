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

    /// The JSON Schema of configuration files.
    public static var schema: String { Schema.json() }
}
