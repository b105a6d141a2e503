import ArgumentParser
import Control

extension Apus {
    /// `apus targets …`.
    struct Targets: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List, register and deregister the targets of a group.",
            subcommands: [List.self, Register.self, Deregister.self])

        /// `apus targets list GROUP`.
        struct List: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Targets with their health, and why it is so.")

            @Argument(help: "The target group.")
            var group: String
            @Argument(help: ArgumentHelp("Only these targets.", valueName: "id[:port]"), transform: TargetName.read)
            var targets: [TargetName] = []
            @OptionGroup var socket: SocketOptions

            func run() throws { try socket.perform(.targets(of: group, targets)) }
        }

        /// `apus targets register GROUP ID[:PORT]… [--wait] [--timeout SECONDS]`.
        struct Register: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Add targets to a group.",
                discussion: "An IPv6 address with a port is written as in [::1]:80.")

            @Argument(help: "The target group.")
            var group: String
            @Argument(help: ArgumentHelp("Address or instance id.", valueName: "id[:port]"), transform: TargetName.read)
            var targets: [TargetName]
            @Flag(
                name: .long,
                help: "Return when they are healthy; end with 1 and say why if they are not in time.")
            var wait = false
            @Option(
                name: .long, help: ArgumentHelp("How long to wait; 60 without it.", valueName: "seconds"))
            var timeout: Double?
            @OptionGroup var socket: SocketOptions

            func validate() throws {
                guard let timeout else { return }
                guard wait else { throw ValidationError("--timeout goes with --wait.") }
                guard (0...3600).contains(timeout) else {
                    throw ValidationError("--timeout must be from 0 to 3600 seconds, but is \(timeout).")
                }
            }

            func run() throws {
                try socket.perform(.register(targets, in: group, wait: wait, timeoutSeconds: timeout))
            }
        }

        /// `apus targets deregister GROUP ID[:PORT]… [--wait]`.
        struct Deregister: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Remove targets from a group: what is in flight may finish, nothing new is sent to them.")

            @Argument(help: "The target group.")
            var group: String
            @Argument(help: ArgumentHelp("Address or instance id.", valueName: "id[:port]"), transform: TargetName.read)
            var targets: [TargetName]
            @Flag(
                name: .long,
                help: ArgumentHelp(
                    "Return when they are drained, and say how that went; end with 4 if exchanges were cut, and with 1 "
                        + "if a target is not registered."))
            var wait = false
            @OptionGroup var socket: SocketOptions

            func run() throws { try socket.perform(.deregister(targets, from: group, wait: wait)) }
        }
    }

    /// `apus instances …`.
    struct Instances: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The instance registry: which address each instance id has.",
            subcommands: [List.self, Set.self, Delete.self], defaultSubcommand: List.self)

        /// `apus instances list`.
        struct List: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "List instances.")

            @OptionGroup var socket: SocketOptions

            func run() throws { try socket.perform(.instances) }
        }

        /// `apus instances set ID ADDRESS`.
        struct Set: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Give an instance an address.")

            @Argument(help: "The instance id.")
            var id: String
            @Argument(help: "An IPv4 or IPv6 address.")
            var address: String
            @OptionGroup var socket: SocketOptions

            func run() throws { try socket.perform(.setInstance(id, address: address)) }
        }

        /// `apus instances delete ID`.
        struct Delete: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Remove an instance; its targets become unused.")

            @Argument(help: "The instance id.")
            var id: String
            @OptionGroup var socket: SocketOptions

            func run() throws { try socket.perform(.deleteInstance(id)) }
        }
    }
}
