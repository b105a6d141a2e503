import Model

/// Why Apus does not start.
public enum StartError: Error, Equatable, CustomStringConvertible {
    /// The configuration is not right; every mistake names its place and its remedy.
    case configuration(ConfigErrors)
    /// Something else stands against it: what, in a sentence, and what to do.
    case refused(message: String, remedy: String)

    /// Its mistakes: those of the configuration, or the one that `place` brought about.
    func mistakes(at place: DocumentPlaces.Place) -> [ConfigError] {
        switch self {
        case .configuration(let errors): errors.all
        case .refused(let message, let remedy): [place.mistake(message, remedy: remedy)]
        }
    }

    /// For people.
    public var description: String {
        switch self {
        case .configuration(let errors): errors.description
        case .refused(let message, let remedy): "\(message) \(remedy)"
        }
    }
}
