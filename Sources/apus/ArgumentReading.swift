import ArgumentParser
import Control

// What the words of a command name. A word that cannot be read is refused with one that can.

extension TargetName {
    /// Reads an argument.
    static func read(_ text: String) throws -> TargetName {
        if let target = TargetName(text) { return target }
        throw ValidationError(
            "Write an address or an instance id, and a port from 1 to 65535 if it is not the group's, as in "
                + "10.0.0.5:8080 or [::1]:8080.")
    }
}

extension ListenerOrRule {
    /// Reads an argument.
    static func read(_ text: String) throws -> ListenerOrRule {
        if let name = ListenerOrRule(text) { return name }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard ListenerOrRule(String(parts[0])) == nil else {
            throw ValidationError("A priority is a number from 1 on, as in \(parts[0])/10.")
        }
        let names = parts[0].split(separator: ":", omittingEmptySubsequences: false)
        let owner = names.first.flatMap { $0.isEmpty ? nil : String($0) } ?? "web"
        throw ValidationError(
            names.count == 1
                ? "Write a load balancer and the port of its listener, as in \(owner):8080."
                : "A port is a number from 1 to 65535, as in \(owner):8080.")
    }
}

extension GroupWeight {
    /// Reads an argument.
    static func read(_ text: String) throws -> GroupWeight {
        if let weight = GroupWeight(text) { return weight }
        let group = text.prefix { $0 != "=" }
        throw ValidationError(
            "Write a target group and its weight from 0 to 999, as in \(group.isEmpty ? "blue" : group)=50.")
    }
}
