import ArgumentParser
import Model

/// `apus rollout …`.
struct RolloutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout",
        abstract: "Let one target group take over from another, step by step, compared with it meanwhile.",
        subcommands: [
            Start.self, Status.self, History.self, Pause.self, Resume.self, Promote.self, Abort.self,
        ])

    /// `apus rollout start LB:PORT[/PRIORITY] --from BLUE --to GREEN`.
    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin a rollout.",
            discussion: """
                As in: apus rollout start web:8080 --from blue --to green --steps 1,10,50,100 --step-time 60
                The action must forward to both groups. The rollout sets their weights, and takes them back by itself \
                if the new group is worse.
                """)

        @Argument(
            help: ArgumentHelp("The listener, or one of its rules.", valueName: "lb:port[/priority]"),
            transform: ListenerOrRule.read)
        var action: ListenerOrRule
        @Option(name: .long, help: ArgumentHelp("The group that is in use.", valueName: "group"))
        var from: String
        @Option(name: .long, help: ArgumentHelp("The group that takes over.", valueName: "group"))
        var to: String
        @Option(
            name: .long,
            help: ArgumentHelp(
                "What the new group gets in each step; else 1,5,10,25,50,100.", valueName: "percent,…"),
            transform: RolloutArguments.steps)
        var steps: RolloutArguments.Steps?
        @Option(
            name: .long,
            help: ArgumentHelp("What a step takes at least, as in 90, 90s or 2m; else 2m.", valueName: "time"),
            transform: RolloutArguments.time)
        var stepTime: RolloutArguments.Time?
        @Option(
            name: [.customLong("guard")],
            help: ArgumentHelp(
                """
                By how much the new group may be worse, in percent: errors, p50, p90, p95 or p99, or off; else \
                errors=0.5 and p99=20. May be given several times.
                """, valueName: "measure=n"),
            transform: RolloutArguments.guardLimit)
        var guards: [RolloutArguments.Guard] = []
        @Option(
            name: .long,
            help: ArgumentHelp("Requests that the new group must have had in a step; else 100.", valueName: "n"))
        var minimumRequests: Int?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "What a step needs to end: not-worse (every guard is sure) or time; else not-worse.",
                valueName: "word"))
        var advance: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "What happens when apus is started again: continue or abort; else continue.", valueName: "word"))
        var onRestart: String?
        @OptionGroup var socket: SocketOptions

        func validate() throws {
            guard Set(guards.map(\.key)).count == guards.count else {
                throw ValidationError("Give each measure once with --guard.")
            }
        }

        func run() throws { try socket.perform(.startRollout(body)) }

        /// What is asked for, as the socket takes it.
        private var body: Value {
            var body: Value = [
                "loadBalancerName": .string(action.loadBalancer), "port": .int(action.port), "from": .string(from),
                "to": .string(to),
            ]
            body["priority"] = action.priority.map { .int($0) }
            body["steps"] = steps.map { .array($0.percents.map { .int($0) }) }
            body["stepTimeSeconds"] = stepTime.map { .number($0.seconds) }
            if !guards.isEmpty {
                body["guards"] = .object(guards.map { Value.Member($0.key, $0.percent.map { .number($0) } ?? "off") })
            }
            body["minimumRequests"] = minimumRequests.map { .int($0) }
            body["advance"] = advance.map { .string($0) }
            body["onRestart"] = onRestart.map { .string($0) }
            return body
        }
    }

    /// `apus rollout status [ID]`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What is under way, and how its guards stand.")

        @Argument(help: ArgumentHelp("One rollout; else all that are under way.", valueName: "id"))
        var id: Int?
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(id.map { .rollout($0) } ?? .rolloutsUnderWay) }
    }

    /// `apus rollout history`.
    struct History: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All rollouts that are kept, the latest first.")

        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.rollouts) }
    }

    /// `apus rollout pause ID`.
    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a rollout stay at its step. Its guards end it all the same.")
        @Argument(help: "Its number.") var id: Int
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.order("pause", rollout: id)) }
    }

    /// `apus rollout resume ID`.
    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a paused rollout go on.")
        @Argument(help: "Its number.") var id: Int
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.order("resume", rollout: id)) }
    }

    /// `apus rollout promote ID`.
    struct Promote: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin the next step of a rollout, whatever its guards say.")
        @Argument(help: "Its number.") var id: Int
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.order("promote", rollout: id)) }
    }

    /// `apus rollout abort ID`.
    struct Abort: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give everything back to the old group.")
        @Argument(help: "Its number.") var id: Int
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.order("abort", rollout: id)) }
    }
}

/// Arguments of `apus rollout start`.
enum RolloutArguments {
    /// Percentages of steps.
    struct Steps: Equatable, Sendable { let percents: [Int] }
    /// A time.
    struct Time: Equatable, Sendable { let seconds: Double }
    /// A guard as the socket names it; without percentage it is off.
    struct Guard: Equatable, Sendable {
        let key: String
        let percent: Double?
    }

    static func steps(_ text: String) throws -> Steps {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        let percents = parts.compactMap(\.self)
        guard percents.count == parts.count, !percents.isEmpty else {
            throw ValidationError("Write steps in percent, as in 1,5,10,25,50,100.")
        }
        return Steps(percents: percents)
    }

