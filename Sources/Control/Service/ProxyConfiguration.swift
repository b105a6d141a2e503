import Core
import FoundationEssentials
import Model

/// What `apus proxy` serves: one listener in front of one target group, as the options of a command line say.
///
/// Shape:  a value whose `text` is the configuration file that says the same.
/// Errors: a text that is not so written is nil, and `help` says how it is written.
public struct ProxyConfiguration: Sendable {
    /// Where clients connect: a port, with an address of this host before it if not all are meant.
    public struct Listen: Equatable, Sendable {
        let address: String
        let port: Int

        /// How it is written.
        public static let help =
            "Write a port, or an address of this host and a port, as in 8080, 127.0.0.1:8080 or [::1]:8080."

        /// Reads `8080`, `:8080`, `*:8080`, `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`.
        public init?(_ text: String) {
            guard let (host, port) = HostAndPort.read(text[...]) else { return nil }
            switch host {
            case nil, "*"?: address = "0.0.0.0"
            case let host?:
                guard let known = HostAndPort.address(host) else { return nil }
                address = known
            }
            self.port = port
        }
    }

    /// Where requests go: an address and a port, with a weight if not all are alike.
    public struct Target: Equatable, Sendable {
        /// What is spoken to it.
        enum Scheme: String, Sendable { case http, https }

        let address: String
        let port: Int
        let weight: Int?
        /// The scheme that was written before it.
        let scheme: Scheme?

        /// Reads `127.0.0.1:3000`, `:3000`, `3000`, `localhost:3000`, `[::1]:3000`, with `http://` or `https://` before
        /// it or `=2` behind it, or neither.
        public init?(_ text: String) {
            guard let (scheme, host, port, weight) = Self.parts(text) else { return nil }
            guard let address = HostAndPort.address(host ?? "127.0.0.1") else { return nil }
            self.scheme = scheme
            self.address = address
            self.port = port
            self.weight = weight
        }

        /// What to write instead of `text`, which could not be read.
        public static func help(for text: String) -> String {
            if case (_, let host?, let port, _)? = parts(text), !host.contains(":"), host.contains(where: \.isLetter) {
                return "Targets are addresses, and \(host) is a name: find its address, as with "
                    + "\"getent ahosts \(host)\", and write ADDRESS:\(port)."
            }
            return "Write an address and a port, as in 127.0.0.1:3000 or [::1]:3000, and the weight if it is not 1, as "
                + "in 127.0.0.1:3000=2."
        }

        private static func parts(_ text: String) -> (Scheme?, host: Substring?, port: Int, weight: Int?)? {
            let scheme = [Scheme.http, .https].first { text.hasPrefix($0.rawValue + "://") }
            var rest = text.dropFirst(scheme.map { $0.rawValue.count + 3 } ?? 0)
            var weight: Int?
            if let sign = rest.lastIndex(of: "=") {
                weight = Int(rest[rest.index(after: sign)...])
                guard let weight, (0...Model.Limits.targetWeightMax).contains(weight) else { return nil }
                rest = rest[..<sign]
            }
            if scheme != nil, rest.last == "/" { rest.removeLast() }
            guard let (host, port) = HostAndPort.read(rest) else { return nil }
            return (scheme, host, port, weight)
        }
    }

    /// Files of a certificate and of its key, which may be one.
    public struct Certificate: Equatable, Sendable {
        let file: String
        let keyFile: String

        /// Both as paths from the root.
        public init(file: String, keyFile: String) {
            self.file = Self.absolute(file)
            self.keyFile = Self.absolute(keyFile)
        }

        private static func absolute(_ path: String) -> String {
            path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        }
    }

    /// Where clients connect.
    public var listen: Listen
    /// Where requests go.
    public var targets: [Target]
    /// What health checks ask for; nil for what is usual.
    public var healthPath: String?
    /// With which clients speak TLS; nil if they do not.
    public var certificate: Certificate?
    /// Whether bytes are passed on as they are.
    public var isNetwork: Bool

