import Foundation
import TestRuns

/// A certificate authority for one run of the tests, which uses the `openssl` command.
public struct TestAuthority: Sendable {
    /// The kind of key.
    public enum Key: Sendable { case p256, rsa(Int), ed25519, p192 }

    /// A certificate and its key, as PEM.
    public struct Pair: Sendable {
        public let certificate: [UInt8]
        public let privateKey: [UInt8]
        public let certificatePath: String
        public let privateKeyPath: String
    }

    /// The authority's own certificate and key.
    public let own: Pair

    /// A new authority of this name.
    public init(_ name: String = "Test Authority") {
        let extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
        own = Self.make("/CN=\(name)", .p256, extensions, by: nil, days: 30, digest: "sha256")
    }

    /// A certificate for `names`, valid from now for the given number of days.
    public func issue(
        _ names: [String], key: Key = .p256, days: Int = 10, subject: String? = nil, digest: String = "sha256"
    ) -> Pair {
        let alternative = names.map { name in
            let kind = name.contains("://") ? "URI:" : name.first?.isNumber == true ? "IP:" : "DNS:"
            return kind + name
        }.joined(separator: ",")
        let extensions = names.isEmpty ? [] : ["subjectAltName=\(alternative)"]
        return Self.make(
            subject ?? "/CN=\(names.first ?? "nobody")", key, extensions, by: own, days: days, digest: digest)
    }

    private static func make(
        _ subject: String, _ key: Key, _ extensions: [String], by issuer: Pair?, days: Int, digest: String
    ) -> Pair {
        let folder = scratchFolder()
        let certificate = folder + "/certificate.pem"
        let privateKey = folder + "/key.pem"
        var arguments = ["req", "-x509", "-nodes", "-subj", subject, "-days", "\(days)", "-" + digest]
        switch key {
        case .p256: arguments += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        case .p192: arguments += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"]
        case .rsa(let bits): arguments += ["-newkey", "rsa:\(bits)"]
        case .ed25519: arguments += ["-newkey", "ed25519"]
        }
        arguments += ["-keyout", privateKey, "-out", certificate]
        for line in extensions { arguments += ["-addext", line] }
        if let issuer { arguments += ["-CA", issuer.certificatePath, "-CAkey", issuer.privateKeyPath] }
        run(arguments)
        return Pair(
            certificate: read(certificate), privateKey: read(privateKey), certificatePath: certificate,
            privateKeyPath: privateKey)
    }

    /// A revocation list with the certificates in `revoked`.
    public func revocationList(_ revoked: [Pair]) -> [UInt8] {
        let (folder, command) = makeDatabase()
        for pair in revoked { Self.run(command + ["-revoke", pair.certificatePath]) }
        Self.run(command + ["-gencrl", "-out", folder + "/list.pem"])
        return Self.read(folder + "/list.pem")
    }

    /// An empty database of issued certificates in a folder, and the command that changes it.
    private func makeDatabase() -> (folder: String, command: [String]) {
        let folder = Self.scratchFolder()
        let configuration = """
            [ca]
            default_ca = own
            [own]
            database = \(folder)/index
            crlnumber = \(folder)/number
            default_md = sha256
            default_crl_days = 10
            """
        Self.write(Array(configuration.utf8), folder + "/ca.cnf")
        Self.write([], folder + "/index")
        Self.write(Array("01\n".utf8), folder + "/number")
        let command = [
            "ca", "-config", folder + "/ca.cnf", "-cert", own.certificatePath, "-keyfile", own.privateKeyPath,
        ]
        return (folder, command)
    }

    /// An OCSP response, DER: the certificate is good or revoked.
    public func ocspResponse(for pair: Pair, isRevoked: Bool = false) -> [UInt8] {
        let (folder, command) = makeDatabase()
        Self.run(command + [isRevoked ? "-revoke" : "-valid", pair.certificatePath])
        Self.run([
            "ocsp", "-index", folder + "/index", "-rsigner", own.certificatePath, "-rkey", own.privateKeyPath, "-CA",
            own.certificatePath, "-issuer", own.certificatePath, "-cert", pair.certificatePath, "-ndays", "1",
            "-respout", folder + "/response", "-noverify",
        ])
        return Self.read(folder + "/response")
    }

    /// Runs `openssl`. A failure ends the test process, since no test can run without it.
    public static func run(_ arguments: [String]) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        do { try process.run() } catch { fatalError("openssl: \(error)") }
        let output = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if process.terminationStatus != 0 {
            fatalError("openssl \(arguments): \(String(decoding: output, as: UTF8.self))")
        }
    }

    /// A new folder, removed when the tests have ended.
    public static func scratchFolder() -> String {
        do { return try TestRun.makeFolder() } catch { fatalError("\(error)") }
    }

    /// The bytes of a file.
    public static func read(_ path: String) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else { fatalError("\(path): unreadable") }
        return Array(data)
    }

    /// Writes `bytes` to a file.
    public static func write(_ bytes: [UInt8], _ path: String) {
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { fatalError("\(path)") }
    }
}
