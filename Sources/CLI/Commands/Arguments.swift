import ArgumentParser
import Core
import Model

/// A target as the command line writes it: `10.0.0.5:8081`, `10.0.0.5`, `[::1]:80`, `::1`, `i-0a1b2c3d:80`.
struct TargetName: Equatable, Sendable, CustomStringConvertible {
    /// An address or an instance id.
    let id: String
    /// Its port; nil for the group's.
    let port: Int?

    /// A target.
    init(id: String, port: Int?) {
        self.id = id
        self.port = port
    }

    /// Reads `text`; nil when it is not so written.
    init?(_ text: String) {
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]"), end > text.index(after: text.startIndex) else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            self.init(
                id: text[text.index(after: text.startIndex)..<end], portText: rest.isEmpty ? nil : rest.dropFirst())
            return
        }
        // More than one colon is an IPv6 address without a port.
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2 {
            self.init(id: parts[0], portText: parts[1])
        } else {
            self.init(id: text[...], portText: nil)
        }
    }

    private init?(id: Substring, portText: Substring?) {
        guard !id.isEmpty else { return nil }
        guard let portText else {
            self.init(id: String(id), port: nil)
            return
        }
        guard let port = Int(portText), (1...65535).contains(port), portText.first != "+" else { return nil }
        self.init(id: String(id), port: port)
    }

    /// As it is read.
    var description: String {
        guard let port else { return id }
        return id.contains(":") ? "[\(id)]:\(port)" : "\(id):\(port)"
    }
}

/// A listener, or one of its rules, as the command line writes it: `web:8080`, `web:8080/10`.
struct ListenerOrRule: Equatable, Sendable, CustomStringConvertible {
    /// The load balancer.
    let loadBalancer: String
    /// The listener's port.
    let port: Int
    /// The rule's priority; nil for the listener itself, or its default action.
    let priority: Int?

    /// Reads `text`; nil when it is not so written.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let names = parts[0].split(separator: ":", omittingEmptySubsequences: false)
        guard names.count == 2, !names[0].isEmpty, let port = Int(names[1]), (1...65535).contains(port) else {
            return nil
        }
        loadBalancer = String(names[0])
        self.port = port
        if parts.count == 1 {
            priority = nil
        } else {
            guard let number = Int(parts[1]), number > 0 else { return nil }
            priority = number
        }
    }

    /// As it is read.
    var description: String { "\(loadBalancer):\(port)" + (priority.map { "/\($0)" } ?? "") }

    /// Where the listener is on the admin socket.
    var listenerPath: String { "/v1/load-balancers/\(escaped(loadBalancer))/listeners/\(port)" }

    /// Where it is on the admin socket.
    var path: String { listenerPath + (priority.map { "/rules/\($0)" } ?? "") }
}

/// A target group and its weight as the command line writes it: `blue=90`; without a weight, 1.
struct GroupWeight: Equatable, Sendable {
    /// The target group.
    let group: String
    /// Its weight, 0–999; the server checks.
    let weight: Int

    /// Reads `text`; nil when it is not so written.
    init?(_ text: String) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard let group = parts.first, !group.isEmpty, parts.count <= 2 else { return nil }
        guard let weight = parts.count == 1 ? 1 : Int(parts[1]) else { return nil }
        self.group = String(group)
        self.weight = weight
    }
}

// The arguments of commands. An invalid argument is rejected with an example of a valid one.

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

/// `text` as one segment of a path or one value of a query.
func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        if byte.isLetter || byte.isDigit || [0x2D, 0x2E, 0x5F, 0x3A].contains(byte) {
            result.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }
    return result
}

/// Refuses weights that no server takes: a group twice, or beyond 999.
func requireSense(of weights: [GroupWeight]) throws {
    var seen: Set<String> = []
    for weight in weights {
        guard seen.insert(weight.group).inserted else { throw ValidationError("Name \(weight.group) once.") }
        guard (0...999).contains(weight.weight) else {
            throw ValidationError("The weight of \(weight.group) must be from 0 to 999, but is \(weight.weight).")
        }
    }
}
