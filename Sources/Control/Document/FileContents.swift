import Core

/// What some files hold: read at once by a thread that may wait for the disk, looked at by one that may not.
struct FileContents: Sendable {
    private let results: [String: Result<[UInt8], SystemError>]

    /// Reads `paths`. With `folders` the ways to them are watched before that, so that no change of them is missed;
    /// with `forgettingOthers` no others any more.
    init(reading paths: Set<String>, watching folders: FolderWatch? = nil, forgettingOthers: Bool = false) {
        folders?.watch(paths, forgettingOthers: forgettingOthers)
        results = Dictionary(uniqueKeysWithValues: paths.map { ($0, Self.read($0)) })
    }

    private static func read(_ path: String) -> Result<[UInt8], SystemError> {
        do throws(SystemError) { return .success(try readFile(path)) } catch { return .failure(error) }
    }

    /// Whether all of `paths` were read, with whatever result.
    func covers(_ paths: Set<String>) -> Bool { paths.allSatisfy { results[$0] != nil } }

    /// Whether there is anything at `path`, which was read.
    func isThere(_ path: String) -> Bool {
        if case .failure(let error)? = results[path], error.code == SystemError.noSuchFile { return false }
        return true
    }

    /// The content of the file at `path`, which was read. Errors: `SystemError`, as it was refused.
    func content(_ path: String) throws(SystemError) -> [UInt8] {
        guard let result = results[path] else { preconditionFailure("files: \(path) was not read") }
        return try result.get()
    }
}
