import Core
import Model
import Routing

/// What a process knows of a target, for the one that takes over: its health with the counts, how long its answers
/// take, and how far its slow start is.
///
/// Shape: a value. Instants are those of the host's monotonic clock, which both processes read.
struct TargetMemory: Equatable, Sendable {
    /// Who it is in its group.
    let key: TargetKey
    /// What the checks have made of it.
    let phase: HealthState.Phase
    /// Since when its grace period counts.
    let registeredAt: Instant
    /// Since when its share grows; nil if it does not.
    var slowStartBegan: Instant?
    /// How long its answers take; nil if that is not known.
    var latency: LearnedLatency?

    /// What is known of a target that is checked; nil of others, about which the document says everything.
    init?(_ registration: Registration) {
        switch registration.health.phase {
        case .initial, .healthy, .unhealthy: break
        case .unchecked, .draining, .unused: return nil
        }
        key = registration.key
        phase = registration.health.phase
        registeredAt = registration.health.registeredAt
        slowStartBegan = registration.cell.slowStartBegan
        latency = registration.cell.load.learnedLatency
    }

    /// As it is sent.
    var value: Value {
        var value: Value = [
            "id": .string(key.id), "port": .int(key.port), "registeredAt": .word(registeredAt.nanoseconds),
        ]
        switch phase {
        case .initial(let isChecked, let failures):
            value["state"] = "initial"
            value["isChecked"] = .bool(isChecked)
            value["count"] = .int(failures)
        case .healthy(let failures):
            value["state"] = "healthy"
            value["count"] = .int(failures)
        case .unhealthy(let passes, let failure):
            value["state"] = "unhealthy"
            value["count"] = .int(passes)
            value["failure"] = failure.value
        case .unchecked, .draining, .unused: break
        }
        value["slowStartBegan"] = slowStartBegan.map { .word($0.nanoseconds) }
        if let latency {
            value["latency"] = [
                "microseconds": .word(latency.microseconds), "failures": .word(latency.failures),
                "at": .word(latency.at.nanoseconds),
            ]
        }
        return value
    }

    /// What was sent; nil if it cannot be understood.
    init?(_ value: Value) {
        guard let id = value["id"]?.string, let port = value["port"]?.int, let count = value["count"]?.int,
            let registered = value["registeredAt"]?.word
        else { return nil }
        key = TargetKey(id: id, port: port)
        registeredAt = Instant(nanoseconds: registered)
        switch value["state"]?.string {
        case "initial": phase = .initial(isChecked: value["isChecked"]?.bool ?? false, failures: max(0, count))
        case "healthy": phase = .healthy(failures: max(0, count))
        case "unhealthy":
            phase = .unhealthy(passes: max(0, count), because: HealthState.CheckFailure(value["failure"]))
        default: return nil
        }
        slowStartBegan = (value["slowStartBegan"]?.word).map(Instant.init(nanoseconds:))
        if let latency = value["latency"], let microseconds = latency["microseconds"]?.word,
            let failures = latency["failures"]?.word, let at = latency["at"]?.word
        {
            self.latency = LearnedLatency(
                microseconds: microseconds, failures: failures, at: Instant(nanoseconds: at))
        }
    }
}

extension HealthState.CheckFailure {
    fileprivate var value: Value {
        switch self {
        case .responseCode(let code): .int(Int(code))
        case .timeout: "timeout"
        case .notServing: "not-serving"
        case .failed: "failed"
        }
    }

    /// The failure that stands there; one that another version has counts as any.
    fileprivate init(_ value: Value?) {
        if let code = (value?.int).flatMap({ UInt16(exactly: $0) }) {
            self = .responseCode(code)
        } else {
            let known: [String: Self] = ["timeout": .timeout, "not-serving": .notServing]
            self = known[value?.string ?? ""] ?? .failed
        }
    }
}

extension Registration {
    /// Continues from what another process knew of the target.
    func restore(_ memory: TargetMemory) {
        cell.isHealthy = health.state.isUsable
        cell.load.learnedLatency = memory.latency
        if let began = memory.slowStartBegan { cell.beginSlowStart(now: began) }
    }
}
