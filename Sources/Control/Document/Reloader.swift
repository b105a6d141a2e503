import Core
import Logging
import Model

/// What a reload did.
struct ReloadReport: Equatable, Sendable {
    /// The generation that is now in force.
    let generation: UInt64
    /// What is different, in sentences.
    let changes: [String]
    /// Changes made at run time that do not fit the new file; they are kept, and tried again at the next reload.
    let changesNotApplied: [String]
    /// Objects of the file that changes at run time override.
    var overrides: [Override] = []
    /// Keys of the file that differ and take effect at the next start only.
    let needsRestart: [String]
    /// Where the changes made at run time were put that it discarded; nil when it discarded none.
    var putAside: String?
}

/// Told of the beginning and the end of reloads.
protocol ReloadObserver: AnyObject {
    /// The file is going to be read.
    func reloadBegan()
    /// It is in force, or was refused.
    func reloadEnded(wasRefused: Bool)
}

/// What routes of the admin socket need of `Reloader`.
protocol ReloadActions: AnyObject {
    /// See `Reloader.reload`.
    func reload(
        discardingChanges: Bool, if condition: GenerationCondition?,
        completion: @escaping (Result<ReloadReport, ConfigErrors>) -> Void)
    /// See `Reloader.check`.
    func check(_ content: [UInt8], file: String, folder: String?, completion: @escaping (ReloadCheck) -> Void)
}

/// Reads the configuration file again, in turn with the changes, and says what a reload of another file would do.
///
/// The files' thread reads and parses; a bad file, a port that cannot be had or a disk that refuses changes nothing.
///
/// Shape: one object of the control thread. Completions are called on it, at the end of the pass at the earliest.
final class Reloader: ReloadActions {
    /// A reload that was asked for.
    private struct Request: QueuedWork {
        let reloader: Reloader
        /// Whether what was changed at run time is put aside.
        let discardsChanges: Bool
        /// What must be in force for it to be done; nil for anything.
        let condition: GenerationCondition?
        /// Told the outcome.
        let completion: (Result<ReloadReport, ConfigErrors>) -> Void

        func begin() { reloader.begin(self) }
        func refuse() { reloader.refuse(self, ChangeQueue.stopping) }
    }

    private let loop: ControlLoop
    private let store: DocumentStore
    private let preparation: Preparation
    private let publication: Publication
    private let queue: ChangeQueue
    private let ticketKeys: TicketKeys
    private let warnings: CertificateWarnings
    private let files: DiskThread
    private let events: EventLog
    private let logger: Logger
    /// Told of reloads.
    weak var observer: (any ReloadObserver)?
    /// Reloads that succeeded.
    private(set) var reloadsCount: UInt64 = 0
    /// Reloads that a bad file, or the disk, refused.
    private(set) var refusedCount: UInt64 = 0

    /// Nothing was reloaded yet. The file is read by `files`, in turn with what is in `queue`.
    init(
        _ store: DocumentStore, _ preparation: Preparation, _ publication: Publication, _ queue: ChangeQueue,
        _ ticketKeys: TicketKeys, _ warnings: CertificateWarnings, files: DiskThread, loop: ControlLoop,
        events: EventLog, logger: Logger
    ) {
        self.loop = loop
        self.store = store
        self.preparation = preparation
        self.publication = publication
        self.queue = queue
        self.ticketKeys = ticketKeys
        self.warnings = warnings
        self.files = files
        self.events = events
        self.logger = logger
    }

    /// Reads the file again and puts it in force, with what was changed at run time on top of it unless that is
    /// discarded. A bad file, a port that cannot be had or a disk that refuses changes nothing.
    /// With `condition` it is done only if that holds when its turn has come.
    func reload(
        discardingChanges: Bool, if condition: GenerationCondition? = nil,
        completion: @escaping (Result<ReloadReport, ConfigErrors>) -> Void
    ) {
        let request = Request(
            reloader: self, discardsChanges: discardingChanges, condition: condition, completion: completion)
        if queue.isStopping { return loop.afterBatch { [self] in refuse(request, ChangeQueue.stopping) } }
        queue.take(.work(request))
    }

    /// Reads the file; then the files that it names; then makes durable what they say.
    private func begin(_ request: Request) {
        if let mistake = request.condition?.mistake(inForce: publication.generation) { return refuse(request, mistake) }
        observer?.reloadBegan()
        queue.isAtDisk = true
        let file = store.file
        files.run(within: Limits.fileTimeout, { Document.tryReading(file) }) { [self] result in
            attempt(request) { () throws(ConfigErrors) in
                guard let result else { throw ChangeQueue.filesAreLate }
                let (base, places, accounts) = try result.get()
                let needsRestart = store.stageReload(base, places, discardingChanges: request.discardsChanges)
                let paths = preparation.certificates.files(for: store.effective, onlyNew: false)
                queue.read(paths) { [self] files in
                    attempt(request) { () throws(ConfigErrors) in
                        guard let files else { throw ChangeQueue.filesAreLate }
                        try preparation.prepareReload(files, accounts)
                        commit(request, needsRestart)
                    }
                }
            }
        }
    }

    /// Continues a reload; an error that is thrown refuses it.
    private func attempt(_ request: Request, _ step: () throws(ConfigErrors) -> Void) {
        do throws(ConfigErrors) {
            if queue.isStopping { throw ChangeQueue.stopping }
            try step()
        } catch {
            queue.isAtDisk = false
            queue.abandonStaged()
            refuse(request, error)
            observer?.reloadEnded(wasRefused: true)
            queue.proceed()
        }
    }

