import Foundation
import TestCertificates

/// A TLS client whose connections execute steps and report what they saw: `tls_stream.py`.
final class TLSStreamClient: Sendable {
    private let child: ChildProcess

    /// Connects to the first listener of `apus` and takes the steps that `words` say, trusting `roots`.
    init(_ apus: ApusProcess, _ words: [String], roots: String) throws {
        let command = [Tool.python, Tool.script("tls_stream"), "client", "\(apus.port)", roots]
        child = try ChildProcess(command + words, folder: apus.folder, label: UUID().uuidString)
    }

    /// The reports of its connections, once they have ended.
    func seen() throws -> [JSON] {
        guard child.waitForExit(within: 60) == .exited(0) else {
            throw ApusFailure(status: child.exitStatus, errors: child.standardError)
        }
        return lines(child.standardOutput)
    }

    /// The same of a client with one connection, from its start.
    static func run(_ apus: ApusProcess, _ words: String..., roots: String) throws -> JSON {
        try TLSStreamClient(apus, words, roots: roots).seen().first ?? .null
    }
}

/// A target over TLS of which the same is true. Without steps it gives back what it gets.
final class TLSStreamTarget: Sendable {
    /// As a target of a group.
    let program: PortServer

    /// Starts it with a certificate.
    init(_ pair: TestAuthority.Pair, _ words: String...) throws {
        program = try PortServer(label: "target") { port, _ in
            let command = [Tool.python, Tool.script("tls_stream"), "target", "\(port)"]
            return command + [pair.certificatePath, pair.privateKeyPath] + words
        }
    }

    /// What its connections have seen, of those that are over; not of health checks.
    var seen: [JSON] {
        lines((try? String(contentsOfFile: "\(program.folder)/target.stdout", encoding: .utf8)) ?? "")
    }
}

private func lines(_ text: String) -> [JSON] { text.split(separator: "\n").map { JSON(parsing: Array($0.utf8)) } }