    static func time(_ text: String) throws -> Time {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? text[...] : text.dropLast()), number > 0,
            number.isFinite
        else {
            throw ValidationError("Write a time, as in 90, 90s or 2m.")
        }
        return Time(seconds: number * (unit ?? 1))
    }

    static func guardLimit(_ text: String) throws -> Guard {
        let keys = [
            "errors": "errorSharePercent", "p50": "p50Percent", "p90": "p90Percent", "p95": "p95Percent",
            "p99": "p99Percent",
        ]
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        let percent = parts.count == 2 ? Double(parts[1]) : nil
        guard parts.count == 2, let key = keys[parts[0]], percent?.isFinite ?? (parts[1] == "off") else {
            throw ValidationError(
                "Write a measure and a limit in percent, as in errors=0.5, p99=20 or p99=off; measures are errors, "
                    + "p50, p90, p95 and p99.")
        }
        return Guard(key: key, percent: percent)
    }
}

extension AdminCall {
    /// Begins a rollout.
    static func startRollout(_ body: Value) -> AdminCall {
        AdminCall("POST", "/v1/rollouts", body) { answer, _ in
            "rollout \(AdminView.text(answer["id"])) begins: \(AdminView.rolloutTitle(answer)), "
                + "\(AdminView.text(answer["percent"])) %\n"
        }
    }

    /// All rollouts.
    static var rollouts: AdminCall { AdminCall("GET", "/v1/rollouts", view: AdminView.rollouts) }

    /// Those under way.
    static var rolloutsUnderWay: AdminCall { AdminCall("GET", "/v1/rollouts", view: AdminView.rolloutsUnderWay) }

    /// One rollout.
    static func rollout(_ id: Int) -> AdminCall { AdminCall("GET", "/v1/rollouts/\(id)", view: AdminView.rollout) }

    /// Has something done with a rollout.
    static func order(_ order: String, rollout id: Int) -> AdminCall {
        AdminCall("POST", "/v1/rollouts/\(id)/\(order)", view: AdminView.rollout)
    }
}

extension AdminView {
    /// `web:8080/10 from blue to green`.
    static func rolloutTitle(_ rollout: Value) -> String {
        let asked = rollout["rollout"] ?? [:]
        let priority = asked["priority"].map { "/\(text($0))" } ?? ""
        return "\(text(asked["loadBalancerName"])):\(text(asked["port"]))\(priority) from \(text(asked["from"])) to "
            + text(asked["to"])
    }

    /// One rollout: where it stands, and what its guards have seen.
    static func rollout(_ answer: Value, _ coloured: Bool) -> String {
        let steps = answer["rollout"]?["steps"]?.array?.count ?? 0
        var lines =
            "rollout \(text(answer["id"])), \(rolloutTitle(answer)): \(text(answer["phase"])), step "
            + "\(text(answer["step"])) of \(steps), \(text(answer["percent"])) %\n"
        if let reason = answer["reason"]?.string { lines += TextTable.Cell(reason).text + "\n" }
        if let waitsFor = answer["waitsFor"]?.string { lines += "It waits for \(waitsFor).\n" }
        let guards = answer["guards"]?.array ?? []
        guard !guards.isEmpty else { return lines }
        var table = TextTable(
            ("guard", .left), ("new", .right), ("old", .right), ("at most (new)", .right), ("at least (old)", .right),
            ("evidence", .right), ("verdict", .left))
        for one in guards {
            let isShare = one["unit"]?.string == "share"
            let verdict = text(one["verdict"])
            table.add(
                cell(one["guard"]), figure(one["new"]?["value"], isShare), figure(one["old"]?["value"], isShare),
                figure(one["new"]?["upper"], isShare), figure(one["old"]?["lower"], isShare),
                TextTable.Cell(evidence(one)),
                TextTable.Cell(verdict, verdict == "worse" ? .bad : verdict == "not-worse" ? .good : .pending))
        }
        return lines + table.text(coloured: coloured, otherwise: "")
    }

    /// All that are under way, or that none is.
    static func rolloutsUnderWay(_ answer: Value, _ coloured: Bool) -> String {
        let running = (answer["rollouts"]?.array ?? []).filter { $0["endedAt"] == nil }
        guard !running.isEmpty else { return "No rollout is under way.\n" }
        return running.map { rollout($0, coloured) }.joined(separator: "\n")
    }

    /// All that are kept, a line each.
    static func rollouts(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(
            ("id", .right), ("action", .left), ("from", .left), ("to", .left), ("phase", .left), ("percent", .right),
            ("began", .left), ("ended", .left), ("reason", .left))
        for one in answer["rollouts"]?.array ?? [] {
            let asked = one["rollout"] ?? [:]
            let priority = asked["priority"].map { "/\(text($0))" } ?? ""
            let phase = text(one["phase"])
            table.add(
                cell(one["id"]),
                TextTable.Cell("\(text(asked["loadBalancerName"])):\(text(asked["port"]))\(priority)"),
                cell(asked["from"]), cell(asked["to"]),
                TextTable.Cell(phase, phase == "promoted" ? .good : phase == "aborted" ? .bad : .pending),
                cell(one["percent"]), cell(one["startedAt"]), cell(one["endedAt"]), cell(one["reason"]))
        }
        return table.text(coloured: coloured, otherwise: "There was no rollout.")
    }

    private static func figure(_ value: Value?, _ isShare: Bool) -> TextTable.Cell {
        guard let number = number(value) else { return TextTable.Cell("-") }
        let scaled = number * (isShare ? 100 : 1000)
        return TextTable.Cell("\((scaled * 100).rounded() / 100) \(isShare ? "%" : "ms")")
    }

    /// What speaks for the new group being worse, beside what excludes chance.
    private static func evidence(_ one: Value) -> String {
        guard let evidence = number(one["evidence"]), let limit = number(one["evidenceLimit"]) else { return "-" }
        return "\((evidence * 10).rounded() / 10) of \((limit * 10).rounded() / 10)"
    }

    private static func number(_ value: Value?) -> Double? {
        switch value?.content {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }
}
