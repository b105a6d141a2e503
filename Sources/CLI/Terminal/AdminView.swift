import Model

/// How people see the answers of the admin socket: tables with units, states in plain words.
///
/// Shape: pure functions from an answer to lines of text; what an answer lacks is shown as a dash.
enum AdminView {
    /// A change that was made, with the generation that holds it.
    static func done(_ what: String, _ answer: Value) -> String {
        "\(what) (generation \(text(answer["generation"]))).\n"
    }

    /// A cell with what `value` says.
    static func cell(_ value: Value?) -> TextTable.Cell { TextTable.Cell(text(value)) }

    /// A value in plain words; a dash for none.
    static func text(_ value: Value?) -> String {
        guard let value else { return "-" }
        return value.string ?? value.json()
    }

    /// `10.0.0.5:80`, `[::1]:80`.
    static func target(_ value: Value?) -> String {
        TargetName(id: text(value?["id"]), port: value?["port"]?.int).description
    }

    /// The objects of the file that are not in force as it says: a heading and a line for each, or nothing.
    static func overrides(_ answer: Value) -> [String] {
        guard let all = answer["overridden"]?.array, !all.isEmpty else { return [] }
        let lines = all.map { override in
            let since = override["since"].map(text) ?? "an earlier version of apus"
            let edited = override["edited"]?.bool == true ? "; the file was edited since" : ""
            let inFile = override["inFile"].map { ", where the file says \(text($0))" } ?? ""
            return "  \(text(override["object"])): \(text(override["inForce"]))\(inFile); since \(since)\(edited)"
        }
        return ["Not in force as the file says, by changes made at run time:"] + lines
    }

    /// The two largest units: `3 d 4 h`, `5 min 6 s`.
    static func duration(_ seconds: Int) -> String {
        let parts = [
            (seconds / 86400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"),
        ]
        let shown = parts.drop { $0.0 == 0 }.prefix(2).filter { $0.0 > 0 }
        return shown.isEmpty ? "0 s" : shown.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }

    /// `512 B`, `1.5 MiB`.
    static func bytes(_ count: Int) -> String {
        var (value, unit) = (Double(count), "B")
        for larger in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 { (value, unit) = (value / 1024, larger) }
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 || unit == "B" ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}
