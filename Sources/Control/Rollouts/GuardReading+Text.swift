import Core
import Model
import Routing

extension GuardReading {
    /// How the guard `name` stands, in a sentence.
    func text(_ name: String, from old: String, to new: String) -> String {
        let evidence =
            isWorse
            ? "worse; chance is excluded but for 1 in \(Self.odds(evidence))"
            : isNotWorse ? "not worse" : "not decided"
        return
            "\(name): \(value(self.new.value, name)) at \(new), \(value(self.old.value, name)) at \(old), \(evidence)."
    }

    private func value(_ value: Double, _ name: String) -> String {
        name == "errorShare" ? "\(Self.rounded(value * 100)) %" : "\(Self.rounded(value * 1000)) ms"
    }

    /// With three significant digits.
    private static func rounded(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return value }
        var scale = 1.0
        while value * scale < 100, scale < 1e6 { scale *= 10 }
        return (value * scale).rounded() / scale
    }

    /// One in so many, whose logarithm is `evidence`.
    private static func odds(_ evidence: Double) -> String {
        evidence > 40 ? "more than 10^17" : "\(UInt64(evidence.exponential.rounded()))"
    }

    /// As the socket shows it, of the guard `name`.
    func value(_ name: String) -> Value {
        func figure(_ figure: Figure) -> Value {
            var value: Value = ["value": .number(figure.value), "lower": .number(figure.lower)]
            if figure.upper.isFinite { value["upper"] = .number(figure.upper) }
            return value
        }
        return [
            "guard": .string(name), "unit": .string(name == "errorShare" ? "share" : "seconds"),
            "new": figure(new), "old": figure(old), "effect": .number(effect), "evidence": .number(evidence),
            "evidenceLimit": .number(evidenceLimit),
            "verdict": .string(isWorse ? "worse" : isNotWorse ? "not-worse" : "undecided"),
        ]
    }
}
