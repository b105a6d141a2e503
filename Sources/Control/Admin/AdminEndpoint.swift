import Core

/// Where clients of control connect, and what they may do there.
enum AdminEndpoint {
    /// The Unix socket at this path: operators, by the permissions of its file and by `admin.roles`. Over one that is
    /// read only nobody changes anything.
    case socket(path: String, isReadOnly: Bool = false)
    /// `admin.metrics`: anybody who reaches the address. They may only read the metrics.
    case metrics(SocketAddress)

    /// In sentences and in logs.
    var name: String {
        switch self {
        case .socket(let path, _): path
        case .metrics(let address): "\(address)"
        }
    }

    /// Whether anybody who reaches the address may connect.
    var isPublic: Bool { if case .metrics = self { true } else { false } }

    /// Whether it is a socket over which nothing can be changed.
    var isReadOnly: Bool { if case .socket(_, true) = self { true } else { false } }

    /// How many clients there may be.
    var clientsMax: Int { isPublic ? Limits.metricsClientsMax : Limits.adminClientsMax }

    /// Bytes of a request's body.
    var bodyBytesMax: Int { isPublic ? 0 : Limits.adminBodyBytesMax }

    /// What to use instead of whatever does not speak HTTP.
    var remedy: String {
        switch self {
        case .socket(let path, _): "Use an HTTP client, such as curl --unix-socket \(path)."
        case .metrics(let address): "Use an HTTP client, such as curl http://\(address)/metrics."
        }
    }
}
