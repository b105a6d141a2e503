import Core
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
