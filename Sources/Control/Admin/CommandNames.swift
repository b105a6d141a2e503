import Model

/// A target as the command line writes it: `10.0.0.5:8081`, `10.0.0.5`, `[::1]:80`, `::1`, `i-0a1b2c3d:80`.
public struct TargetName: Equatable, Sendable, CustomStringConvertible {
    /// An address or an instance id.
    public let id: String
    /// Its port; nil for the group's.
    public let port: Int?

    /// A target.
    public init(id: String, port: Int?) {
        self.id = id
        self.port = port
    }

    /// Reads `text`; nil when it is not so written.
    public init?(_ text: String) {
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
    public var description: String {
        guard let port else { return id }
        return id.contains(":") ? "[\(id)]:\(port)" : "\(id):\(port)"
    }
}

/// A listener, or one of its rules, as the command line writes it: `web:8080`, `web:8080/10`.
public struct ListenerOrRule: Equatable, Sendable, CustomStringConvertible {
    /// The load balancer.
    public let loadBalancer: String
    /// The listener's port.
    public let port: Int
    /// The rule's priority; nil for the listener itself, or its default action.
    public let priority: Int?

    /// Reads `text`; nil when it is not so written.
    public init?(_ text: String) {
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
    public var description: String { "\(loadBalancer):\(port)" + (priority.map { "/\($0)" } ?? "") }

    /// Where the listener is on the admin socket.
    var listenerPath: String { "/v1/load-balancers/\(escaped(loadBalancer))/listeners/\(port)" }

    /// Where it is on the admin socket.
    var path: String { listenerPath + (priority.map { "/rules/\($0)" } ?? "") }
}

/// A target group and its weight as the command line writes it: `blue=90`; without a weight, 1.
public struct GroupWeight: Equatable, Sendable {
    /// The target group.
    public let group: String
    /// Its weight, 0–999; the server checks.
    public let weight: Int

    /// Reads `text`; nil when it is not so written.
    public init?(_ text: String) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard let group = parts.first, !group.isEmpty, parts.count <= 2 else { return nil }
        guard let weight = parts.count == 1 ? 1 : Int(parts[1]) else { return nil }
        self.group = String(group)
        self.weight = weight
    }
}

/// The one of `known` that looks enough like `word` to be meant.
public func nearestWord(to word: String, among known: [String]) -> String? { Spelling.nearest(to: word, among: known) }
