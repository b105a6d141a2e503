extension Rollout {
    /// The keys of a rollout.
    static let description = Description(
        "Rollout", "a rollout", blank: Rollout(loadBalancerName: "", port: 0, from: "", to: ""),
        keys: [
            Key(
                "loadBalancerName", \.loadBalancerName, .text(.name), required: true,
                "The load balancer whose listener has the action."),
            Key("port", \.port, .integer(1...65535), required: true, "The port of the listener."),
            Key(
                optional: "priority", \.priority, .integer(1...50000),
                "The rule whose action it is; without it the listener's default action."),
            Key("from", \.from, .text(.name), required: true, "The target group that is in use."),
            Key("to", \.to, .text(.name), required: true, "The target group that takes over."),
            Key(
                "steps", \.steps, .list(.integer(1...100), count: 2...Limits.rolloutStepsMax),
                "What the new group gets in each step, in percent; ascending, the last 100."),
            Key(
                "stepTimeSeconds", \.stepTimeSeconds, .number(0.1...604_800, unit: "seconds"),
                "What a step takes at least."),
            Key("guards", \.guards, Guards.description.codec, "What is watched."),
            Key(
                "falseAlarmPercent", \.falseAlarmPercent, .number(0.0001...50, unit: "percent"),
                "The probability that a new group which is as good as the old one is called worse."),
            Key(
                "minimumRequests", \.minimumRequests, .integer(0...1_000_000_000),
                "Requests that the new group must have had in a step before the step ends."),
            Key(
                "advance", \.advance, .word(),
                "Whether a step ends when every guard is sure that the new group is not worse, or when its time is "
                    + "over and none is sure that it is."),
            Key(
                "onRestart", \.onRestart, .word(), "What happens to it when the process is started again."),
        ],
        check: { rollout, findings in rollout.check(&findings) })

    private func check(_ findings: inout Findings) {
        if from == to {
            findings.within(.key("to")) { findings in
                findings.report(
                    "to must be another target group than from", found: Value.quoted(to),
                    remedy: "Name the group that takes over.", code: .invalidConfigurationRequest)
            }
        }
        findings.within(.key("steps")) { findings in
            if let index = steps.indices.dropFirst().first(where: { steps[$0] <= steps[$0 - 1] }) {
                findings.within(.index(index)) { findings in
                    findings.report(
                        "steps must ascend", found: "\(steps[index]) after \(steps[index - 1])",
                        remedy: "Write them as in [1, 5, 10, 25, 50, 100].")
                }
            } else if let last = steps.last, last != 100 {
                findings.report(
                    "the last step must be 100", found: "\(last)",
                    remedy: "Append 100: the new group has everything then."
                )
            }
        }
    }

    /// Reads one rollout. What it refers to is not looked for.
    public init(_ value: Value) throws(ConfigErrors) { self = try Rollout.description.codec.read(value) }
    /// The rollout with every value that is in effect.
    public func encoded() -> Value { Rollout.description.codec.encode(self) }
}

extension Rollout.Guards {
    /// The keys of `guards`: what is not named is as by default, and what is `off` is not watched.
    static let description = Description(
        "RolloutGuards", "the guards of a rollout", blank: Rollout.Guards(),
        keys: [
            Key(
                "errorSharePercent", \.errorSharePercent, .percentOrOff(from: 0.001),
                "By how many percentage points more requests may fail."),
            Key(
                "p50Percent", \.p50Percent, .percentOrOff(from: 1),
                "By how many percent half of the answers may take longer."),
            Key("p90Percent", \.p90Percent, .percentOrOff(from: 1), "The same of nine answers in ten."),
            Key("p95Percent", \.p95Percent, .percentOrOff(from: 1), "The same of 95 answers in a hundred."),
            Key("p99Percent", \.p99Percent, .percentOrOff(from: 1), "The same of 99 answers in a hundred."),
        ])
}

extension Codec where Model == Double? {
    /// A percentage, or the word `off` for nil.
    fileprivate static func percentOrOff(from least: Double) -> Codec<Double?> {
        let number = Codec<Double>.number(least...10_000, unit: "percent")
        return Codec(
            shape: .either(.word(["off"]), number.shape),
            decode: { value, findings in
                value.string == "off" ? .some(nil) : number.decode(value, &findings).map { .some($0) }
            },
            encode: { $0.map(number.encode) ?? .string("off") })
    }
}
