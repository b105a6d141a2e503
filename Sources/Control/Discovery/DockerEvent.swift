import Model
import Routing

/// What an event of Docker's means for a container.
///
/// Source: Docker Engine API, "Monitor events".
struct DockerEvent: Equatable {
    /// What has happened.
    enum Kind: Equatable {
        /// It runs, or something about it is different: ask about it.
        case changed(isNew: Bool)
        /// A network was connected, or disconnected.
        case networkChanged
        /// It was sent a signal.
        case signalled(Int)
        /// It does not run any more.
        case ended
        /// It does not run for now.
        case paused
        /// Its health check has another result.
        case health(ContainerHealth)
    }

    /// The container's id.
    let id: String
    /// What has happened to it.
    let kind: Kind
    /// Its labels, among other things that are told of it; nil where they are not told.
    let labels: [String: String]?
    /// When it was, in nanoseconds since 1970 by the daemon's clock; nil where that is not told.
    let time: Int?

    /// The event of one line; nil if it is about nothing that matters here.
    ///
    /// Errors: it is no event.
    init?(_ line: [UInt8]) throws(ConfigErrors) {
        let value = try Value.parse(json: line)
        guard value.members != nil else {
            throw ConfigErrors(ConfigError(expected: "an event must be an object", found: value.json(), remedy: ""))
        }
        let actor = value["Actor"] ?? [:]
        let attributes = Dictionary(
            (actor["Attributes"]?.members ?? []).compactMap { member in member.value.string.map { (member.key, $0) } },
            uniquingKeysWith: { first, _ in first })
        let isOfNetwork = value["Type"]?.string == "network"
        guard let id = isOfNetwork ? attributes["container"] : actor["ID"]?.string, DockerContainer.isID(id),
            let action = value["Action"]?.string,
            let kind = isOfNetwork ? Kind.networkChanged : Kind(action, attributes)
        else { return nil }
        self.id = id
        self.kind = kind
        labels = isOfNetwork ? nil : attributes
        time = value["timeNano"]?.int
    }

    /// A time as the API wants it: seconds and nanoseconds.
    static func text(time: Int) -> String {
        let nanoseconds = String(time % 1_000_000_000)
        return "\(time / 1_000_000_000)." + String(repeating: "0", count: 9 - nanoseconds.count) + nanoseconds
    }

    /// The events that are asked for, as a filter of the API. There is no `stop` among them: it says what `die` has
    /// said, and may come when the container runs again.
    static let filters: Value = [
        "type": ["container", "network"],
        "event": [
            "start", "unpause", "rename", "update", "kill", "die", "pause", "destroy", "health_status",
            "connect", "disconnect",
        ],
    ]
}

extension DockerEvent.Kind {
    /// What an action on a container means; nil for nothing.
    fileprivate init?(_ action: String, _ attributes: [String: String]) {
        switch action {
        case "start": self = .changed(isNew: true)
        case "unpause", "rename", "update", "destroy": self = .changed(isNew: false)
        case "kill":
            guard let signal = attributes["signal"].flatMap(DockerContainer.signal) else { return nil }
            self = .signalled(signal)
        case "die": self = .ended
        case "pause": self = .paused
        case let action where action.hasPrefix("health_status: "):
            self = .health(ContainerHealth(docker: String(action.dropFirst("health_status: ".count))))
        default: return nil
        }
    }
}
