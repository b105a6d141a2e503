import Model

/// Finds what a request to the admin socket asks for, and has it done.
///
/// Shape:  one table, read from top to bottom, as docs/admin-api.md describes it; each resource has its routes in a
///         file of `Admin/Routes`, which say what role each method takes.
/// Errors: a path that is not in the table is answered 404 with its neighbours, a method 405 with those there are.
struct AdminRoutes {
    /// What answers a request: at once, or later through the completion.
    typealias Action = (AdminCallContext, @escaping (AdminAnswer) -> Void) throws(AdminError) -> Void

    /// One path and what its methods do.
    struct Route {
        /// As documented, with names in braces where anything may stand.
        let pattern: String
        let segments: [Substring]
        let methods: [(name: String, role: AdminRole, action: Action)]
        /// Whether what GET answers is of one generation, and says so.
        private(set) var isOfGeneration = false

        /// Each method has the role that a client needs for it.
        init(_ pattern: String, _ methods: (String, AdminRole, Action)...) {
            self.pattern = pattern
            self.segments = pattern.split(separator: "/")
            self.methods = methods.map { (name: $0.0, role: $0.1, action: $0.2) }
        }

        /// The same route for a part of the document.
        func ofGeneration() -> Route {
            var route = self
            route.isOfGeneration = true
            return route
        }

        /// The names in braces with what stands for them in `path`; nil when the path is another.
        func match(_ path: [String]) -> [String: String]? {
            guard path.count == segments.count, leadingMatches(path) == segments.count else { return nil }
            let named = zip(segments, path).filter { $0.0.first == "{" }
            return Dictionary(uniqueKeysWithValues: named.map { (String($0.0.dropFirst().dropLast()), $0.1) })
        }

        /// How many segments of `path` are as here, from the first on.
        func leadingMatches(_ path: [String]) -> Int {
            zip(segments, path).prefix { $0.0.first == "{" || $0.0 == $0.1[...] }.count
        }
    }

    private let services: any AdminServices
    /// The page that all clients share; nil where each gets one of its own.
    private let page: SharedMetricsPage?
    /// The paths there are.
    let table: [Route]

    /// Routes to all that `services` do. A new resource is added to this table.
    init(_ services: any AdminServices) {
        self.services = services
        page = nil
        table =
            MetricsRoutes.all + StatusRoutes.all + ReloadRoutes.all + UpgradeRoutes.all + EventRoutes.all
            + InstanceRoutes.all + PrefixListRoutes.all + LoadBalancerRoutes.all + ListenerRoutes.all + RuleRoutes.all
            + TargetGroupRoutes.all + TargetRoutes.all + DiscoveryRoutes.all + RolloutRoutes.all
            + SwapRoutes.all + ExplainRoutes.all
    }

    /// Routes to what may be seen of `services` from outside, and to nothing else.
    init(observing services: any AdminServices, _ page: SharedMetricsPage) {
        self.services = services
        self.page = page
        table = MetricsRoutes.all
    }

    /// What happens, for subscribers.
    var events: EventLog { services.status.events }

    /// Has `request` done for `requester`, and calls `completion` once with the answer. `refusal` says why the client
    /// may not do what takes a role; nil if it may.
    func answer(
        _ request: AdminRequest, for requester: Requester, unless refusal: (AdminRole) -> AdminError?,
        completion: @escaping (AdminAnswer) -> Void
    ) {
        for route in table {
            guard let names = route.match(request.segments) else { continue }
            // HEAD is GET whose body the connection leaves out. Source: RFC 9110 §9.3.2.
            let method = request.method == "HEAD" ? "GET" : request.method
            guard let (_, role, action) = route.methods.first(where: { $0.name == method }) else {
                return completion(Self.methodNotAllowed(request, route))
            }
            if let refusal = refusal(role) { return completion(.refused(refusal)) }
            do throws(AdminError) {
                let condition = try request.condition()
                let call = AdminCallContext(
                    request: request, names: names, services: services, condition: condition, page: page,
                    requester: requester)
                if method == "GET" { try call.requireGeneration() }
                try action(call) { [services] answer in
                    let answer = answer.tagged(
                        method == "GET" && route.isOfGeneration ? services.status.generation : nil)
                    if method == "GET", case .value(_, let generation?) = answer, request.knows(generation) {
                        completion(.notModified(generation: generation))
                    } else {
                        completion(answer)
                    }
                }
            } catch {
                completion(.refused(error))
            }
            return
        }
        completion(.refused(notFound(request)))
    }

    private static func methodNotAllowed(_ request: AdminRequest, _ route: Route) -> AdminAnswer {
        var allowed = route.methods.map(\.name)
        if allowed.contains("GET") { allowed.insert("HEAD", at: 1) }
        let error = AdminError(
            code: "MethodNotAllowed", status: 405, message: "\(request.method) is not for \(route.pattern).",
            remedy: "Use \(allowed.joined(separator: ", ")).")
        return .refused(error, allow: allowed)
    }

