import Core
import FoundationEssentials
import Model

/// The file that keeps rollouts over a restart: `rollouts.json` in `runtime.stateDirectory`.
///
/// It is always replaced as a whole and synced.
///
/// Shape: JSON, an object with a list `rollouts`, the oldest first, each as `RolloutRecord.written`.
struct RolloutFile: Sendable {
    /// Where it is.
    let path: String

    /// The file in the folder of the state.
    init(inFolder folder: String) { path = folder + "/rollouts.json" }

    /// What was in the file.
    struct Content: Equatable, Sendable {
        /// The rollouts that can be understood, by their numbers.
        var records: [RolloutRecord] = []
        /// What is wrong with the rest: a sentence; nil if nothing is.
        var damage: String?
        /// Where a copy of the damaged file is; nil if the file is sound, or could not be copied.
        var copyPath: String?
    }

    /// The rollouts that `save` wrote last; none if nothing was ever saved. Of a file that is damaged a copy is made,
    /// since the next `save` replaces it.
    func load() -> Content {
        var content = read()
        guard content.damage != nil else { return content }
        let copyPath = path + ".damaged"
        try? FileManager.default.removeItem(atPath: copyPath)
        if (try? FileManager.default.copyItem(atPath: path, toPath: copyPath)) != nil { content.copyPath = copyPath }
        return content
    }

    private func read() -> Content {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try readFile(path)
        } catch {
            return error.code == SystemError.noSuchFile ? Content() : Content(damage: "\(error)")
        }
        let value: Value
        do throws(ConfigErrors) { value = try Value.parse(json: bytes, file: path) } catch {
            return Content(damage: error.first.message)
        }
        guard let written = value["rollouts"]?.array else {
            return Content(damage: "\(path) has no list of rollouts")
        }
        var content = Content()
        var ids: Set<Int> = []
        for (index, value) in written.enumerated() {
            if let record = RolloutRecord(written: value), ids.insert(record.id).inserted {
                content.records.append(record)
            } else {
                content.damage = "rollouts[\(index)] of \(path) is not a valid rollout"
            }
        }
        content.records.sort { $0.id < $1.id }
        return content
    }

    /// Makes `records` what `load` gives, before it returns. Errors: `SystemError`; the file is then as it was.
    func save(_ records: [RolloutRecord]) throws(SystemError) {
        let value: Value = ["rollouts": .array(records.map(\.written))]
        try replaceFile(path, with: Array((value.json() + "\n").utf8))
    }
}
