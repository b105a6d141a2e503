import Core
import FoundationEssentials
import Model

/// What the host refuses a document: folders of logs, the admin sockets, the ports of listeners and of
/// `admin.metrics`, a user, logs. `run` asks before it opens anything, and `check` asks the same, so that both say the
/// same.
///
/// What can only be known by trying is tried and undone: nothing is left behind.
struct HostCheck {
    /// What is to be served, changes made at run time included.
    let document: Document
    /// Where its file has what.
    let places: DocumentPlaces
    /// Set where another Apus may be the one that has what is in use: that is no mistake then.
    var mayBeInUse = false
    /// Sockets that a service manager has opened for this process.
    var passedSockets: [PassedSocket] = []
    /// What an Apus serves that has the same admin socket and answers; only what differs from it is looked at.
    var running: Document?

    /// What stands against a start by this user, before it becomes `runtime.user`; the state aside, which a start has
    /// by then.
    func mistakesOfStarter() -> [ConfigError] {
        var mistakes: [ConfigError] = []
        for socket in socketsToTry {
            do throws(AdminError) { try tryListening(at: socket) } catch {
                let place =
                    socket.isReadOnly
                    ? places.setting("admin", "readOnlySocket", "path") : places.setting("admin", "socket")
                mistakes.append(place.mistake(error.message, remedy: error.remedy))
            }
        }
        if running == nil {
            let sockets = ListenerSockets(workerCount: 0, passed: passedSockets)
            mistakes += sockets.mistakes(for: document, places, mayBeInUse: mayBeInUse)
            if let metrics = document.admin.metrics {
                mistakes += MetricsListener.mistakes(of: metrics, places, mayBeInUse: mayBeInUse)
            }
        }
        if let name = document.runtime.user, SystemUser.isRoot, SystemUser(named: name) == nil {
            mistakes.append(places.setting("runtime", "user").mistake(Self.unknownUser(name), remedy: Self.makeTheUser))
        }
        return mistakes + logs.compactMap(mistakeOfFolder)
    }

    /// What stands against a start once this process is the user that it stays.
    func mistakesOfUser() -> [ConfigError] {
        logs.compactMap { log in
            // One that is missing is made, if it can be: that was looked at before.
            guard FileManager.default.fileExists(atPath: Folder.containing(log.path)) else { return nil }
            do throws(SystemError) {
                try FileDescriptor.tryAppending(log.path)
                return nil
            } catch {
                let refusal = Self.cannotOpen(log.key, error)
                return places.setting("logs", log.name, "path").mistake(refusal.message, remedy: refusal.remedy)
            }
        }
    }

    /// What could not be checked, and what a start would bring about, in sentences. To be asked before this process
    /// becomes `runtime.user`.
    var notes: [String] {
        var notes: [String] = []
        if let name = document.runtime.user, !SystemUser.isRoot {
            notes.append(
                "runtime.user has no effect on what user \(SystemUser.currentName) starts."
                    + (SystemUser(named: name) == nil ? " Started as root, it would be refused: no user \(name)." : ""))
        }
        if !SystemUser.isRoot {
            notes.append(
                "This is what apus run would say to user \(SystemUser.currentName). Whom root or a service manager"
                    + " starts may have other rights: ports below 1024, folders, keys.")
        }
        for socket in socketsToTry where (try? tryListening(at: socket)) != nil {
            notes += noteOfMissingFolder(of: socket.path, socket.key)
        }
        for log in logs where mistakeOfFolder(log) == nil {
            notes += noteOfMissingFolder(of: log.path, "\(log.key).path")
        }
        return notes
    }

    /// Says that a start makes the folder in which `path` lies, as it can: that was tried.
    private func noteOfMissingFolder(of path: String, _ key: String) -> [String] {
        let folder = Folder.containing(path)
        if FileManager.default.fileExists(atPath: folder) { return [] }
        return ["The folder \(folder) is missing: apus run makes it, for \(key)."]
    }

    /// The admin sockets, but for those of an Apus that answers.
    private var socketsToTry: [AdminSockets.Wanted] {
        let known = running.map { [$0.admin.socket, $0.admin.readOnlySocket?.path] } ?? []
        let accounts = AdminAccounts(lookingUp: document.admin)
        return AdminSockets.wanted(by: document.admin, accounts).filter { !known.contains($0.path) }
    }

    private func tryListening(at socket: AdminSockets.Wanted) throws(AdminError) {
        try AdminServer.tryListening(at: socket.path, socket.access, mayBeInUse: mayBeInUse)
    }

    // MARK: Logs

    /// A log that is a file.
    typealias Log = (key: String, name: String, path: String)

    /// The logs of `document` that are files.
    static func logs(of document: Document) -> [Log] {
        let logs = document.logs
        return [("access", logs.access), ("connection", logs.connection), ("health", logs.health)].compactMap {
            name, log in
            guard case .file(let path) = log.destination else { return nil }
            return ("logs.\(name)", name, path)
        }
    }

    private var logs: [Log] {
        let known = running.map { Self.logs(of: $0).map(\.path) } ?? []
        return Self.logs(of: document).filter { !known.contains($0.path) }
    }

    private func mistakeOfFolder(_ log: Log) -> ConfigError? {
        do throws(SystemError) {
            Folder.remove(try Self.makeFolder(of: log))
            return nil
        } catch {
            return places.setting("logs", log.name, "path").mistake(
                "The folder of \(log.key).path is missing and cannot be made: \(error).",
                remedy: "Make it, writable for this user, or choose another \(log.key).path.")
        }
    }

    /// Makes the folder of a log, if only that is missing. Returns what was made.
    static func makeFolder(of log: Log) throws(SystemError) -> [String] {
        try Folder.make(Folder.containing(log.path), mode: 0o750)
    }

    /// The refusal of a log, in two sentences.
    static func cannotOpen(_ key: String, _ error: SystemError) -> (message: String, remedy: String) {
        (
            "The log \(key) cannot be opened: \(error).",
            "Make its folder writable for this user, or choose another \(key).path."
        )
    }

    // MARK: The user

    /// The refusal of `runtime.user`.
    static func unknownUser(_ name: String) -> String { "runtime.user is \(name), and this system has no such user." }
    /// What to do about it.
    static let makeTheUser = "Make the user, or name one that is in /etc/passwd."
}
