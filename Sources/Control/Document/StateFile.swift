import Core
import FoundationEssentials
import Model

/// The file that keeps what was changed at run time: `state.json` in `runtime.stateDirectory`.
///
/// It is always replaced as a whole and synced, so a crash leaves the last content or the one before. A file that
/// cannot be read back was therefore damaged by something else, and holds changes that were acknowledged: to start
/// without them would quietly serve another configuration, so Apus does not start until the operator decides.
///
/// Shape: JSON, as `Changes.encoded()` makes it. One process holds the folder's lock as long as this lives.
struct StateFile: Sendable {
    /// Where it is.
    let path: String
    private let lock: FileLock

    /// Locks the folder, making it if it is not there. `received` is its lock that another process has handed over.
    ///
    /// Errors: `StartError` when another process has it, or the system refuses.
    init(inFolder folder: String, received: FileLock? = nil) throws(StartError) {
        path = Self.path(inFolder: folder)
        try Self.makeFolder(folder)
        if let received {
            lock = received
            return
        }
        do throws(SystemError) {
            lock = try FileLock(folder + "/lock")
        } catch {
            if error.code == SystemError.wouldBlock { throw Self.isInUse(folder) }
            throw Self.cannotBeUsed(error)
        }
    }

    /// The descriptor of the folder's lock, to be handed over to another process; nil once it was given up.
    func shareLock() -> Int32? { lock.share() }

    /// The folder's lock belongs to the process with which it was shared: nothing may be saved any more.
    func giveUpLock() { lock.giveUp() }

    /// Finds out whether `init` would succeed; nothing is left behind. With `mayBeInUse` it does not matter whether
    /// another process has the folder.
    ///
    /// Errors: `StartError`, as `init`'s.
    static func tryFolder(_ folder: String, mayBeInUse: Bool) throws(StartError) {
        let made = try makeFolder(folder)
        defer { Folder.remove(made) }
        do throws(SystemError) {
            if try FileLock.isHeld(folder + "/lock"), !mayBeInUse {
                throw SystemError("lock", code: SystemError.wouldBlock)
            }
        } catch {
            if error.code == SystemError.wouldBlock { throw isInUse(folder) }
            guard error.code == SystemError.noSuchFile else { throw cannotBeUsed(error) }
            do throws(SystemError) { try FileDescriptor.tryAppending(folder + "/lock") } catch {
                throw cannotBeUsed(error)
            }
        }
    }

    @discardableResult private static func makeFolder(_ folder: String) throws(StartError) -> [String] {
        do throws(SystemError) {
            return try Folder.make(folder, mode: 0o750, ancestors: true)
        } catch {
            throw .refused(
                message: "The folder for the state, \(folder), cannot be made: \(error.reason).",
                remedy: "Make it, writable for this user, or choose another runtime.stateDirectory.")
        }
    }

    /// The refusal of a folder that another process has.
    static func isInUse(_ folder: String) -> StartError {
        .refused(
            message: "Another Apus is running and keeps its state in \(folder).",
            remedy: "Stop it first, or give this one another runtime.stateDirectory.")
    }

    private static func cannotBeUsed(_ error: SystemError) -> StartError {
        .refused(
            message: "The folder for the state cannot be used: \(error).",
            remedy: "Make it writable for this user, or choose another runtime.stateDirectory.")
    }

    private static func path(inFolder folder: String) -> String { folder + "/state.json" }

    /// The changes that `save` wrote last; nil when nothing was ever saved.
    ///
    /// Errors: `StartError` when the file is there and cannot be understood. It is left as it is.
    func load() throws(StartError) -> Changes? { try Self.load(path) }

    /// The changes that a state file in `folder` holds, even if another process has locked the folder. Errors: as of
    /// `load`.
    static func saved(inFolder folder: String) throws(StartError) -> Changes? { try load(path(inFolder: folder)) }

    private static func load(_ path: String) throws(StartError) -> Changes? {
        let content: [UInt8]
        do throws(SystemError) {
            content = try readFile(path)
        } catch {
            if error.code == SystemError.noSuchFile { return nil }
            throw damaged(path, "\(error).")
        }
        do throws(ConfigErrors) {
            return try Changes(try Value.parse(json: content, file: path), file: path)
        } catch {
            throw damaged(path, error.first.message)
        }
    }

    /// Makes `changes` what `load` gives, before it returns.
    ///
    /// Errors: `SystemError`; the file is then as it was.
    func save(_ changes: Changes) throws(SystemError) {
        try replaceFile(path, with: Self.bytes(changes))
    }

    private static func bytes(_ changes: Changes) -> [UInt8] { Array((changes.encoded().json() + "\n").utf8) }

    private var nameAside: String { "\(path).discarded-\(WallClock.now() / 1_000_000)" }

    /// Keeps `changes` under a name with the time, beside the file, which stays as it is; and returns that name.
    ///
    /// Errors: `SystemError`; there is no such file then.
    func keepAside(_ changes: Changes) throws(SystemError) -> String {
        let aside = nameAside
        try replaceFile(aside, with: Self.bytes(changes))
        return aside
    }

    /// Puts the file out of the way, under a name with the time, and returns that name; nil when there is none.
    func setAside() throws(StartError) -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let aside = nameAside
        do {
            try FileManager.default.moveItem(atPath: path, toPath: aside)
        } catch {
            throw .refused(
                message: "The state in \(path) cannot be put aside: \(Self.reason(error)).",
                remedy: "Move it away by hand.")
        }
        return aside
    }

    /// Gives the folder and what is in it to the user that the process is going to become.
    func own(by user: SystemUser) throws(SystemError) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let keys = CookieKeyFile(inFolder: folder).path
        for path in [folder, folder + "/lock", path, keys] where FileManager.default.fileExists(atPath: path) {
            try user.own(path)
        }
    }

    /// The kernel's words for what Foundation was refused: its own are long, and name the file once more.
    private static func reason(_ error: any Error) -> String {
        let underlying = (error as? CocoaError)?.underlying as? POSIXError
        return underlying.map { SystemError("", code: $0.code.rawValue).reason } ?? "\(error)"
    }

    /// The refusal to start with changes that cannot be read.
    private static func damaged(_ path: String, _ reason: String) -> StartError {
        .refused(
            message: "The changes made at run time, in \(path), cannot be read: \(reason)",
            remedy: "Put a good copy in its place, or start with --discard-changes, which keeps the file under "
                + "another name and serves the configuration file alone.")
    }
}

/// What makes a change of the document durable. It waits for the disk.
struct StateWrite: Sendable {
    /// Where it is written.
    let state: StateFile
    /// What `StateFile.load` is to give from then on; nil if that stays.
    let changes: Changes?
    /// Changes that are to be kept aside before that.
    let discarded: Changes?

    /// Writes, and returns the name under which changes are kept aside, if there were any.
    ///
    /// Errors: the disk refuses. The file is then as it was.
    func perform() -> Result<String?, SystemError> {
        do throws(SystemError) {
            let aside: String? = if let discarded { try state.keepAside(discarded) } else { nil }
            if let changes { try state.save(changes) }
            return .success(aside)
        } catch {
            return .failure(error)
        }
    }
}
