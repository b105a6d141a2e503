import Core
import FoundationEssentials
import Logging
import Model
import TLS

/// What the files that a document names hold: certificates with their keys, trust stores, roots, and secrets that
/// sources of targets are asked with.
///
/// Files are read before a document is put in force; what cannot be used refuses it. While they are in force they are
/// read again whenever their folders change. A file that is not good then, as one half written, changes nothing.
///
/// Shape: one object of the control thread, which does not read files itself (`FileContents`). What did not change
///        stays the same object, so that the state that belongs to it is kept.
final class CertificateStore {
    /// What was read, by what it was read for.
    struct Content {
        fileprivate var certificates: [CertificateFiles: (bytes: [[UInt8]], certificate: TLSCertificate)] = [:]
        fileprivate var trustStores: [MutualAuthentication: (bytes: [[UInt8]], store: TLSTrustStore)] = [:]
        fileprivate var roots: [String: [UInt8]] = [:]
        /// As they stand in header fields.
        fileprivate var secrets: [SecretReference: [UInt8]] = [:]

        /// The certificates with their files, sorted by these.
        fileprivate var sortedCertificates: [(files: CertificateFiles, certificate: TLSCertificate)] {
            certificates.map { ($0, $1.certificate) }.sorted { $0.files.certificateFile < $1.files.certificateFile }
        }

        /// What is wrong with it, though it can be used, by the file.
        var warnings: [CertificateWarning] { sortedCertificates.flatMap(CertificateWarning.all) }
    }

    /// Where secrets are. Relative paths begin in the configuration file's folder.
    private let sources: SecretSources
    /// Whether secrets that were not passed to this process may be passed to the service: then they are warned of.
    private var mayBePassedLater = false
    private var warningsOfSecrets: [Warning] = []
    private var content = Content()
    private var prepared: Content?
    /// Grows with every change of what is in force.
    private(set) var version: UInt64 = 0
    /// Grows with every change of the secrets in force that sources are asked with.
    private(set) var secretsVersion: UInt64 = 0

    /// Nothing was read. `sources` are those of this process unless they are given.
    init(configurationFile: String, sources: SecretSources? = nil) {
        self.sources = sources ?? SecretSources(folder: Self.folder(of: configurationFile))
    }

    /// Where relative paths in a configuration file begin: its folder; for a pipe, this process's.
    static func folder(of configurationFile: String) -> String {
        if configurationFile == "/dev/stdin" || configurationFile.hasPrefix("/dev/fd/") {
            return FileManager.default.currentDirectoryPath
        }
        if configurationFile.hasSuffix("/") { return String(configurationFile.dropLast()) }
        return URL(fileURLWithPath: configurationFile).deletingLastPathComponent().path
    }

    /// The paths of the files that `document` needs: all of them, or with `onlyNew` those that are not in force yet.
    func files(for document: Document, onlyNew: Bool) -> Set<String> {
        var names: Set<String> = []
        var secrets: [SecretReference] = []
        for listener in document.loadBalancers.flatMap(\.listeners) where listener.protocol.hasTLS {
            for files in listener.certificates where !onlyNew || content.certificates[files] == nil {
                names.formUnion([files.certificateFile, files.stapledFile])
                secrets.append(files.keySource)
            }
            if let authentication = listener.mutualAuthentication, authentication.mode == .verify,
                !onlyNew || content.trustStores[authentication] == nil
            {
                names.formUnion(authentication.crlFiles + [authentication.trustStoreFile].compactMap(\.self))
            }
        }
        for file in document.targetGroups.compactMap(\.rootsFile) where !onlyNew || content.roots[file] == nil {
            names.insert(file)
        }
        secrets += document.targetGroups.flatMap { $0.discovery?.http?.secrets ?? [] }.filter {
            !onlyNew || content.secrets[$0] == nil
        }
        return Set(names.map(sources.path)).union(secrets.compactMap(sources.path(of:)))
    }

    /// Makes what `document` needs of what `files` hold: all of it, or with `onlyNew` what is not in force yet.
    ///
    /// Errors: `ConfigErrors` with one mistake for each file that cannot be used.
    func read(
        for document: Document, onlyNew: Bool, from files: FileContents, _ places: DocumentPlaces = DocumentPlaces()
    ) throws(ConfigErrors) -> Content {
        let (content, mistakes) = tryRead(for: document, onlyNew: onlyNew, files, places)
        guard mistakes.isEmpty else { throw ConfigErrors(mistakes) }
        return content
    }

