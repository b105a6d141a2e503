import Model

extension FoundTargets {
    /// Reads a list of instances, as a file or a URL gives it: JSON, named `file` in mistakes. May take a while: it is
    /// called on a thread that may.
    ///
    /// Errors: it is no such list, or none of it can be used. What was heard before then stays.
    static func read(_ bytes: [UInt8], file: String) -> Result<FoundTargets, ConfigErrors> {
        do throws(ConfigErrors) {
            guard bytes.count <= Limits.discoveryBytesMax else { throw tooLong(bytes.count, file) }
            let (instances, mistakes) = try ListedInstance.read(try Value.parse(json: bytes, file: file), file: file)
            let found = FoundTargets(
                targets: instances.map { Discovered.Target($0.target, name: $0.id, identity: $0.id) },
                refusals: mistakes.map { Refusal(name: $0.name, mistake: $0.mistake) })
            if found.isAllRefused, let first = mistakes.first { throw ConfigErrors(first.mistake) }
            return .success(found)
        } catch {
            return .failure(error)
        }
    }

    private static func tooLong(_ count: Int, _ file: String) -> ConfigErrors {
        ConfigErrors(
            ConfigError(
                file: file, expected: "a list of instances must be at most \(Limits.discoveryBytesMax) bytes long",
                found: "\(count)", remedy: "List fewer."))
    }
}
