/// Something in a valid document that was perhaps not meant: it is served as it is written.
public struct DocumentWarning: Hashable, Sendable, CustomStringConvertible {
    /// The load balancer that it is about.
    public let loadBalancer: String
    /// The port of the listener.
    public let port: Int
    /// What happens: a sentence.
    public let message: String
    /// What to do about it: a sentence.
    public let remedy: String

    /// All of it, on one line.
    public var description: String { "\(message) \(remedy)" }
}

extension Document {
    /// All warnings, in the order of the listeners; with arguments, only those of one load balancer or of one listener.
    public func warnings(loadBalancer: String? = nil, port: Int? = nil) -> [DocumentWarning] {
        let ofAll = loadBalancer == nil && port == nil ? labelWarnings : []
        return loadBalancers.filter { loadBalancer == nil || $0.name == loadBalancer }.flatMap { owner in
            owner.listeners.filter { port == nil || $0.port == port }.flatMap {
                $0.warnings(in: owner) + zoneWarnings(in: owner, $0)
            }
        } + ofAll
    }

    /// Listeners that labels of containers may name and that there are not.
    private var labelWarnings: [DocumentWarning] {
        (discovery?.docker?.allowListeners ?? []).filter { listener($0) == nil }.map { name in
            DocumentWarning(
                loadBalancer: name.loadBalancer, port: name.port,
                message: "allowListeners has \(name), which is no listener: containers that name it are refused.",
                remedy: Spelling.remedy(
                    for: name.description,
                    among: loadBalancers.flatMap { owner in owner.listeners.map { "\(owner.name):\($0.port)" } },
                    otherwise: "Add the listener, or remove the name."))
        }
    }
}

extension Listener {
    fileprivate func warnings(in loadBalancer: LoadBalancer) -> [DocumentWarning] {
        let name = "\(loadBalancer.name):\(port)"
        func warning(_ message: String, _ remedy: String) -> DocumentWarning {
            DocumentWarning(loadBalancer: loadBalancer.name, port: port, message: message, remedy: remedy)
        }
        var warnings: [DocumentWarning] = []
        let actions = [("the default action", defaultActions)] + rules.map { ("rule \($0.priority)", $0.actions) }
        for (what, actions) in actions where actions.contains(where: \.isForwardToNone) {
            let consequence =
                `protocol`.kind == .application ? "its requests are answered with 503" : "it passes nothing on"
            warnings.append(
                warning(
                    "The weights of \(what) of \(name) add up to 0: \(consequence).",
                    "Give one of its target groups a weight above 0."))
        }
        if rules.contains(where: \.needsServerName) {
            warnings.append(
                warning(
                    "\(name) has rules by apus.sni, so each connection waits for the client's first bytes. Where the "
                        + "server speaks first, as with SMTP, SSH, FTP or MySQL, it waits in vain until the timeout, "
                        + "and then the default action is taken.",
                    "Give such servers a listener without rules by apus.sni."))
        }
        return warnings
    }
}

extension Rule {
    fileprivate var needsServerName: Bool {
        conditions.contains { if case .serverName = $0 { true } else { false } }
    }
}

extension Action {
    /// Whether it forwards, and no group has a share.
    fileprivate var isForwardToNone: Bool {
        if case .forward(let forward) = self { forward.targetGroups.allSatisfy { $0.weight == 0 } } else { false }
    }
}
