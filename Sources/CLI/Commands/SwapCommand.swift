import ArgumentParser
import Model

/// `apus swap LB:PORT[/PRIORITY] BLUE GREEN`.
struct SwapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swap", abstract: "Move all weight from one target group to another, at once.",
        discussion: """
            As in: apus swap web:8080 blue green --wait-healthy 60
            The action must forward to both, as with weights 1 and 0. It is refused unless the new group has enough \
            healthy targets: all of them, or as many as --minimum says. The old group stays checked, so the way back \
            is the same command the other way round.
            """)

    @Argument(
        help: ArgumentHelp("The listener, or one of its rules.", valueName: "lb:port[/priority]"),
        transform: ListenerOrRule.read)
    var action: ListenerOrRule
    @Argument(help: ArgumentHelp("The group that loses its weight.", valueName: "from"))
    var from: String
    @Argument(help: ArgumentHelp("The group that gets it.", valueName: "to"))
    var to: String
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Targets that must be healthy, as in 3 or 50%; else all that are registered.", valueName: "n|n%"),
        transform: HealthyMinimum.read)
    var minimum: HealthyMinimum?
    @Option(
        name: .long,
        help: ArgumentHelp("How long to wait until that many are healthy; else 0.", valueName: "seconds"))
    var waitHealthy: Double?
    @OptionGroup var socket: SocketOptions

    func validate() throws {
        if from == to { throw ValidationError("Name two target groups.") }
        if let waitHealthy, !(0...1e9).contains(waitHealthy) {
            throw ValidationError("--wait-healthy must be 0 or more.")
        }
    }

    func run() throws {
        try socket.perform(.swap(action, from: from, to: to, minimum: minimum, waitSeconds: waitHealthy))
    }
}

/// How many targets must be healthy, as the command line writes it.
enum HealthyMinimum: Equatable, Sendable {
    case count(Int)
    case percent(Double)

    /// Reads an argument.
    static func read(_ text: String) throws -> HealthyMinimum {
        if text.last == "%", let percent = Double(text.dropLast()), (0...100).contains(percent) {
            return .percent(percent)
        }
        if let count = Int(text), count >= 0 { return .count(count) }
        throw ValidationError("Write a number of targets or a share of them, as in 3 or 50%.")
    }
}

extension AdminCall {
    /// Moves all weight from one group of an action to another.
    static func swap(
        _ action: ListenerOrRule, from: String, to: String, minimum: HealthyMinimum?, waitSeconds: Double?
    ) -> AdminCall {
        var body: Value = ["from": .string(from), "to": .string(to)]
        switch minimum {
        case .count(let count): body["minimumHealthyCount"] = .int(count)
        case .percent(let percent): body["minimumHealthyPercent"] = .number(percent)
        case nil: break
        }
        body["waitSeconds"] = waitSeconds.map { .number($0) }
        return AdminCall("POST", "\(action.path)/swap", body) { answer, _ in
            AdminView.done("All weight of \(action) is at \(to)", answer) + "Back: apus swap \(action) \(to) \(from)\n"
        }
    }
}