    /// The same, with every mistake beside what could be made.
    func tryReading(
        for document: Document, from files: FileContents, _ places: DocumentPlaces
    ) -> (content: Content, mistakes: [ConfigError]) {
        tryRead(for: document, onlyNew: false, files, places)
    }

    /// What is wrong with the files of `document`, and what to know about them: they are read for this alone. `start`
    /// is the configuration file, or its folder with a slash behind. With `mayBePassedLater` a secret that was not
    /// passed to this process is no mistake, as it may be passed to the service.
    static func findings(
        _ document: Document, _ places: DocumentPlaces, _ start: String, mayBePassedLater: Bool = false
    ) -> (mistakes: [ConfigError], warnings: [Warning]) {
        let store = CertificateStore(configurationFile: start)
        store.mayBePassedLater = mayBePassedLater
        let files = FileContents(reading: store.files(for: document, onlyNew: false))
        let (content, mistakes) = store.tryReading(for: document, from: files, places)
        return (mistakes, content.warnings.map(Warning.init) + store.warningsOfSecrets)
    }

    /// Has `content` put in force with the next `commit`, instead of what was prepared before.
    func prepare(_ content: Content) { prepared = content }

    /// Prepares all that `document` needs again, from what `files` hold now. What cannot be used stays as it is in
    /// force; each such file's mistake is returned.
    func prepareAgain(for document: Document, from files: FileContents) -> [ConfigError] {
        var (next, mistakes) = tryRead(for: document, onlyNew: false, files, DocumentPlaces())
        next.certificates.merge(content.certificates) { new, _ in new }
        next.trustStores.merge(content.trustStores) { new, _ in new }
        next.roots.merge(content.roots) { new, _ in new }
        next.secrets.merge(content.secrets) { new, _ in new }
        prepared = next
        return mistakes
    }

    private func tryRead(
        for document: Document, onlyNew: Bool, _ contents: FileContents, _ places: DocumentPlaces
    ) -> (content: Content, mistakes: [ConfigError]) {
        var next = Content()
        var mistakes: [ConfigError] = []
        let now = Int(WallClock.now() / 1_000_000_000)
        for loadBalancer in document.loadBalancers {
            for listener in loadBalancer.listeners where listener.protocol.hasTLS {
                let place = places.listener(loadBalancer.name, listener.port)
                for (index, files) in listener.certificates.enumerated() where next.certificates[files] == nil {
                    let place = place.key("certificates").index(index)
                    read(files, contents, into: &next, onlyNew: onlyNew, now: now, place, &mistakes)
                }
                check(listener.policy, place.key("sslPolicy"), &mistakes)
                if let authentication = listener.mutualAuthentication, authentication.mode == .verify {
                    read(
                        authentication, contents, into: &next, onlyNew: onlyNew, place.key("mutualAuthentication"),
                        &mistakes)
                }
            }
        }
        for group in document.targetGroups where group.protocol.hasTLS {
            read(rootsOf: group, contents, into: &next, onlyNew: onlyNew, places.group(group.name), &mistakes)
        }
        for group in document.targetGroups {
            guard let http = group.discovery?.http else { continue }
            let place = places.group(group.name).key("discovery").key("http")
            for secret in http.namedSecrets where next.secrets[secret.reference] == nil {
                read(
                    secret, contents, into: &next, onlyNew: onlyNew, secret.keys.reduce(place) { $0.key($1) }, &mistakes
                )
            }
        }
        return (next, mistakes)
    }

    /// Puts in force what was prepared. Returns whether anything is different.
    @discardableResult func commit() -> Bool {
        guard let prepared else { return false }
        self.prepared = nil
        let isSame =
            prepared.certificates.count == content.certificates.count
            && prepared.certificates.allSatisfy { content.certificates[$0]?.certificate === $1.certificate }
            && prepared.trustStores.count == content.trustStores.count
            && prepared.trustStores.allSatisfy { content.trustStores[$0]?.store === $1.store }
            && prepared.roots == content.roots
        if prepared.secrets != content.secrets { secretsVersion += 1 }
        content = prepared
        if !isSame { version += 1 }
        return !isSame
    }

