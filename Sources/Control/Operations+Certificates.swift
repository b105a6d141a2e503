import Core
import Logging
import Model

extension Operations {
    /// The files in force have changed on disk: reads them again and puts in force what is good.
    func certificatesChanged() {
        do throws(ConfigErrors) {
            try certificates.prepare(for: store.committedDocument, onlyNew: false)
        } catch {
            return logger.warning(
                "changed certificate files are not good: the certificates in force stay",
                metadata: [
                    "error": "\(error)"
                ])
        }
        guard certificates.commit() else { return }
        publish(deregistered: [:])
        logger.notice("certificates were read anew", metadata: ["count": "\(certificates.certificates.count)"])
        warnOfExpiry()
    }

    /// Says which certificates expire soon.
    func warnOfExpiry() {
        let now = Int(WallClock.now() / 1_000_000_000)
        for certificate in certificates.certificates {
            let days = (certificate.notAfter - now) / 86_400
            guard days < Limits.expiryWarningDays else { continue }
            logger.warning(
                "a certificate expires soon",
                metadata: [
                    "certificate": "\(certificate.name)", "days": "\(days)",
                    "names": "\(certificate.names.prefix(3).joined(separator: ","))",
                ])
        }
    }
}
