import Core
import Logging
import Model

/// Reads the files of certificates again when they may have changed on disk, or grown old, and puts in force what is
/// good.
///
/// A disk that does not answer holds up no change: only what was read waits for its turn in the queue.
///
/// Shape: one object of the control thread.
final class CertificateRefresh: CertificateWatchObserver {
    private let watch: CertificateWatch
    private let certificates: CertificateStore
    private let warnings: CertificateWarnings
    private let store: DocumentStore
    private let queue: ChangeQueue
    private let publication: Publication
    private let files: DiskThread
    private let loop: ControlLoop
    private let logger: Logger
    private var isReading = false

    /// Reads whenever `watch` reports a change.
    init(
        _ watch: CertificateWatch, _ certificates: CertificateStore, _ warnings: CertificateWarnings,
        _ store: DocumentStore, _ queue: ChangeQueue, _ publication: Publication, files: DiskThread, loop: ControlLoop,
        logger: Logger
    ) {
        self.watch = watch
        self.certificates = certificates
        self.warnings = warnings
        self.store = store
        self.queue = queue
        self.publication = publication
        self.files = files
        self.loop = loop
        self.logger = logger
        watch.observer = self
    }

    /// Reads the files in force, and puts in force what is good, in turn with the changes.
    func certificateFilesChanged() {
        guard !isReading, !queue.isStopping else { return }
        isReading = true
        let folders = watch.folders
        let paths = certificates.files(for: store.committedDocument, onlyNew: false)
        // What comes to be watched meanwhile is not forgotten for long: `adopt` finds that it was not read, and reads
        // again.
        files.run({ FileContents(reading: paths, watching: folders, forgettingOthers: true) }) { [self] contents in
            isReading = false
            if let contents { queue.take(.work(Adoption(refresh: self, files: contents))) }
        }
    }

    /// Puts in force what `files` hold. What is not good stays as it was.
    private func adopt(_ files: FileContents) {
        if queue.isStopping { return }
        let document = store.committedDocument
        // Meanwhile a change may have brought others.
        guard files.covers(certificates.files(for: document, onlyNew: false)) else { return certificateFilesChanged() }
        let mistakes = certificates.prepareAgain(for: document, from: files)
        if !mistakes.isEmpty {
            logger.warning(
                "changed certificate files are not good: what they held before stays in force",
                metadata: ["error": "\(ConfigErrors(mistakes))"])
        }
        let secretsVersion = certificates.secretsVersion
        let hasNewCertificates = certificates.commit()
        if certificates.secretsVersion != secretsVersion {
            logger.notice("secrets that sources of targets are asked with were read again")
        }
        if hasNewCertificates {
            publication.publish(deregistered: [:])
            logger.notice("certificates were read again", metadata: ["count": "\(certificates.certificates.count)"])
            warnings.log()
        } else if loop.now.since(warnings.lastLoggedAt) >= Limits.certificateWarningInterval {
            warnings.log()
        }
    }

    /// Files that were read and wait for their turn.
    private struct Adoption: QueuedWork {
        let refresh: CertificateRefresh
        let files: FileContents

        func begin() { refresh.adopt(files) }
        func refuse() {}
    }
}
