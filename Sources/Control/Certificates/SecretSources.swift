import Core
import Model

/// Where this process finds the secrets that a configuration refers to.
///
/// Shape:  a value. Files are read by `FileContents`, on a thread that may wait.
/// Limits: `Limits.secretBytesMax` bytes of a secret.
/// Source: systemd.exec(5), "Credentials".
struct SecretSources: Sendable {
    /// Where relative paths begin.
    let folder: String
    /// The folder of the credentials that the service manager has passed to this service; nil if it has passed none.
    var credentials = Terminal.environment("CREDENTIALS_DIRECTORY")
    /// A variable of the environment; nil if it is not set, or empty.
    var variable: @Sendable (String) -> String? = { Terminal.environment($0) }

    /// The sources of this process, with relative paths that begin in `folder`.
    init(folder: String) { self.folder = folder }

    /// Why a secret cannot be had.
    struct Failure: Error, Equatable {
        /// What is wrong: a sentence.
        let problem: String
        /// What to do: a sentence.
        let remedy: String
        /// Whether it is just not passed to this process, as it may be to the service.
        var isNotPassed = false
    }

    /// The path of the file `name`.
    func path(_ name: String) -> String { name.hasPrefix("/") ? name : folder + "/" + name }

    /// The path of the file that has `secret`; nil if none does.
    func path(of secret: SecretReference) -> String? {
        switch secret.place {
        case .file(let name): path(name)
        case .credential(let name): credentials.map { "\($0)/\(name)" }
        case .variable: nil
        }
    }

    /// The bytes of `secret`, which `files` have read if it is in one. No error shows any of them.
    func content(of secret: SecretReference, _ files: FileContents) throws(Failure) -> [UInt8] {
        let bytes: [UInt8]
        switch secret.place {
        case .variable(let name):
            guard let text = variable(name) else {
                throw Failure(
                    problem: "The environment of this process has no such variable, or an empty one.",
                    remedy: "Set it where Apus is started, as by Environment= or EnvironmentFile= of its unit.",
                    isNotPassed: true)
            }
            bytes = Array(text.utf8)
        case .credential(let name):
            guard let path = path(of: secret) else {
                throw Failure(
                    problem: "This process was passed no credentials: $CREDENTIALS_DIRECTORY is not set.",
                    remedy:
                        "Let the unit have LoadCredential=\(name):PATH and systemd start it, or write { file: PATH }.",
                    isNotPassed: true)
            }
            guard files.isThere(path) else {
                throw Failure(
                    problem: "This process was passed no credential of this name.",
                    remedy: "Let the unit have LoadCredential=\(name):PATH, and restart the service.")
            }
            bytes = try content(path, files, "See systemctl status, and that the unit's LoadCredential is right.")
        case .file(let name):
            bytes = try content(
                path(name), files, "Check the path, and that runtime.user may read it.")
        }
        guard !bytes.isEmpty else { throw Failure(problem: "It is empty.", remedy: "Write the secret into it.") }
        guard bytes.count <= Limits.secretBytesMax else {
            throw Failure(
                problem: "It has more than \(Limits.secretBytesMax / 1024) KiB.",
                remedy: "Check that it is what holds the secret, and nothing else.")
        }
        return bytes
    }

    private func content(_ path: String, _ files: FileContents, _ remedy: String) throws(Failure) -> [UInt8] {
        do throws(SystemError) { return try files.content(path) } catch {
            throw Failure(problem: "It cannot be read (\(error.reason)).", remedy: remedy)
        }
    }

    /// The value of a header field that `bytes` hold: all of it but the white space around it.
    ///
    /// Source: RFC 9110 §5.5. Errors: what cannot stand in a field, as several lines.
    static func fieldValue(_ bytes: [UInt8], isToken: Bool) throws(Failure) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }
        let value = Array(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
        guard !value.isEmpty else { throw Failure(problem: "It is empty.", remedy: "Write the secret into it.") }
        guard value.count <= Limits.fieldSecretBytesMax else {
            throw Failure(
                problem: "It has more than \(Limits.fieldSecretBytesMax / 1024) KiB.",
                remedy: "Check that it is what holds the secret, and nothing else.")
        }
        guard value.allSatisfy({ (0x21...0x7E).contains($0) || !isToken && ($0 == 0x20 || $0 == 0x09) }) else {
            throw Failure(
                problem: isToken
                    ? "It is no token, which is visible characters without a space among them."
                    : "It cannot be the value of a header field, which is visible characters on one line.",
                remedy: "Write \(isToken ? "the token" : "the value") alone into it, on one line.")
        }
        return value
    }
}