    /// Forgets what was prepared.
    func abandonPrepared() { prepared = nil }

    // MARK: What is in force

    /// What a listener does about TLS; nil for one without.
    func configuration(of listener: Listener, _ attributes: LoadBalancerAttributes) -> TLSServerConfiguration? {
        guard listener.protocol.hasTLS else { return nil }
        let authentication: TLSServerConfiguration.ClientAuthentication =
            switch listener.mutualAuthentication?.mode {
            case nil, .off: .off
            case .passthrough: .passthrough
            case .verify: .verify(trustStore(of: listener))
            }
        var configuration = TLSServerConfiguration(
            certificates: listener.certificates.map { files in
                guard let read = content.certificates[files] else {
                    preconditionFailure("certificates: \(files.certificateFile) is in force and was not read")
                }
                return read.certificate
            },
            policy: listener.policy, clientAuthentication: authentication,
            applicationProtocols: listener.applicationProtocols(http2: attributes.http2))
        configuration.keepsOfferedProtocols = listener.protocol == .tls
        // What is spoken inside is the target's affair there, so an unknown protocol is no reason to refuse. Source:
        // docs/elbv2.md, "Flows".
        configuration.requiresSharedProtocol = listener.protocol != .tls
        return configuration
    }

    private func trustStore(of listener: Listener) -> TLSTrustStore {
        guard let read = listener.mutualAuthentication.flatMap({ content.trustStores[$0] }) else {
            preconditionFailure("certificates: the trust store of port \(listener.port) is in force and was not read")
        }
        return read.store
    }

    /// How connections to a group's targets are made secure; nil if they are not.
    func targetTLS(of group: TargetGroup) -> (verification: TLSClientContext.Verification, serverName: String)? {
        guard group.protocol.hasTLS else { return nil }
        let verification: TLSClientContext.Verification =
            switch group.attributes.targetTLSVerify {
            case "off": .off
            case "system": .systemRoots
            case let path: .roots(roots(path))
            }
        return (verification, group.attributes.targetTLSServerName)
    }

    private func roots(_ file: String) -> [UInt8] {
        guard let roots = content.roots[file] else {
            preconditionFailure("certificates: the roots \(file) are in force and were not read")
        }
        return roots
    }

    /// The certificates in force with their files, sorted by these.
    var certificates: [(file: String, certificate: TLSCertificate)] {
        content.sortedCertificates.map { ($0.files.certificateFile, $0.certificate) }
    }

    /// What is wrong with what is in force, though it can be used.
    var warnings: [CertificateWarning] { content.warnings }

    // MARK: Reading

    private func bytes(_ file: String, _ contents: FileContents) throws(TLSMaterialError) -> [UInt8] {
        do throws(SystemError) { return try contents.content(sources.path(file)) } catch {
            throw TLSMaterialError(
                "It cannot be read (\(error.reason)).", remedy: "Check the path, and that runtime.user may read it.")
        }
    }

    private func read(
        _ files: CertificateFiles, _ contents: FileContents, into next: inout Content, onlyNew: Bool, now: Int,
        _ place: DocumentPlaces.Place, _ mistakes: inout [ConfigError]
    ) {
        let known = content.certificates[files]
        if onlyNew, let known { return next.certificates[files] = known }
        let certificateFault = (key: "certificateFile", file: files.certificateFile)
        let keyFault = (
            key: files.privateKey == nil ? "privateKeyFile" : "privateKey", file: "\(files.keySource)"
        )
        var fault = certificateFault
        do throws(TLSMaterialError) {
            let chain = try bytes(files.certificateFile, contents)
            fault = keyFault
            let privateKey: [UInt8]
            do throws(SecretSources.Failure) {
                privateKey = try sources.content(of: files.keySource, contents)
            } catch {
                return report(error, of: keyFault.file, as: keyFault.key, place.key(keyFault.key), &mistakes)
            }
            fault = (certificateFault.key, files.stapledFile)
            let isStapled = contents.isThere(sources.path(files.stapledFile))
            let response = isStapled ? try bytes(files.stapledFile, contents) : []
            let all = [chain, privateKey, response]
            fault = certificateFault
            if let known, known.bytes == all, known.certificate.isGood(at: now) {
                return next.certificates[files] = known
            }
            let certificate = try TLSCertificate(
                chain: chain, privateKey: privateKey,
                name: URL(fileURLWithPath: files.certificateFile).lastPathComponent,
                ocspResponse: isStapled ? response : nil, now: now)
            next.certificates[files] = (all, certificate)
        } catch {
            if error.part == .privateKey { fault = keyFault }
            mistakes.append(place.key(fault.key).cannotUse(fault.file, error, as: fault.key))
        }
    }

