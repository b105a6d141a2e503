import Foundation
import TestCertificates
import Testing

/// Keys and tokens that a configuration refers to, and that nothing shows.
@Suite struct SecretsTests {
    private static let authority = TestAuthority()

    /// A server of a list of targets, with the header fields that it was asked with.
    private static func listServer(_ target: TargetServer) throws -> TargetServer {
        let list = #"[{"id": "127.0.0.1", "port": \#(target.port)}]"#
        return try TargetServer("lists") { connection in
            guard try connection.request() != nil else { return }
            try connection.respond(body: list, fields: "Connection: close\r\n")
        }
    }

    private static func document(_ server: TargetServer, _ http: [String: JSON]) -> Document {
        var settings: [String: JSON] = [
            "url": .string("http://127.0.0.1:\(server.port)/targets"), "intervalSeconds": 0.1,
        ]
        settings.merge(http) { $1 }
        return Document(
            listeners: [.init(defaultAction: Document.forward("blue"))],
            groups: [.init("blue", settings: ["discovery": ["http": .object(settings)]])])
    }

    private static func write(_ text: String, _ path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    @Test("A URL of targets is asked with a token and fields by reference; a file is read again when it changes")
    func token() throws {
        let target = try TargetServer("one")
        let server = try Self.listServer(target)
        let document = Self.document(
            server,
            [
                "token": ["file": "token"],
                "headers": ["X-Region": ["env": "APUS_TEST_REGION"], "X-Key": ["credential": "key"]],
            ])
        let apus = try ApusProcess.start(document, until: .answering) { folder in
            try Self.write("s3cr3t-first\n", folder + "/token")
            try FileManager.default.createDirectory(atPath: folder + "/passed", withIntermediateDirectories: false)
            try Self.write("s3cr3t-key", folder + "/passed/key")
            return ["env", "APUS_TEST_REGION=s3cr3t region", "CREDENTIALS_DIRECTORY=\(folder)/passed"]
        }
        #expect(apus.target(target.address, becomes: "healthy"))
        let first = try #require(server.requests.first)
        #expect(first["authorization"] == "Bearer s3cr3t-first" && first["x-region"] == "s3cr3t region")
        #expect(first["x-key"] == "s3cr3t-key")

        try Self.write("s3cr3t-second\n", apus.folder + "/token")
        #expect(eventually { server.requests.last?["authorization"] == "Bearer s3cr3t-second" })
        #expect(eventually { apus.errors.contains("secrets that sources of targets are asked with were read again") })
        for bad in ["", "s3cr3t\nof two lines", String(repeating: "s3cr3t", count: 2_000)] {
            let before = apus.errors.components(separatedBy: "what they held before stays in force").count
            try Self.write(bad, apus.folder + "/token")
            #expect(
                eventually {
                    apus.errors.components(separatedBy: "what they held before stays in force").count > before
                })
            #expect(server.requests.last?["authorization"] == "Bearer s3cr3t-second")
            try Self.write("s3cr3t-second\n", apus.folder + "/token")
        }
        #expect(try apus.states(of: "blue").values.allSatisfy { $0 == "healthy" })

        // A reload that cannot have its secret is refused, and changes nothing.
        for (http, reason) in [
            (["token": ["file": "nowhere"]], "token nowhere cannot be used: It cannot be read (No such file"),
            (["token": ["credential": "other"]], "token credential other cannot be used: This process was passed no"),
            (["token": ["env": "APUS_TEST_NONE"]], "token variable APUS_TEST_NONE cannot be used: The environment"),
        ] as [([String: JSON], String)] {
            try apus.write(Self.document(server, http))
            let reload = try apus.command("reload")
            #expect(reload.status == .exited(1))
            #expect(reload.errors.contains("apus.yaml:1:") && reload.errors.contains(reason), "\(reload.errors)")
        }
        let told = [
            try apus.admin("GET", "/v1/config").text, try apus.admin("GET", "/v1/discovery").text, apus.errors,
            try apus.command("discovery").output, try apus.command("check", apus.configurationPath).errors,
            try apus.admin("GET", "/metrics").text,
        ]
        #expect(told.allSatisfy { !$0.contains("s3cr3t") })
        #expect(told[0].contains("APUS_TEST_REGION") && told[0].contains("credential"))
        expectServes(apus)
    }

    @Test("A certificate's key may be a credential or a variable, also after an upgrade and when it is renewed")
    func certificateKeys() throws {
        let pair = Self.authority.issue(["localhost"]), renewed = Self.authority.issue(["localhost"])
        let key = String(decoding: pair.privateKey, as: UTF8.self)
        func listener(_ certificate: String, _ key: JSON) -> Document.Listener {
            .init(
                defaultAction: Document.forward("blue"),
                settings: [
                    "protocol": "HTTPS",
                    "certificates": [["certificateFile": .string(certificate), "privateKey": key]],
                ])
        }
        let document = Document(
            listeners: [
                listener("web.pem", ["credential": "web.key"]),
                listener(pair.certificatePath, ["env": "APUS_TEST_KEY"]),
            ],
            groups: [.init("blue", servers: [try TargetServer("a")])])
        let site = try UpgradingApus(document) { folder in
            try FileManager.default.createDirectory(atPath: folder + "/passed", withIntermediateDirectories: false)
            TestAuthority.write(pair.privateKey, folder + "/passed/web.key")
            TestAuthority.write(pair.certificate, folder + "/web.pem")
            return ["env", "APUS_TEST_KEY=\(key)", "CREDENTIALS_DIRECTORY=\(folder)/passed"]
        }
        let apus = site.apus
        let roots = Self.authority.own.certificatePath
        func served(_ port: UInt16) throws -> String {
            try Tool.curl(
                apus, "-o", "/dev/null", "-w", "%{http_code} %{certs}", "https://localhost:\(port)/", roots: roots)
        }
        for port in apus.ports { #expect(try served(port).hasPrefix("200"), "\(apus.errors)") }
        #expect(try site.upgrade().status == .exited(0))
        for port in apus.ports { #expect(try served(port).hasPrefix("200")) }
        let before = try served(apus.ports[0])
        TestAuthority.write(renewed.privateKey, apus.folder + "/passed/web.key")
        TestAuthority.write(renewed.certificate, apus.folder + "/web.pem")
        #expect(try eventually { try served(apus.ports[0]) != before }, "the renewed one is served")
        #expect(try served(apus.ports[0]).hasPrefix("200"))
        let told = try apus.admin("GET", "/v1/config").text + apus.errors
        #expect(!told.contains("PRIVATE KEY") && told.contains("web.key"))
        #expect(site.terminate())
    }

    @Test("Without a service manager a credential is an error of run, and a warning of check")
    func withoutCredentials() throws {
        let target = try TargetServer("one")
        let document = Self.document(try Self.listServer(target), ["token": ["credential": "token"]])
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let path = folder + "/apus.yaml"
        try Self.write(document.text(ports: [try PortAllocator.port()], folder: folder), path)
        let run = try ApusProcess.command(["run", path], socket: "", folder: folder)
        #expect(run.status == .exited(1))
        #expect(
            run.errors.contains("token credential token cannot be used: This process was passed no credentials:"),
            "\(run.errors)")
        #expect(run.errors.contains("LoadCredential=token:PATH"), "\(run.errors)")
        let check = try ApusProcess.command(["check", path], socket: "", folder: folder)
        #expect(check.status == .exited(0), "\(check.errors)")
        #expect(
            (check.output + check.errors).contains("What starts Apus may pass it."), "\(check.output) \(check.errors)")
    }
}
