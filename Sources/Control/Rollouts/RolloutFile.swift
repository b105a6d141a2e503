import Core
import Foundation
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

    /// Why it cannot be used: a sentence.
    struct Damage: Error, Equatable {
        let reason: String
    }

    /// The rollouts that `save` wrote last; none if nothing was ever saved. Errors: the file is there and cannot be
    /// read or understood. It is left as it is.
    func load() throws(Damage) -> [RolloutRecord] {
        let content: [UInt8]
        do throws(SystemError) {
            content = try readFile(path)
        } catch {
            if error.code == ENOENT { return [] }
            throw Damage(reason: "\(error)")
        }
        let value: Value
        do throws(ConfigErrors) { value = try Value.parse(json: content, file: path) } catch {
            throw Damage(reason: error.first.message)
        }
        guard let written = value["rollouts"]?.array else { throw Damage(reason: "\(path) has no list of rollouts") }
        var records: [RolloutRecord] = []
        for (index, value) in written.enumerated() {
            guard let record = RolloutRecord(written: value) else {
                throw Damage(reason: "rollouts[\(index)] of \(path) is not a valid rollout")
            }
            records.append(record)
        }
        return records
    }

    /// Makes `records` what `load` gives, before it returns. Errors: `SystemError`; the file is then as it was.
    func save(_ records: [RolloutRecord]) throws(SystemError) {
        let value: Value = ["rollouts": .array(records.map(\.written))]
        try replaceFile(path, with: Array((value.json() + "\n").utf8))
    }
}
