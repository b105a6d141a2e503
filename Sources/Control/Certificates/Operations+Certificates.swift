import Core
import Logging
import Model
import TLS

extension Operations {
    /// The files in force may have changed on disk, or grown old: has them read again, and puts in force what is good.
    /// A disk that does not answer holds up no change: this waits for its turn only once the files are read.
    func lookAtCertificates() {
        guard !turns.isLookingAtCertificates, !isStopping else { return }
        turns.isLookingAtCertificates = true
        let folders = certificateWatch.folders
        let paths = certificates.files(for: document, onlyNew: false)
        // What comes to be watched meanwhile is not forgotten for long: `adopt` finds that it was not read, and looks
        // again.
        fileDisk.run({ FileContents(reading: paths, watching: folders, forgettingOthers: true) }) { [self] files in
            turns.isLookingAtCertificates = false
            if let files { take(.certificates(files)) }
        }
    }

    /// Puts in force what `files` hold. What is not good stays as it was.
    func adopt(_ files: FileContents) {
        if isStopping { return }
        // Meanwhile a change may have brought others.
        guard files.covers(certificates.files(for: document, onlyNew: false)) else { return lookAtCertificates() }
        let mistakes = certificates.prepareAgain(for: document, from: files)
        if !mistakes.isEmpty {
            logger.warning(
                "changed certificate files are not good: what they held before stays in force",
                metadata: ["error": "\(ConfigErrors(mistakes))"])
        }
        if certificates.commit() {
            publish(deregistered: [:])
            logger.notice("certificates were read anew", metadata: ["count": "\(certificates.certificates.count)"])
            warnOfCertificates()
        } else if loop.now.since(certificatesWarnedAt) >= Limits.certificateWarningInterval {
            warnOfCertificates()
        }
    }

    /// Says which certificates expire soon, and which OCSP responses cannot be stapled.
    func warnOfCertificates() {
        certificatesWarnedAt = loop.now
        for warning in certificates.warnings {
            logger.warning(
                "\(warning.message)",
                metadata: ["file": "\(warning.file)", "reason": "\(warning.reason)", "remedy": "\(warning.remedy)"])
        }
    }

    /// Days until each certificate in force expires.
    var certificateDays: [(file: String, days: Int)] {
        certificates.certificates.map { ($0.file, $0.certificate.daysToExpiry) }
    }
}
