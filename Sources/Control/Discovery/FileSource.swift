import Core
import Model

/// Targets that a file lists: it is read at the start, whenever it may have changed, and now and then in any case,
/// since not every file system tells of changes.
///
/// Shape: one object of the control thread. The file is read by a thread that may wait for a disk.
final class FileSource: DiscoverySource, PollHandler {
    let kind = "file"
    let place: String
    private(set) var record = SourceRecord()
    private let loop: ControlLoop
    private let disk: DiskThread
    private weak var observer: (any DiscoveryObserver)?
    private var folders: FolderWatch?
    private var token = Token.none
    private var isReading = false
    /// Whether the file has changed while it was read.
    private var isStale = false

    /// The file of `settings`, whose relative paths begin in `folder`; read by `disk`.
    init(_ settings: FileDiscovery, folder: String, loop: ControlLoop, disk: DiskThread) {
        place = settings.path.hasPrefix("/") ? settings.path : "\(folder)/\(settings.path)"
        self.loop = loop
        self.disk = disk
    }

    func start(_ observer: any DiscoveryObserver, now: Instant) {
        self.observer = observer
        // Without notice of changes it is read now and then all the same.
        folders = try? FolderWatch()
        token = loop.add(self, descriptor: folders?.descriptor, interest: .readable)
        read()
    }

    func stop() {
        observer = nil
        loop.remove(token)
        token = .none
        folders = nil
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        if folders?.takeEvents() == true { read() }
    }

    func timerFired(now: Instant) { read() }

    private func read() {
        guard !isReading else {
            isStale = true
            return
        }
        isReading = true
        isStale = false
        let (path, folders) = (place, folders)
        disk.run(within: Limits.fileTimeout, { Self.read(path, folders) }) { [weak self] result in
            self?.take(result ?? .failure(ChangeQueue.filesAreLate))
        }
    }

    private static func read(_ path: String, _ folders: FolderWatch?) -> Result<FoundTargets, ConfigErrors> {
        let contents = FileContents(reading: [path], watching: folders, forgettingOthers: true)
        do throws(SystemError) { return FoundTargets.read(try contents.content(path), file: path) } catch {
            return .failure(
                ConfigErrors(
                    ConfigError(
                        file: path, expected: "the list of targets must be a file that can be read",
                        found: error.reason, remedy: "Check the path and its permissions.")))
        }
    }

    private func take(_ result: Result<FoundTargets, ConfigErrors>) {
        isReading = false
        guard let observer else { return }
        switch result {
        case .success(let found): record.heard(found)
        case .failure(let error): record.failed("\(error.first)", now: loop.now)
        }
        loop.schedule(token, at: loop.now + Limits.discoveryLookTime)
        observer.changed(self)
        if isStale { read() }
    }
}
