import Model

/// Where a configuration file names each listener's port: what a mistake found outside the file's text points at.
struct ListenerPlaces {
    /// The file; empty when there is none.
    let file: String
    private var locations: [String: [Int: Location]] = [:]

    /// Nothing is known.
    init() { file = "" }

    /// The places in `document`, which was read from `file`.
    init(_ document: Value, file: String) {
        self.file = file
        for loadBalancer in document["loadBalancers"]?.array ?? [] {
            guard let name = loadBalancer["name"]?.string else { continue }
            for listener in loadBalancer["listeners"]?.array ?? [] {
                guard let port = listener["port"], let number = port.int else { continue }
                locations[name, default: [:]][number] = port.location
            }
        }
    }

    /// Where the file has the listener; nil when it does not have it.
    subscript(loadBalancer: String, port: Int) -> Location? { locations[loadBalancer]?[port] }
}
