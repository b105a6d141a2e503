/// Where a secret is kept: a key, a token. The secret itself is no part of a configuration, so nothing that shows one
/// shows it.
public struct SecretReference: Hashable, Sendable, CustomStringConvertible {
    /// The places there are.
    public enum Place: Hashable, Sendable {
        /// The file at this path, which is read again when it changes. A relative path begins in the folder of the
        /// configuration.
        case file(String)
        /// What the service manager has passed to the service under this name. Source: systemd.exec(5),
        /// `LoadCredential`.
        case credential(String)
        /// The variable of this name in the environment of the process.
        case variable(String)
    }

    /// The path of its file; nil if it is elsewhere.
    public var file: String?
    /// The name of the credential; nil if it is elsewhere.
    public var credential: String?
    /// The name of the variable; nil if it is elsewhere.
    public var env: String?

    /// A secret that is kept at `place`.
    public init(_ place: Place) {
        switch place {
        case .file(let path): file = path
        case .credential(let name): credential = name
        case .variable(let name): env = name
        }
    }

    /// Nowhere: what a reference is before it was read.
    init() {}

    /// Where it is.
    public var place: Place {
        if let credential { return .credential(credential) }
        if let env { return .variable(env) }
        return .file(file ?? "")
    }

    /// The place, for people.
    public var description: String {
        switch place {
        case .file(let path): path
        case .credential(let name): "credential \(name)"
        case .variable(let name): "variable \(name)"
        }
    }
}
