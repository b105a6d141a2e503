import Model

extension CheckReport {
    /// What people read beside the mistakes, with its last line feed.
    public var text: String {
        let head = mistakes.isEmpty ? ["\(file): good. \(summary ?? "")."] : []
        let told = warnings.map { "warning: \($0)" } + AdminView.overrides(["overridden": .array(overridden)])
        let lines = head + told + notes.map { "note: \($0)" }
        return lines.map { $0 + "\n" }.joined()
    }
}
