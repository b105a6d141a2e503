/// What one container asks for by its labels.
public struct Claim: Hashable, Sendable {
    /// The name of the container.
    public let container: String
    /// What its labels say.
    public let labels: ContainerLabels
    /// The target that it is; nil once it is gone, while its group is kept for the next one.
    public var target: Discovered.Target?
    /// Since when containers have asked for the same without a pause, as Docker writes a time: whoever asked first has
    /// it.
    public var since: String

    /// What `container` asks for.
    public init(container: String, labels: ContainerLabels, target: Discovered.Target?, since: String) {
        self.container = container
        self.labels = labels
        self.target = target
        self.since = since
    }

    /// What it asks for, which is the same for all containers of a group.
    public var subject: ContainerLabels { labels.shared }

    /// The name of its group.
    public var group: String { labels.groupName }
}

extension Claim {
    /// The claims of each subject, in the order in which they are granted: those that were there first go first, and
    /// those whose containers are all gone go last.
    static func bySubject(_ claims: [Claim]) -> [(subject: ContainerLabels, claims: [Claim])] {
        let sorted = claims.sorted { ($0.since, $0.group, $0.container) < ($1.since, $1.group, $1.container) }
        var order: [ContainerLabels] = []
        var all: [ContainerLabels: [Claim]] = [:]
        for claim in sorted {
            if all[claim.subject] == nil { order.append(claim.subject) }
            all[claim.subject, default: []].append(claim)
        }
        let present = order.filter { all[$0]?.contains { $0.target != nil } ?? false }
        let gone = order.filter { !(all[$0]?.contains { $0.target != nil } ?? false) }
        return (present + gone).map { ($0, all[$0] ?? []) }
    }
}

extension LabelDiscovery {
    /// Whether every host that `pattern` stands for is allowed. Its own wildcards stand for any characters, so only a
    /// wildcard of what is allowed covers them.
    func allows(host pattern: String) -> Bool {
        let claimed = Array(pattern.lowercased().utf8)
        return allowHosts.contains { Self.covers(Array($0.lowercased().utf8), claimed) }
    }

    /// Whether `allowed` stands for all that `claimed` stands for, as far as one pattern can tell.
    private static func covers(_ allowed: [UInt8], _ claimed: [UInt8]) -> Bool {
        let (star, question) = (UInt8(ascii: "*"), UInt8(ascii: "?"))
        var (position, index) = (0, 0)
        /// Where to go on when what follows the last star does not fit.
        var retry: (position: Int, index: Int)?
        while index < claimed.count {
            if position < allowed.count, allowed[position] == star {
                retry = (position + 1, index)
                position += 1
            } else if position < allowed.count,
                allowed[position] == claimed[index] || allowed[position] == question && claimed[index] != star
            {
                position += 1
                index += 1
            } else if let again = retry {
                (position, index) = (again.position, again.index + 1)
                retry = (again.position, again.index + 1)
            } else {
                return false
            }
        }
        return allowed[position...].allSatisfy { $0 == star }
    }
}