    private func notFound(_ request: AdminRequest) -> AdminError {
        let path = request.segments
        let best = table.map { $0.leadingMatches(path) }.max() ?? 0
        // Of those that go the same way the furthest, first the ones whose next step looks most alike.
        let near = table.filter { $0.leadingMatches(path) == best }.map {
            route -> (name: String, alike: Int, longer: Int) in
            let alike =
                best < min(path.count, route.segments.count)
                ? zip(path[best], route.segments[best]).prefix { $0 == $1 }.count : 0
            return (route.pattern, alike, abs(route.segments.count - path.count))
        }
        let sorted = near.sorted { ($1.alike, $0.longer) < ($0.alike, $1.longer) }
        let names = sorted.prefix(6).map(\.name).joined(separator: ", ")
        return AdminError(
            code: "PathNotFound", message: "There is nothing at \(request.path).", remedy: "Near it: \(names).")
    }
}

/// One request on its way through a route.
struct AdminCallContext {
    /// The request.
    let request: AdminRequest
    /// What stands for the names in braces.
    let names: [String: String]
    /// What does it.
    let services: any AdminServices
    /// What must be in force for it to be done; nil for anything. Changes ask when their turn has come.
    let condition: GenerationCondition?
    /// The page that all clients share; nil where each gets one of its own.
    let page: SharedMetricsPage?
    /// The requester that waits for the response.
    let requester: Requester

    /// What can be seen.
    var status: any StatusSource { services.status }

    /// Errors: what the request asks to be in force is not, now.
    func requireGeneration() throws(AdminError) {
        if let mistake = condition?.mistake(inForce: status.generation) { throw AdminError(mistake) }
    }

    /// What stands for `{name}`, which the pattern has.
    func name(_ name: String) -> String {
        guard let value = names[name] else { preconditionFailure("admin: the pattern has no {\(name)}") }
        return value
    }

    /// What stands for `{name}` as a number. Errors: ELBv2's code for what is not there, since no such thing has
    /// another kind of name.
    func number(_ name: String, orElse code: ConfigError.Code) throws(AdminError) -> Int {
        guard let number = Int(self.name(name)) else {
            throw AdminError(
                code: code.rawValue, message: "\(name) must be a number, but found \"\(self.name(name))\".",
                remedy: "Write the number of one that is there.")
        }
        return number
    }

    /// The body as an object. `key` is the name that the path gives it: it may be left out, and must not differ.
    func object(named key: String, _ value: Value) throws(AdminError) -> Value {
        var object = try request.json()
        guard object.members != nil else {
            throw AdminError(
                code: "ValidationError", message: "The body must be an object.",
                remedy: "Write it as in { \"\(key)\": … }.")
        }
        guard let found = object[key] else {
            object[key] = value
            return object
        }
        guard found == value else {
            throw AdminError(
                code: "ValidationError",
                message: "\(key) is \(found.json().cut(to: Model.Limits.errorTextBytesMax)) in the body and "
                    + "\(value.json()) in the path \(request.path).",
                remedy: "Write the same in both, or leave it out of the body.")
        }
        return object
    }

    /// Makes a part of the model of `value`. Errors: what is wrong with it.
    func read<Part>(_ value: Value, _ make: (Value) throws(ConfigErrors) -> Part) throws(AdminError) -> Part {
        do throws(ConfigErrors) {
            return try make(value)
        } catch {
            throw AdminError(error)
        }
    }

    /// Has `change` applied, and answers with the generation that holds it.
    func apply(_ change: Change, _ completion: @escaping (AdminAnswer) -> Void) { apply(completion) { _ in change } }

    /// The same for a change that is made of what the document holds when its turn has come.
    func apply(
        _ completion: @escaping (AdminAnswer) -> Void, _ change: @escaping (Document) throws(AdminError) -> Change
    ) {
        let status = status
        services.changes.apply(by: request.user, if: condition, change) { result in
            switch result {
            case .success: completion(.value(["generation": .int(Int(clamping: status.generation))]))
            case .failure(let error): completion(.refused(error))
            }
        }
    }
}

extension AdminAnswer {
    /// The same answer as one of `generation`, or of the generation that it tells itself.
    fileprivate func tagged(_ generation: UInt64?) -> AdminAnswer {
        guard case .value(let value, nil) = self else { return self }
        return .value(value, generation: generation ?? value["generation"]?.int.map { UInt64(clamping: $0) })
    }
}

extension Value {
    /// Takes from `old`, which is there already, those of `keys` of which this object says nothing. What a PUT leaves
    /// out of the parts that have paths of their own stays; to be emptied they must be named.
    mutating func keep(_ keys: String..., of old: Value) {
        for key in keys where self[key] == nil { self[key] = old[key] }
    }
}
