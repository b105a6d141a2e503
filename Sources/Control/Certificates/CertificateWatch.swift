import Core
import Logging

/// Told of changes of certificate files.
protocol CertificateWatchObserver: AnyObject {
    /// Files of certificates may have changed, and have settled since.
    func certificateFilesChanged()
}

/// Tells when files of certificates may have changed; and once an hour, as certificates and OCSP responses grow old
/// without a change.
final class CertificateWatch: PollHandler {
    private let loop: ControlLoop
    /// The folders that are watched; nil where the system does not let us. Adding one may wait for its disk.
    let folders: FolderWatch?
    /// Told once files have settled after a change.
    weak var observer: (any CertificateWatchObserver)?
    private var token = Token.none
    /// Something has changed, and the timer is set to look at it.
    private var isSettling = false

    /// Watches no folder yet.
    init(loop: ControlLoop, logger: Logger) {
        self.loop = loop
        do { folders = try FolderWatch() } catch {
            folders = nil
            logger.warning(
                "certificate files are not watched: reload after changing them",
                metadata: [
                    "error": "\(error)"
                ])
        }
        if let folders {
            token = loop.add(self, descriptor: folders.descriptor, interest: .readable)
        } else {
            token = loop.add(self, descriptor: nil)
        }
        loop.schedule(token, at: Instant.now() + Limits.certificateLookTime)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        // Certificate and key are two files, so both may be written within a short delay. What comes meanwhile does not
        // put it off, since folders may be busy with other files.
        guard folders?.takeEvents() == true, !isSettling else { return }
        isSettling = true
        loop.schedule(token, at: now + Limits.certificateSettleTime)
    }

    func timerFired(now: Instant) {
        isSettling = false
        observer?.certificateFilesChanged()
        loop.schedule(token, at: now + Limits.certificateLookTime)
    }
}
