import ArgumentParser
import Model

/// `apus weights`.
struct WeightsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weights", abstract: "Set weights in a rule's forward action, or in a listener's default action.",
        discussion: "Groups that are not named keep theirs. As in: apus weights web:8080 blue=90 green=10")

    @Argument(
        help: ArgumentHelp("The listener, or one of its rules.", valueName: "lb:port[/priority]"),
        transform: ListenerOrRule.read)
    var action: ListenerOrRule
    @Argument(
        help: ArgumentHelp("A target group and its weight, 0–999.", valueName: "group=n"),
        transform: GroupWeight.read)
    var weights: [GroupWeight]
    @OptionGroup var socket: SocketOptions

    func validate() throws { try requireSense(of: weights) }

    func run() throws { try socket.perform(.weights(action, weights)) }
}

extension AdminCall {
    /// Sets weights in a forward action.
    static func weights(_ action: ListenerOrRule, _ weights: [GroupWeight]) -> AdminCall {
        let body = Value.object(weights.map { Value.Member($0.group, .int($0.weight)) })
        let text = weights.map { "\($0.group)=\($0.weight)" }.joined(separator: " ")
        return AdminCall("PUT", "\(action.path)/weights", body) { answer, _ in
            AdminView.done("Set weights \(text) of \(action)", answer)
        }
    }
}
