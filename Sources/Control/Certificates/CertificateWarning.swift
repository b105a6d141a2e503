import Core
import Logging
import Model
import TLS

/// A problem of a certificate that is served all the same.
struct CertificateWarning: Equatable, CustomStringConvertible {
    /// What it is, as in `a certificate expires soon`.
    let message: String
    /// The file at fault, as it was configured.
    let file: String
    /// The particulars: a sentence.
    let reason: String
    /// What to do about it: a sentence.
    let remedy: String

    /// All of it but the file and the remedy, on one line.
    var description: String { "\(message.prefix(1).uppercased())\(message.dropFirst()). \(reason)" }

    /// All there is to say about a certificate.
    static func all(_ files: CertificateFiles, _ certificate: TLSCertificate) -> [CertificateWarning] {
        var warnings: [CertificateWarning] = []
        let days = certificate.daysToExpiry
        if days < Limits.expiryWarningDays {
            warnings.append(
                CertificateWarning(
                    message: "a certificate expires soon", file: files.certificateFile,
                    reason: "It expires in \(counted(days, "day")).", remedy: "Renew it."))
        }
        if let problem = certificate.ocspProblem {
            warnings.append(
                CertificateWarning(
                    message: "a certificate is served without an OCSP response", file: files.stapledFile,
                    reason: problem.problem, remedy: problem.remedy))
        }
        return warnings
    }
}

extension TLSCertificate {
    /// Whole days from now on; negative once it has expired.
    var daysToExpiry: Int {
        let seconds = notAfter - Int(WallClock.now() / 1_000_000_000)
        return seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    }
}

extension Warning {
    /// One about a certificate.
    init(_ warning: CertificateWarning) {
        self.init(file: warning.file, message: warning.description, remedy: warning.remedy)
    }
}

/// Logs the warnings about the certificates in force, and remembers when.
///
/// Shape: one object of the control thread.
final class CertificateWarnings {
    private let certificates: CertificateStore
    private let loop: ControlLoop
    private let logger: Logger
    /// When they were logged last.
    private(set) var lastLoggedAt = Instant(nanoseconds: 0)

    /// Nothing was logged yet.
    init(_ certificates: CertificateStore, loop: ControlLoop, logger: Logger) {
        self.certificates = certificates
        self.loop = loop
        self.logger = logger
    }

    /// Logs which certificates expire soon, and which OCSP responses cannot be stapled.
    func log() {
        lastLoggedAt = loop.now
        for warning in certificates.warnings {
            logger.warning(
                "\(warning.message)",
                metadata: ["file": "\(warning.file)", "reason": "\(warning.reason)", "remedy": "\(warning.remedy)"])
        }
    }
}