    private func commit(_ request: Request, _ needsRestart: [String]) {
        guard let write = store.writeOfStaged() else { return finish(request, needsRestart, putAside: nil) }
        queue.perform(write) { [self] result in
            switch result {
            case .success(let putAside): finish(request, needsRestart, putAside: putAside)
            case .failure(let error): attempt(request) { () throws(ConfigErrors) in throw diskRefuses(error) }
            }
        }
    }

    private func diskRefuses(_ error: SystemError) -> ConfigErrors {
        ConfigErrors(
            ConfigError(
                file: store.state.path, expected: "the state must be written", found: "\(error)",
                remedy: "Make room on the disk that holds runtime.stateDirectory, then try again."))
    }

    private func refuse(_ request: Request, _ error: ConfigErrors) {
        refusedCount += 1
        logger.error("the configuration was not reloaded: the running one stays", metadata: ["error": "\(error)"])
        request.completion(.failure(error))
    }

    private func finish(_ request: Request, _ needsRestart: [String], putAside: String?) {
        queue.isAtDisk = false
        reloadsCount += 1
        let before = store.committedDocument
        store.commitStaged()
        let changes = before.differences(to: store.committedDocument)
        preparation.access.commit()
        let hasNewCertificates = preparation.certificates.commit()
        if queue.isStopping {
            preparation.abandon()
        } else if store.committedDocument != before || hasNewCertificates {
            publication.publish(deregistered: [:])
            preparation.metrics.commit(store.committedDocument)
        }
        warnings.log()
        store.logWarnings(logger)
        ticketKeys.setInterval(Nanoseconds(seconds: store.committedDocument.runtime.ticketKeyRotationSeconds))
        let report = ReloadReport(
            generation: publication.generation, changes: changes, changesNotApplied: store.notApplied,
            overrides: store.overrides, needsRestart: needsRestart,
            putAside: putAside)
        events.post(.configurationReloaded(generation: publication.generation, changes: changes))
        tell(report)
        observer?.reloadEnded(wasRefused: false)
        request.completion(.success(report))
        queue.proceed()
    }

    private func tell(_ report: ReloadReport) {
        logger.notice(
            "the configuration was reloaded",
            metadata: [
                "file": "\(store.file)", "generation": "\(report.generation)", "changes": "\(report.changes.count)",
            ])
        if let putAside = report.putAside {
            logger.notice("the changes made at run time are put aside", metadata: ["file": "\(putAside)"])
        }
        for sentence in report.changesNotApplied {
            logger.warning(
                "a change made at run time does not fit the file and is kept aside",
                metadata: [
                    "reason": "\(sentence)"
                ])
        }
        for override in report.overrides.filter(\.isEdited).prefix(Limits.overridesToldMax) {
            logger.warning(
                "what was edited in the file is hidden by a change made at run time",
                metadata: [
                    "object": "\(override.object)", "inForce": "\(override.change)", "since": "\(override.since)",
                    "remedy":
                        "Make the same change at run time, or put all of them aside: apus reload --discard-changes.",
                ])
        }
        for key in report.needsRestart {
            logger.warning("a setting takes effect at the next start only", metadata: ["key": "\(key)"])
        }
    }

    // MARK: What a reload would say

    /// Finds out what a reload of a file called `file` would say that holds `content`, and whose relative paths begin
    /// in `folder`; nothing is changed.
    func check(
        _ content: [UInt8], file: String, folder: String?, completion: @escaping (ReloadCheck) -> Void
    ) {
        files.run(within: Limits.fileTimeout, { Document.tryParsing(content, file: file) }) { [self] result in
            let (base, places, accounts): (Document, DocumentPlaces, AdminAccounts)
            do throws(ConfigErrors) {
                guard let result else { throw ChangeQueue.filesAreLate }
                (base, places, accounts) = try result.get()
            } catch { return completion(ReloadCheck(mistakes: error.all)) }
            let (document, notApplied, overrides, needsRestart) = store.asReloaded(base)
            let start = (folder ?? CertificateStore.folder(of: store.file)) + "/"
            // A store of its own, so that certificates can be looked at on the files' thread.
            files.run(within: Limits.fileTimeout, { CertificateStore.findings(document, places, start) }) {
                [self] certificates in
                guard let certificates else { return completion(ReloadCheck(mistakes: ChangeQueue.filesAreLate.all)) }
                var check = ReloadCheck(
                    mistakes: certificates.mistakes + accounts.mistakes + preparation.mistakes(of: document, places))
                check.summary = document.summary
                check.warnings = certificates.warnings + document.warnings().map { Warning($0, places) }
                check.changesNotApplied = notApplied
                check.overridden = overrides.map(\.value)
                check.needsRestart = needsRestart
                check.notes = [document.noteOnWordsWithoutEffect].compactMap(\.self)
                completion(check)
            }
        }
    }
}

extension Document {
    /// A document, the places of its parts, and the users and groups that it names.
    fileprivate typealias LookedUp = (Document, DocumentPlaces, AdminAccounts)

    /// Reads a configuration and looks up the names in it, as a value that another thread can hand over.
    fileprivate static func tryParsing(_ content: [UInt8], file: String) -> Result<LookedUp, ConfigErrors> {
        do throws(ConfigErrors) { return .success(lookingUp(try parse(content, file: file))) } catch {
            return .failure(error)
        }
    }

    /// Reads the file at `path` and looks up the names in it, as a value that another thread can hand over.
    fileprivate static func tryReading(_ path: String) -> Result<LookedUp, ConfigErrors> {
        do throws(ConfigErrors) { return .success(lookingUp(try readWithPlaces(path))) } catch {
            return .failure(error)
        }
    }

    private static func lookingUp(_ read: (Document, DocumentPlaces)) -> LookedUp {
        (read.0, read.1, AdminAccounts(lookingUp: read.0.admin, read.1))
    }
}
