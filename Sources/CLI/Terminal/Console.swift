import Core

/// How the command line speaks.
public enum Console {
    /// Whether the standard output is a terminal that shows colours.
    public static var isColoured: Bool { Terminal.isColoured(.standardOutput) }

    /// What stands behind the program's name on its command line.
    public static var arguments: [String] { Array(SystemProcess.arguments.dropFirst()) }

    /// How this program was called.
    public static var program: String { SystemProcess.arguments.first ?? "apus" }

    /// A variable of the environment; nil when it is unset or empty.
    public static func environment(_ name: String) -> String? { Terminal.environment(name) }

    /// Writes `text` to standard output. Returns false if its reader has closed it.
    @discardableResult public static func write(_ text: String) -> Bool {
        Terminal.write(text, to: .standardOutput)
    }

    /// Writes `text` and a line feed to the standard error.
    public static func warn(_ text: String) {
        _ = Terminal.write(text + "\n", to: FileDescriptor(descriptor: 2))
    }
}
