import Model

/// What would become of a request.
enum ExplainRoutes {
    static var all: [AdminRoutes.Route] { [.init("/v1/explain", ("POST", .read, explain))] }

    private static func explain(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        completion(.value(try call.services.explanations.explain(try call.explainedRequest())))
    }
}

extension AdminCallContext {
    /// The request that the body describes.
    fileprivate func explainedRequest() throws(AdminError) -> ExplainedRequest {
        let body = try request.json()
        guard let url = body["url"]?.string, var explained = ExplainedRequest(url: url) else {
            throw Self.explainNotUnderstood
        }
        for member in body.members ?? [] {
            switch (member.key, member.value.string, member.value.array) {
            case ("url", _?, _): break
            case ("method", let method?, _): explained.method = method
            case ("source", let source?, _): explained.source = source
            case ("listener", let listener?, _): explained.listener = listener
            case ("headers", _, let fields?):
                for field in fields {
                    guard let name = field["name"]?.string, let value = field["value"]?.string else {
                        throw Self.explainNotUnderstood
                    }
                    explained.add(name, value)
                }
            default: throw Self.explainNotUnderstood
            }
        }
        guard !explained.hasLineBreaks else { throw Self.explainNotUnderstood }
        return explained
    }

    private static let explainNotUnderstood = AdminError(
        code: "ValidationError",
        message:
            "The body must have url, of http or https, and may have method, source, listener and headers, a list of "
            + "names and values, without line breaks.",
        remedy: "Send {\"url\": \"http://example.com/v1\", \"headers\": [{\"name\": \"X-User\", \"value\": \"7\"}]}.")
}

extension ExplainedRequest {
    /// A GET of `url`; nil if that is not a URL of http or https.
    init?(url: String) {
        guard let scheme = ["http", "https"].first(where: { url.hasPrefix("\($0)://") }) else { return nil }
        let rest = url.dropFirst(scheme.count + 3)
        authority = String(rest.prefix { $0 != "/" && $0 != "?" })
        let after = rest.dropFirst(authority.count).prefix { $0 != "#" }
        target = after.first == "/" ? String(after) : "/" + after
        let host = authority.first == "[" ? authority.drop { $0 != "]" } : authority[...]
        let written = host.lastIndex(of: ":").map { Int(host[host.index(after: $0)...]) }
        guard !authority.isEmpty, let port = written ?? (scheme == "https" ? 443 : 80), (1...65535).contains(port)
        else {
            return nil
        }
        self.port = port
    }

    /// Adds a field; one called Host takes the place of the URL's.
    mutating func add(_ name: String, _ value: String) {
        if name.lowercased() == "host" { authority = value } else { fields.append((name, value)) }
    }

    /// Whether any part would end its line.
    var hasLineBreaks: Bool {
        ([method, authority, target] + fields.flatMap { [$0.name, $0.value] }).contains { text in
            text.utf8.contains { $0 == 0x0D || $0 == 0x0A }
        }
    }
}
