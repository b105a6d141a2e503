import Core
import Logging
import Model
import TLS

extension Operations {
    /// The files in force may have changed on disk, or grown old: reads them again and puts in force what is good.
    func certificatesChanged() {
        // What this pass has staged goes first: its certificates are prepared, and would be forgotten.
        commit()
        let mistakes = certificates.prepareAgain(for: store.committedDocument)
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
                "\(warning.message)", metadata: ["file": "\(warning.file)", "reason": "\(warning.reason)"])
        }
    }

    /// Days until each certificate in force expires.
    var certificateDays: [(file: String, days: Int)] {
        certificates.certificates.map { ($0.file, $0.certificate.daysToExpiry) }
    }
}
