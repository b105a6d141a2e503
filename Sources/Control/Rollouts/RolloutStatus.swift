import Core
import Model
import Routing

/// A rollout as it can be seen: its record, and while it is under way how its guards stand.
struct RolloutStatus {
    /// What is kept of it.
    let record: RolloutRecord
    /// How each guard stands, with its name; empty of those that are over.
    var readings: [(name: String, reading: GuardReading)] = []
    /// What its step waits for, in words; nil of those that are over.
    var waitsFor: String?
    /// What the new group has had in this step.
    var requests: UInt64 = 0
}

extension RunningRollout {
    /// As it can be seen.
    var status: RolloutStatus {
        if record.phase.isEnded { return RolloutStatus(record: record, waitsFor: failure.map { _ in waitsFor }) }
        return RolloutStatus(record: record, readings: readings, waitsFor: waitsFor, requests: state.requests)
    }

    private var readings: [(name: String, reading: GuardReading)] {
        zip(record.rollout.guards.all, state.readings).map { ($0.name, $1) }
    }

    private var waitsFor: String {
        if let failure { return "its weights, which cannot be set: \(failure)" }
        return switch state.wait(now: Instant.now()) {
        case nil: "nothing"
        case .paused: "somebody to resume it"
        case .time(let left): "\((left + 999_999_999) / 1_000_000_000) s"
        case .requests(let missing): "\(missing) more requests at \(record.rollout.to): too few to judge by"
        case .evidence(let index): "more requests: \(record.rollout.guards.all[index].name) is not decided"
        }
    }

    /// What the guard with this index has seen.
    func text(ofGuard index: Int) -> String {
        let (name, reading) = readings[index]
        return reading.text(name, from: record.rollout.from, to: record.rollout.to)
    }

    /// What all guards have seen; nil without any.
    var evidenceText: String? {
        let texts = readings.indices.map { text(ofGuard: $0) }
        return texts.isEmpty ? nil : texts.joined(separator: " ")
    }
}
