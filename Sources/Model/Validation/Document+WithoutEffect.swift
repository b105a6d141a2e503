extension Document {
    /// One sentence that names the keys of ELBv2 in this document that have no effect in this version; nil if there are
    /// none. They are kept as they were written. Each key is named once, however often it was written, and not at all
    /// where ELBv2 ignores it too.
    public var noteOnWordsWithoutEffect: String? {
        var seen: Set<String> = []
        let words = keysWithoutEffect.filter { seen.insert($0).inserted }
        if words.isEmpty { return nil }
        return "Kept as written, but without effect in this version: \(words.joined(separator: ", "))."
    }

    /// The keys without effect of all objects, in the document's order.
    private var keysWithoutEffect: [String] {
        loadBalancers.flatMap(\.keysWithoutEffect) + targetGroups.flatMap(\.keysWithoutEffect)
    }
}

extension LoadBalancer {
    fileprivate var keysWithoutEffect: [String] {
        LoadBalancer.description.keysWithoutEffect(in: self, of: type)
            + LoadBalancerAttributes.description.keysWithoutEffect(in: attributes, of: type)
            + listeners.flatMap(\.keysWithoutEffect)
    }
}

extension Listener {
    fileprivate var keysWithoutEffect: [String] {
        (defaultActions + rules.flatMap(\.actions)).flatMap { $0.keysWithoutEffect(of: `protocol`.kind) }
    }
}

extension TargetGroup {
    fileprivate var keysWithoutEffect: [String] {
        let kind = `protocol`.kind
        return TargetGroup.description.keysWithoutEffect(in: self, of: kind)
            + TargetGroupAttributes.description.keysWithoutEffect(in: attributes, of: kind)
            + targets.flatMap { TargetDescription.description.keysWithoutEffect(in: $0, of: kind) }
    }
}
