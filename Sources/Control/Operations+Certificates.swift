import Core
import Logging
import Model
import TLS

extension Operations {
    /// The files in force have changed on disk: reads them again and puts in force what is good.
    func certificatesChanged() {
        let mistakes = certificates.prepareAgain(for: store.committedDocument)
        if !mistakes.isEmpty {
            logger.warning(
                "changed certificate files are not good: what they held before stays in force",
                metadata: ["error": "\(ConfigErrors(mistakes))"])
        }
        certificateWatch.add(certificates.folders)
        guard certificates.commit() else { return }
        publish(deregistered: [:])
        logger.notice("certificates were read anew", metadata: ["count": "\(certificates.certificates.count)"])
        warnOfCertificates()
    }

    /// Says which certificates expire soon, and which OCSP responses cannot be stapled.
    func warnOfCertificates() {
        for (file, certificate) in certificates.certificates {
            let days = certificate.daysToExpiry
            if days < Limits.expiryWarningDays {
                logger.warning(
                    "a certificate expires soon",
                    metadata: [
                        "certificate": "\(file)", "days": "\(days)",
                        "names": "\(certificate.names.prefix(3).joined(separator: ","))",
                    ])
            }
            if let problem = certificate.ocspProblem {
                logger.warning(
                    "a certificate is served without an OCSP response",
                    metadata: ["certificate": "\(file)", "error": "\(problem)"])
            }
        }
    }

    /// Days until each certificate in force expires.
    var certificateDays: [(file: String, days: Int)] {
        certificates.certificates.map { ($0.file, $0.certificate.daysToExpiry) }
    }
}

extension TLSCertificate {
    /// Whole days from now on; negative once it has expired.
    fileprivate var daysToExpiry: Int {
        let seconds = notAfter - Int(WallClock.now() / 1_000_000_000)
        return seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    }
}