    /// A proxy.
    public init(
        listen: Listen, targets: [Target], healthPath: String? = nil, certificate: Certificate? = nil,
        isNetwork: Bool = false
    ) {
        self.listen = listen
        self.targets = targets
        self.healthPath = healthPath
        self.certificate = certificate
        self.isNetwork = isNetwork
    }

    /// Why these options do not go together, and what to write; nil if they do.
    public var mistake: String? {
        let schemes = Set(targets.map { $0.scheme ?? .http })
        if schemes.count > 1 { return "All targets must be http:// or all https://: they are in one target group." }
        if isNetwork, targets.contains(where: { $0.scheme != nil }) {
            return "With --tcp bytes are passed on as they are: write --to ADDRESS:PORT, without http:// or https://."
        }
        if let healthPath, !healthPath.hasPrefix("/") { return "--health is a path, as in /health." }
        return nil
    }
}

/// An address and a port as command lines have them.
private enum HostAndPort {
    /// Reads `host:port`, `[host]:port`, `:port` or `port`. The host, without brackets, is not looked at.
    static func read(_ text: Substring) -> (host: Substring?, port: Int)? {
        guard let colon = text.lastIndex(of: ":") else { return port(text).map { (nil, $0) } }
        guard let port = port(text[text.index(after: colon)...]) else { return nil }
        let host = text[..<colon]
        if host.isEmpty { return (nil, port) }
        if host.first == "[", host.last == "]", host.count > 2 { return (host.dropFirst().dropLast(), port) }
        return host.contains(":") ? nil : (host, port)
    }

    private static func port(_ text: Substring) -> Int? {
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(text) else { return nil }
        return (1...65535).contains(port) ? port : nil
    }

    /// The address that a host stands for: itself, or that of `localhost`. Source: RFC 6761 §6.3.
    static func address(_ host: Substring) -> String? {
        host == "localhost" ? "127.0.0.1" : IPAddress(String(host))?.description
    }
}

extension ProxyConfiguration {
    /// The file to begin with: root's keeps its socket and state where a service does, another user's in the folder of
    /// this process, unless its path is too long for a socket. Errors: `StartError` for what a configuration may not
    /// have, such as a target that is named twice.
    public func fileText() throws(StartError) -> String {
        let folder = FileManager.default.currentDirectoryPath
        let isLong = "\(folder)/admin.sock".utf8.count > Model.Limits.socketPathBytesMax
        let text = text(for: SystemUser.isRoot || isLong ? .service : .file(in: folder))
        try check(text)
        return text
    }

    /// Serves until the process is told to stop. Calls `began` with the configuration once it is sure that it will
    /// serve. Nothing is left behind. Returns the exit status. Errors: `StartError`, without places in a file.
    public func serve(began: (String) -> Void) throws(StartError) -> Int32 {
        // Blocks the signals first, so that the folder is removed whenever one comes.
        let signals = Signals()
        signals.blockTermination()
        defer { Log.lines.stop() }
        let folder = try ScratchFolder(named: "apus-proxy")
        defer { folder.remove() }
        let text = text(for: .run(in: folder.path))
        try check(text)
        let file = try folder.write(text, to: "apus.yaml")
        let service: Service
        do throws(StartError) {
            service = try Service(file: file, discardingChanges: false, logger: Log.logger) { began(text) }
        } catch {
            throw error.withoutPlaces
        }
        service.endsAtHangup = true
        return service.run(signals)
    }

    private func check(_ text: String) throws(StartError) {
        do throws(ConfigErrors) {
            _ = try Document.load(yaml: text, file: "")
        } catch {
            throw StartError.configuration(error).withoutPlaces
        }
    }
}

extension StartError {
    /// The same about a configuration that its user has not seen.
    fileprivate var withoutPlaces: StartError {
        guard case .configuration(let errors) = self else { return self }
        return .configuration(
            ConfigErrors(
                errors.all.map { error in
                    ConfigError(expected: error.expected, found: error.found, remedy: error.remedy, code: error.code)
                }))
    }
}
