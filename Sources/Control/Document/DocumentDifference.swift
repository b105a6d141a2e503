import Model

extension Document {
    /// What is different in `new`, object by object, in sentences.
    func differences(to new: Document) -> [String] {
        var sentences: [String] = []
        if instances != new.instances { sentences.append("The instance registry changed.") }
        let lists = ByName(prefixLists, new.prefixLists, \.name)
        sentences += lists.added.map { "Prefix list \($0.name) was added." }
        sentences += lists.removed.map { "Prefix list \($0.name) was removed." }
        sentences += lists.kept.map { "Prefix list \($0.new.name): its entries changed." }
        let groups = ByName(targetGroups, new.targetGroups, \.name)
        sentences += groups.added.map { "Target group \($0.name) was added." }
        sentences += groups.removed.map { "Target group \($0.name) was removed." }
        sentences += groups.kept.flatMap { $0.differences(to: $1) }
        let balancers = ByName(loadBalancers, new.loadBalancers, \.name)
        sentences += balancers.added.map { "Load balancer \($0.name) was added." }
        sentences += balancers.removed.map { "Load balancer \($0.name) was removed." }
        sentences += balancers.kept.flatMap { $0.differences(to: $1) }
        if discovery != new.discovery { sentences.append("What is discovered changed.") }
        if admin.roles != new.admin.roles { sentences.append("The roles of the admin socket changed.") }
        if admin.metrics != new.admin.metrics {
            sentences.append("The metrics are served on \(new.admin.metrics.map { "\($0)" } ?? "no TCP address").")
        }
        if logs.access != new.logs.access { sentences.append("The access log changed.") }
        if logs.connection != new.logs.connection { sentences.append("The connection log changed.") }
        if logs.health != new.logs.health { sentences.append("The health check log changed.") }
        if runtime.shutdownGraceSeconds != new.runtime.shutdownGraceSeconds {
            sentences.append("runtime.shutdownGraceSeconds changed.")
        }
        return sentences
    }
}

/// Two lists of objects, told apart by what names them.
private struct ByName<Element: Equatable, Name: Hashable> {
    var added: [Element]
    var removed: [Element]
    /// Those that both have, and that differ.
    var kept: [(old: Element, new: Element)] = []

    init(_ old: [Element], _ new: [Element], _ name: (Element) -> Name) {
        let oldByName = Dictionary(old.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
        let newNames = Set(new.map(name))
        added = new.filter { oldByName[name($0)] == nil }
        removed = old.filter { !newNames.contains(name($0)) }
        for element in new {
            if let before = oldByName[name(element)], before != element { kept.append((before, element)) }
        }
    }
}

extension TargetGroup {
    fileprivate func differences(to new: TargetGroup) -> [String] {
        let old = Set(targets.map { key(of: $0) })
        let now = Set(new.targets.map { new.key(of: $0) })
        var sentences: [String] = []
        let registered = now.subtracting(old).count, deregistered = old.subtracting(now).count
        if registered > 0 { sentences.append("Target group \(name): \(targetCount(registered)) registered.") }
        if deregistered > 0 { sentences.append("Target group \(name): \(targetCount(deregistered)) deregistered.") }
        var settings = self
        settings.targets = new.targets
        if settings != new { sentences.append("Target group \(name): its settings changed.") }
        return sentences
    }

    private func targetCount(_ count: Int) -> String { count == 1 ? "1 target was" : "\(count) targets were" }
}

extension LoadBalancer {
    fileprivate func differences(to new: LoadBalancer) -> [String] {
        let ports = ByName(listeners, new.listeners, \.port)
        var sentences = ports.added.map { "Listener \(name):\($0.port) was added." }
        sentences += ports.removed.map { "Listener \(name):\($0.port) was removed." }
        sentences += ports.kept.map { "Listener \(name):\($0.new.port): its actions, rules or settings changed." }
        if addresses != new.addresses { sentences.append("Load balancer \(name): its addresses changed.") }
        if attributes != new.attributes { sentences.append("Load balancer \(name): its attributes changed.") }
        return sentences
    }
}
