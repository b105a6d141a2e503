import ArgumentParser

/// The commands that ask a running Apus, in the order in which `apus --help` lists them.
public enum AdminCommands {
    /// A new command is added here, and has a file of its own beside this one.
    public static let all: [any ParsableCommand.Type] = [
        StatusCommand.self, ReloadCommand.self, UpgradeCommand.self, TargetsCommand.self, GroupsCommand.self,
        ListenersCommand.self, RulesCommand.self, WeightsCommand.self, InstancesCommand.self, PrefixListsCommand.self,
        DiscoveryCommand.self, RolloutCommand.self, SwapCommand.self,
        ExplainCommand.self,
        EventsCommand.self,
    ]
}