    private func read(
        _ secret: HTTPDiscovery.NamedSecret, _ contents: FileContents, into next: inout Content, onlyNew: Bool,
        _ place: DocumentPlaces.Place, _ mistakes: inout [ConfigError]
    ) {
        if onlyNew, let known = content.secrets[secret.reference] { return next.secrets[secret.reference] = known }
        do throws(SecretSources.Failure) {
            next.secrets[secret.reference] = try SecretSources.fieldValue(
                try sources.content(of: secret.reference, contents), isToken: secret.isToken)
        } catch {
            report(error, of: "\(secret.reference)", as: secret.keys.last ?? "", place, &mistakes)
        }
    }

    /// Notes why the secret `name` cannot be had for `key`.
    private func report(
        _ failure: SecretSources.Failure, of name: String, as key: String, _ place: DocumentPlaces.Place,
        _ mistakes: inout [ConfigError]
    ) {
        let message = "\(key) \(name) cannot be used: \(failure.problem)"
        if mayBePassedLater, failure.isNotPassed {
            warningsOfSecrets.append(
                Warning(
                    file: place.file, location: place.location,
                    message: "\(message) What starts Apus may pass it.", remedy: failure.remedy))
        } else {
            mistakes.append(place.mistake(message, remedy: failure.remedy))
        }
    }

    /// The header fields with secrets that a URL of targets is asked with.
    func fields(of discovery: HTTPDiscovery) -> [ControlRequest.Field] {
        discovery.namedSecrets.compactMap { secret in
            guard let value = content.secrets[secret.reference] else { return nil }
            return secret.isToken
                ? ControlRequest.Field(name: "Authorization", value: Array("Bearer ".utf8) + value)
                : ControlRequest.Field(name: secret.keys.last ?? "", value: value)
        }
    }

    private func read(
        _ authentication: MutualAuthentication, _ contents: FileContents, into next: inout Content, onlyNew: Bool,
        _ place: DocumentPlaces.Place, _ mistakes: inout [ConfigError]
    ) {
        guard let storeFile = authentication.trustStoreFile else { return }
        let known = content.trustStores[authentication]
        if onlyNew, let known { return next.trustStores[authentication] = known }
        var listIndex: Int?
        do throws(TLSMaterialError) {
            let bundle = try bytes(storeFile, contents)
            var lists: [[UInt8]] = []
            for (index, file) in authentication.crlFiles.enumerated() {
                listIndex = index
                lists.append(try bytes(file, contents))
            }
            listIndex = nil
            if let known, known.bytes == [bundle] + lists { return next.trustStores[authentication] = known }
            let store = try TLSTrustStore(
                caBundle: bundle, crls: lists, ignoresExpiry: authentication.ignoreClientCertificateExpiry,
                advertisesNames: authentication.advertiseTrustStoreCaNames == .on,
                identityFilters: IdentityFilters(authentication.clientCertificateIdentityFilters.map(\.compiled)))
            next.trustStores[authentication] = ([bundle] + lists, store)
        } catch {
            if case .revocationList(let index) = error.part { listIndex = index }
            let fault =
                listIndex.map { index in
                    place.key("crlFiles").index(index).cannotUse(authentication.crlFiles[index], error, as: "crlFiles")
                } ?? place.key("trustStoreFile").cannotUse(storeFile, error, as: "trustStoreFile")
            mistakes.append(fault)
        }
    }

