import Model

/// Where a configuration file has its settings, listeners and target groups: what a mistake found outside the file's
/// text points at.
struct DocumentPlaces: Sendable {
    /// The file; empty when there is none.
    let file: String
    private var listeners: [String: [Int: Value]] = [:]
    private var groups: [String: Value] = [:]
    private var settings: Value = [:]

    /// Nothing is known.
    init() { file = "" }

    /// The places in `document`, which was read from `file`.
    init(_ written: Value, file: String) {
        self.file = file
        let document = written.withDefaults
        settings = document.keeping(["admin", "logs", "runtime"])
        for group in document["targetGroups"]?.array ?? [] {
            if let name = group["name"]?.string { groups[name] = group.keeping(["attributes", "discovery"]) }
        }
        for loadBalancer in document["loadBalancers"]?.array ?? [] {
            guard let name = loadBalancer["name"]?.string else { continue }
            for listener in loadBalancer["listeners"]?.array ?? [] {
                guard let port = listener["port"]?.int else { continue }
                listeners[name, default: [:]][port] = listener.keeping([
                    "port", "certificates", "sslPolicy", "mutualAuthentication",
                ])
            }
        }
    }

    /// A listener; without a place in the file if that does not have it.
    func listener(_ loadBalancer: String, _ port: Int) -> Place {
        place("loadBalancers[\(loadBalancer)].listeners[\(port)]", listeners[loadBalancer]?[port])
    }

    /// A setting, as in `runtime.user`; if the file does not say it, what is around it.
    func setting(_ keys: String...) -> Place {
        keys.reduce(Place(file: file, path: "", value: settings)) { $0.key($1) }
    }

    /// A target group; without a place in the file if that does not have it.
    func group(_ name: String) -> Place { place("targetGroups[\(name)]", groups[name]) }

    private func place(_ path: String, _ value: Value?) -> Place {
        Place(file: value == nil ? "" : file, path: path, value: value)
    }

    /// One part of a document.
    struct Place: Sendable {
        /// The file that has it; empty for what came over the socket.
        let file: String
        /// Its name in errors.
        let path: String
        /// It, or what is around it where the file does not say it.
        fileprivate let value: Value?

        /// Where in the file.
        var location: Location? { value?.location }

        /// The value of one of its keys.
        func key(_ key: String) -> Place {
            Place(file: file, path: path.isEmpty ? key : "\(path).\(key)", value: value?[key] ?? value)
        }

        /// A mistake there, both in whole sentences.
        func mistake(_ message: String, remedy: String) -> ConfigError {
            ConfigError(
                file: file, location: location, path: path, expected: String(message.dropLast()), remedy: remedy,
                code: .invalidConfigurationRequest)
        }

        /// One of its elements.
        func index(_ index: Int) -> Place {
            let elements = value?.array ?? []
            return Place(
                file: file, path: "\(path)[\(index)]",
                value: elements.indices.contains(index) ? elements[index] : value)
        }
    }
}

extension Value {
    /// An object with some of its keys, so that the others are not held.
    fileprivate func keeping(_ keys: [String]) -> Value {
        var kept: Value = [:]
        kept.location = location
        for key in keys { kept[key] = self[key] }
        return kept
    }
}

extension Warning {
    /// One about a listener, with its place in the file.
    init(_ warning: DocumentWarning, _ places: DocumentPlaces) {
        let place = places.listener(warning.loadBalancer, warning.port)
        self.init(file: place.file, location: place.location, message: warning.message, remedy: warning.remedy)
    }
}
