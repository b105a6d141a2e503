import ArgumentParser
import Control

extension Apus {
    /// `apus status`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Version, uptime, workers, connections, requests.")

        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.status) }
    }

    /// `apus reload`.
    struct Reload: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have the configuration file read again, with what was changed at run time on top.")

        @Flag(name: .long, help: "Put aside what was changed at run time.")
        var discardChanges = false
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.reload(discardingChanges: discardChanges)) }
    }

    /// `apus groups`.
    struct Groups: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List target groups.")

        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.groups) }
    }

    /// `apus listeners`.
    struct Listeners: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the listeners of all load balancers.")

        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.listeners) }
    }

    /// `apus weights`.
    struct Weights: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set weights in a rule's forward action, or in a listener's default action.",
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

    /// `apus events`.
    struct Events: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what happens, as it happens: health, registrations, changes, reloads.")

        @Option(name: .long, help: "Begin with the last so many events.")
        var recent = 0
        @OptionGroup var socket: SocketOptions

        func validate() throws {
            if recent < 0 { throw ValidationError("--recent must be 0 or more.") }
        }

        func run() throws {
            do throws(AdminClientError) {
                try EventView.follow(socket: socket.path, recent: recent, asJSON: socket.json)
            } catch {
                throw socket.failure(error)
            }
        }
    }
}