    private func read(
        rootsOf group: TargetGroup, _ contents: FileContents, into next: inout Content, onlyNew: Bool,
        _ place: DocumentPlaces.Place, _ mistakes: inout [ConfigError]
    ) {
        guard let file = group.rootsFile, next.roots[file] == nil else { return }
        if onlyNew, let known = content.roots[file] { return next.roots[file] = known }
        do throws(TLSMaterialError) {
            let roots = try bytes(file, contents)
            _ = try TLSClientContext(verification: .roots(roots), applicationProtocols: [.http1])
            next.roots[file] = roots
        } catch {
            let key = "apus.target_tls.verify"
            mistakes.append(place.key("attributes").key(key).cannotUse(file, error, as: key))
        }
    }

    private func check(_ policy: TLSPolicy, _ place: DocumentPlaces.Place, _ mistakes: inout [ConfigError]) {
        guard let reason = policy.unsupportedReason() else { return }
        mistakes.append(
            ConfigError(
                file: place.file, location: place.location, path: place.path,
                expected: "sslPolicy cannot be used: \(reason.dropLast())",
                remedy: "Choose a policy without PQ in its name, or run with a newer OpenSSL.",
                code: .invalidConfigurationRequest))
    }
}

extension DocumentPlaces.Place {
    /// A file that is named here cannot be used for `key`.
    fileprivate func cannotUse(_ file: String, _ error: TLSMaterialError, as key: String) -> ConfigError {
        ConfigError(
            file: self.file, location: location, path: path,
            expected: "\(key) \(file) cannot be used: \(error.problem.dropLast())", remedy: error.remedy,
            code: .invalidConfigurationRequest)
    }
}

extension TargetGroup {
    /// The file with the roots that its targets' certificates are verified by; nil if there is none.
    fileprivate var rootsFile: String? {
        let verify = attributes.targetTLSVerify
        return `protocol`.hasTLS && verify != "off" && verify != "system" ? verify : nil
    }
}

extension CertificateFiles {
    /// Where the OCSP response to staple is, if there is one.
    var stapledFile: String { certificateFile + ".ocsp" }
}

extension TLSCertificate {
    /// Whether it can be served at `now`, and the OCSP response with it be stapled.
    fileprivate func isGood(at now: Int) -> Bool { notAfter > now && (ocspNotAfter ?? .max) > now }
}

extension ClientCertificateIdentityFilter {
    /// The filter as TLS applies it.
    fileprivate var compiled: IdentityFilters.Filter {
        let part: IdentityFilters.Field =
            switch field {
            case .subjectCN: .commonName
            case .subjectOU: .organizationalUnit
            case .sanDNS: .dnsName
            case .sanURI: .uri
            }
        return IdentityFilters.Filter(part, Array(value.utf8), isPrefix: matchType == .prefix)
    }
}

extension Listener {
    /// What may be spoken inside its TLS, the best first.
    fileprivate func applicationProtocols(http2: Bool) -> [ApplicationProtocol] {
        if `protocol`.kind == .application { return http2 ? [.http2, .http1] : [.http1] }
        return switch alpnPolicy ?? .none {
        case .http1Only: [.http1]
        case .http2Only: [.http2]
        case .http2Optional: [.http1, .http2]
        case .http2Preferred: [.http2, .http1]
        case .none: []
        }
    }

    /// Its security policy in OpenSSL's terms.
    fileprivate var policy: TLSPolicy {
        let policy = sslPolicy ?? .standard
        return TLSPolicy(
            name: policy.name, minimum: TLSVersion.allCases[policy.minimum],
            maximum: TLSVersion.allCases[policy.maximum], ciphers: policy.ciphers,
            ciphersuites: SecurityPolicy.ciphersuites, postQuantumGroups: policy.isPostQuantum)
    }
}

extension HTTPDiscovery {
    /// A secret with the keys that lead to it.
    fileprivate struct NamedSecret {
        let keys: [String]
        let reference: SecretReference
        var isToken: Bool { keys.count == 1 }
    }

    /// Its secrets: the token, and the header fields by their names.
    fileprivate var namedSecrets: [NamedSecret] {
        (token.map { [NamedSecret(keys: ["token"], reference: $0)] } ?? [])
            + headers.sorted { $0.key < $1.key }.map { NamedSecret(keys: ["headers", $0.key], reference: $0.value) }
    }
}
