import Model

extension Override {
    /// Since when, in UTC and to the second.
    var since: String {
        guard let changedAt else { return "an earlier version of apus" }
        return utcText(nanoseconds: UInt64(clamping: changedAt) &* 1_000_000)
    }

    /// As the admin socket tells it.
    var value: Value {
        var value: Value = ["object": .string(object), "inForce": .string(inForce)]
        value["inFile"] = inFile.map { .string($0) }
        if changedAt != nil { value["since"] = .string(since) }
        value["edited"] = .bool(isEdited)
        return value
    }
}

// Objects of the file that are not in force as it says.
extension AdminView {
    /// A heading and a line for each; nothing if there are none.
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
}
