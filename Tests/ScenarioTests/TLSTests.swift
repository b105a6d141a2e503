import Foundation
import Glibc
import TestCertificates
import Testing

/// HTTPS listeners: which certificate, which versions, who may come in, and what changes while they run.
@Suite struct TLSTests {
    static let authority = TestAuthority()
    static let own = authority.issue(["localhost", "a.example.com"])
    static let wild = authority.issue(["*.example.com"], key: .rsa(2048))

    private func start(
        _ certificates: [TestAuthority.Pair] = [own], settings: [String: JSON] = [:], attributes: [String: JSON] = [:],
        script: @escaping TargetServer.Script = TargetScript.echo
    ) throws -> (ApusProcess, TargetServer) {
        let target = try TargetServer(script: script)
        var document = Document(target, attributes: attributes)
        document.listeners[0].certificates = certificates
        document.listeners[0].settings = settings
        return (try ApusProcess.start(document), target)
    }

    private func openssl(_ apus: ApusProcess, _ arguments: String...) throws -> String {
        try Tool.run(
            [
                "/bin/sh", "-c", "exec openssl s_client \"$@\" </dev/null 2>&1", "sh", "-connect",
                "127.0.0.1:\(apus.port)",
            ]
                + arguments, in: apus.folder, expectsSuccess: false)
    }

    @Test func theNameChoosesTheCertificate() throws {
        let (apus, _) = try start([Self.own, Self.wild])
        func subject(_ arguments: String...) throws -> String {
            try openssl(apus, arguments[0], arguments.count > 1 ? arguments[1] : "-4")
        }
        #expect(try subject("-servername", "a.example.com").contains("subject=CN = localhost"))
        #expect(try subject("-servername", "B.example.com").contains("subject=CN = *.example.com"))
        #expect(try subject("-servername", "b.c.example.com").contains("subject=CN = localhost"), "one label only")
        #expect(try subject("-noservername").contains("subject=CN = localhost"))
    }

    @Test(
        arguments: [
            ("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", ["TLSv1.2", "TLSv1.3"]),
            ("ELBSecurityPolicy-TLS13-1-3-2021-06", ["TLSv1.3"]),
            ("ELBSecurityPolicy-2016-08", ["TLSv1", "TLSv1.1", "TLSv1.2"]),
            ("ELBSecurityPolicy-TLS13-1-1-2021-06", ["TLSv1.1", "TLSv1.2", "TLSv1.3"]),
            ("ELBSecurityPolicy-FS-1-2-Res-2020-10", ["TLSv1.2"]),
        ] as [(String, [String])])
    func aPolicyTakesItsVersionsAlone(policy: String, versions: [String]) throws {
        let (apus, _) = try start(settings: ["sslPolicy": .string(policy)])
        for (flag, version) in [
            ("-tls1", "TLSv1"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3"),
        ] {
            let told = try openssl(apus, flag, "-cipher", "ALL:@SECLEVEL=0")
            let isIn = told.contains(", Cipher is ") && !told.contains("Cipher is (NONE)")
            #expect(isIn == versions.contains(version), "\(version): \(told.suffix(400))")
        }
    }

    @Test func plainHTTPIsToldWhatToDo() throws {
        let (apus, _) = try start()
        let answer = try apus.client().exchange("GET / HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(answer.status == 400 && answer["apus-reason"] == "PlainHTTPOnTLSPort")
        #expect(answer.text.contains("https://"))
        #expect(try apus.metric("apus_client_tls_failures_total", "plain_http") == 1)
    }

    /// Post-quantum key shares fill more than one segment, and some clients more than one record.
    @Test(arguments: ["bytes", "records"]) func aClientHelloInPiecesIsRead(how: String) throws {
        let (apus, _) = try start()
        let told = try Tool.run(
            [Tool.python, Tool.script("tls_client"), how, "\(apus.port)", Self.authority.own.certificatePath],
            in: apus.folder)
        #expect(told == "HTTP/1.1 200 TLSv1.3\n")
    }

    /// Over the socket a listener gets another certificate; who is connected stays so.
    @Test func certificatesChangeOverTheSocket() throws {
        let (apus, _) = try start()
        let open = Background {
            try Tool.curl(
                apus, "https://localhost:\(apus.port)/a", "--rate", "4/s", "https://localhost:\(apus.port)/b",
                "-w", "%{num_connects}", "-o", "/dev/null", "-o", "/dev/null",
                roots: Self.authority.own.certificatePath)
        }
        let pair = Self.authority.issue(["localhost"], subject: "/CN=another")
        func change(_ certificate: String) throws -> AdminAnswer {
            let files: JSON = ["certificateFile": .string(certificate), "privateKeyFile": .string(pair.privateKeyPath)]
            return try apus.admin(
                "PUT", "/v1/load-balancers/web/listeners/\(apus.port)",
                ["protocol": "HTTPS", "defaultActions": [Document.forward("blue")], "certificates": [files]])
        }
        #expect(try change(pair.certificatePath).status == 200)
        #expect(try eventually { try openssl(apus, "-servername", "localhost").contains("CN = another") })
        let refused = try change("/nowhere/a.pem")
        #expect(refused.status == 400 && refused.text.contains("/nowhere/a.pem cannot be used"), "\(refused.text)")
        #expect(try openssl(apus, "-servername", "localhost").contains("CN = another"), "the good one stays")
        #expect(try open.value() == "10")
        #expect(try apus.metric("apus_connections_cut_by_configuration_total") == 0)
        #expect(try apus.metric("apus_certificate_expiry_days") > 0)
    }

    /// The response beside a certificate is stapled as soon as it is there, and no longer than it is good.
    @Test func responsesAreStapledWhileTheyAreGood() throws {
        let (apus, _) = try start()
        func isStapled() throws -> Bool {
            try openssl(apus, "-status").contains("OCSP Response Status: successful")
        }
        #expect(try !isStapled())
        let own = "\(apus.folder)/own.pem", key = "\(apus.folder)/own.key"
        TestAuthority.write(Self.own.certificate, own)
        TestAuthority.write(Self.own.privateKey, key)
        let listener: JSON = [
            "protocol": "HTTPS", "port": JSON(Int(apus.port)),
            "certificates": [["certificateFile": .string(own), "privateKeyFile": .string(key)]],
            "defaultActions": [Document.forward("blue")],
        ]
        let answer = try apus.admin("PUT", "/v1/load-balancers/web/listeners/\(apus.port)", listener)
        #expect(answer.status == 200, "\(answer.text)")
        TestAuthority.write(Self.authority.ocspResponse(for: Self.own), own + ".ocsp")
        #expect(try eventually(within: 20) { try isStapled() })
        TestAuthority.write(Self.authority.ocspResponse(for: Self.own, isRevoked: true), own + ".ocsp")
        #expect(try eventually(within: 20) { try !isStapled() })
        #expect(try openssl(apus, "-status").contains("CN = localhost"), "clients do not need one")
    }

    @Test func aHandshakeThatNeverComesIsGivenUp() throws {
        let (apus, _) = try start(attributes: ["apus.tls_handshake_timeout.seconds": 0.3])
        let client = try apus.client()
        try client.send([22, 3, 1])
        #expect(client.ended(within: 10))
        #expect(try apus.metric("apus_timeouts_total", "tls_handshake") == 1)
    }

    @Test func targetsAndLogsAreToldAboutIt() throws {
        let (apus, target) = try start(attributes: [
            "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": true,
            "routing.http.x_amzn_tls_kx.enabled": true,
        ])
        _ = try Tool.curl(
            apus, "--curves", "X25519", "-H", "X-Amzn-Tls-Version: forged", "-H", "X-Amzn-Tls-Kx: forged", "-H",
            "X-Amzn-Mtls-Clientcert: forged",
            "https://localhost:\(apus.port)/told", roots: Self.authority.own.certificatePath)
        let request = try #require(target.requests.last { $0.target == "/told" })
        #expect(request.values("x-amzn-tls-version") == ["TLSv1.3"])
        #expect(request.values("x-amzn-tls-cipher-suite") == ["TLS_AES_128_GCM_SHA256"])
        #expect(request.values("x-amzn-tls-kx") == ["x25519"])
        #expect(request.values("x-amzn-mtls-clientcert").isEmpty && request["x-forwarded-proto"] == "https")
        #expect(
            eventually {
                apus.accessLog.contains {
                    $0.line.contains(" TLS_AES_128_GCM_SHA256 TLSv1.3 ")
                        && $0.line.contains("\"localhost\" \"certificate.pem\"") && $0.line.contains(" TID_")
                }
            })
        #expect(
            try eventually {
                let log = try String(contentsOfFile: "\(apus.folder)/connection.log", encoding: .utf8)
                return log.contains(" TLSv1.3 TLS_AES_128_GCM_SHA256 ") && log.contains(" Success TID_")
            })
    }

    /// A ticket is good on every worker, after a reload, and after one rotation of the keys; not after two.
    @Test func sessionsAreResumedUntilTheKeysAreGone() throws {
        let (apus, _) = try start()
        let first = try openssl(apus, "-tls1_2", "-sess_out", "session")
        try #require(first.contains("New, TLSv1.2"), "\(first)")
        for _ in 0..<8 {
            let said = try openssl(apus, "-tls1_2", "-sess_in", "session")
            #expect(said.contains("Reused, TLSv1.2"), "\(said)")
        }
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try openssl(apus, "-tls1_2", "-sess_in", "session").contains("Reused, TLSv1.2"))
        expectMetric(apus, "apus_client_tls_handshakes_total", "resumed", is: 9)
        #expect(eventually { apus.accessLog.isEmpty }, "no request was made")
    }

    /// The log names the certificate that was shown, or says that none was. Source: docs/elbv2.md, "Access log".
    @Test func theLogSaysWhatWasResumed() throws {
        let (apus, _) = try start()
        let url = "https://localhost:\(apus.port)"
        _ = try Tool.curl(
            apus, "--http1.1", "-H", "Connection: close", "\(url)/first", "\(url)/second",
            roots: Self.authority.own.certificatePath)
        func isLogged(_ path: String, _ certificate: String) -> Bool {
            apus.accessLog.contains { $0.line.contains("/\(path) ") && $0.line.contains(" \"\(certificate)\" ") }
        }
        #expect(eventually { isLogged("first", "certificate.pem") && isLogged("second", "session-reused") })
    }

    @Test func ticketKeysRotate() throws {
        let target = try TargetServer()
        var document = Document(target)
        document.listeners[0].certificates = [Self.own]
        document.runtime["ticketKeyRotationSeconds"] = 1
        let apus = try ApusProcess.start(document)
        _ = try openssl(apus, "-tls1_2", "-sess_out", "session")
        #expect(
            try eventually(within: 20) { try openssl(apus, "-tls1_2", "-sess_in", "session").contains("New, TLSv1.2") },
            "two rotations later the ticket opens no more")
    }

    /// Certificates are replaced again and again under load, the key after the certificate: no request fails, and the
    /// new one is served in the end.
    @Test func certificatesChangeUnderLoad() throws {
        let files = TestAuthority.scratchFolder()
        func write(_ pair: TestAuthority.Pair) {
            TestAuthority.write(pair.certificate, "\(files)/a.pem")
            TestAuthority.write(pair.privateKey, "\(files)/a.key")
        }
        let pairs = (0..<3).map { Self.authority.issue(["localhost"], subject: "/CN=number-\($0)") }
        write(pairs[0])
        let target = try TargetServer()
        var document = Document(target)
        document.listeners[0].settings = [
            "protocol": "HTTPS",
            "certificates": [
                ["certificateFile": .string("\(files)/a.pem"), "privateKeyFile": .string("\(files)/a.key")]
            ],
        ]
        let apus = try ApusProcess.start(document)
        let load = Background {
            try Tool.run(
                ["h2load", "-n", "60000", "-c", "8", "-m", "4", "https://localhost:\(apus.port)/"], in: apus.folder)
        }
        for round in 1...6 {
            write(pairs[round % 3])
            let name = "CN = number-\(round % 3)"
            #expect(try eventually(within: 10) { try openssl(apus, "-servername", "localhost").contains(name) })
        }
        let told = try load.value()
        #expect(told.contains("60000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(told)")
        // Half a pair is left alone.
        TestAuthority.write(pairs[2].privateKey, "\(files)/a.key")
        #expect(eventually { apus.errors.contains("changed certificate files are not good") })
        #expect(try openssl(apus, "-servername", "localhost").contains("CN = number-0"))
        #expect(try apus.metric("apus_connections_cut_by_configuration_total") == 0)
    }

    /// Certificates lie in a folder that is renamed, behind a link that is swapped, or behind two as in Kubernetes: the
    /// new ones are served without a reload.
    @Test(arguments: ["rename", "link", "kubernetes"]) func foldersThatAreSwappedAreNoticed(how: String) throws {
        let folder = TestAuthority.scratchFolder()
        let files = FileManager.default
        func make(_ name: String, _ number: Int) throws {
            try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            let pair = Self.authority.issue(["localhost"], subject: "/CN=number-\(number)")
            TestAuthority.write(pair.certificate, "\(folder)/\(name)/tls.crt")
            TestAuthority.write(pair.privateKey, "\(folder)/\(name)/tls.key")
        }
        func link(_ name: String, to target: String) throws {
            try files.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: target)
        }
        let place = how == "kubernetes" ? folder : "\(folder)/certs"
        switch how {
        case "rename": try make("certs", 1)
        case "link":
            try make("release-1", 1)
            try link("certs", to: "release-1")
        default:
            try make("..2026_1", 1)
            try link("..data", to: "..2026_1")
            for name in ["tls.crt", "tls.key"] { try link(name, to: "..data/\(name)") }
        }
        let (apus, _) = try start(
            [],
            settings: [
                "protocol": "HTTPS",
                "certificates": [
                    ["certificateFile": .string("\(place)/tls.crt"), "privateKeyFile": .string("\(place)/tls.key")]
                ],
            ])
        for number in 2...3 {
            try make("..2026_\(number)", number)
            switch how {
            case "rename":
                #expect(unsafe rename(place, "\(folder)/old-\(number)") == 0)
                #expect(unsafe rename("\(folder)/..2026_\(number)", place) == 0)
            default:
                try link("new", to: "..2026_\(number)")
                #expect(unsafe rename("\(folder)/new", how == "link" ? place : "\(folder)/..data") == 0)
            }
            let name = "CN = number-\(number)"
            #expect(try eventually(within: 15) { try openssl(apus, "-servername", "localhost").contains(name) })
        }
        #expect(try apus.metric("apus_reloads_total") == 0)
    }

    @Test func badFilesAreNamedWithTheirFault() throws {
        let other = Self.authority.issue(["b.example.com"])
        let weak = Self.authority.issue(["weak.example.com"], key: .rsa(1024))
        let odd = Self.authority.issue(["odd.example.com"], key: .ed25519)
        let cases = [
            (Self.own.certificatePath, other.privateKeyPath, "does not belong to certificate"),
            ("/nowhere/a.pem", Self.own.privateKeyPath, "cannot be read"),
            (weak.certificatePath, weak.privateKeyPath, "has 1024 bits, 2048 at least"),
            (odd.certificatePath, odd.privateKeyPath, "is neither RSA nor ECDSA"),
            (Self.own.privateKeyPath, Self.own.privateKeyPath, "There is no certificate in key.pem"),
            (Self.own.certificatePath, Self.own.certificatePath, "private key"),
        ]
        for (certificate, key, fault) in cases {
            var document = Document(try TargetServer())
            document.listeners[0].settings = [
                "protocol": "HTTPS",
                "certificates": [["certificateFile": .string(certificate), "privateKeyFile": .string(key)]],
            ]
            let folder = try temporaryFolder()
            defer { removeFolder(folder) }
            TestAuthority.write(Array(document.text(ports: [8443], folder: folder).utf8), "\(folder)/a.yaml")
            let check = try ApusProcess.command(["check", "\(folder)/a.yaml"], socket: "", folder: folder)
            #expect(check.status == .exited(1), "\(fault)")
            #expect(check.errors.contains(fault) && check.errors.contains("a.yaml:1:"), "\(check.errors)")
        }
    }

    @Test func clientsShowWhoTheyAre() throws {
        let alice = Self.authority.issue([], subject: "/C=CH/O=Example/CN=alice")
        let mallory = TestAuthority("Another").issue([], subject: "/CN=mallory")
        let (apus, target) = try start(
            settings: [
                "mutualAuthentication": [
                    "mode": "verify", "trustStoreFile": .string(Self.authority.own.certificatePath),
                ]
            ])
        let url = "https://localhost:\(apus.port)/"
        func curl(_ pair: TestAuthority.Pair?, _ more: [String] = []) throws -> String {
            let identity = pair.map { ["--cert", $0.certificatePath, "--key", $0.privateKeyPath] } ?? []
            return try Tool.run(
                [
                    "curl", "-q", "-sS", "--max-time", "10", "--cacert", Self.authority.own.certificatePath, "-o",
                    "/dev/null",
                    "-w", "%{http_code}",
                ] + identity + more + [url], in: apus.folder, expectsSuccess: false)
        }
        #expect(try curl(alice) == "200")
        let request = try #require(target.requests.last { $0.target == "/" })
        #expect(request["x-amzn-mtls-clientcert-subject"] == "CN=alice,O=Example,C=CH")
        #expect(request["x-amzn-mtls-clientcert-leaf"]?.hasPrefix("-----BEGIN%20CERTIFICATE-----%0A") == true)
        #expect(request["x-amzn-mtls-clientcert-validity"]?.hasPrefix("NotBefore=20") == true)
        #expect(try curl(nil).hasPrefix("000") && curl(mallory).hasPrefix("000"))
        #expect(try curl(alice, ["-H", "Host: other.example.com"]) == "421")
        // `https://localhost.:PORT/`: SNI never has the dot that Host keeps. RFC 6066 §3.
        for version in ["--http1.1", "--http2"] {
            #expect(try curl(alice, [version, "-H", "Host: localhost.:\(apus.port)"]) == "200")
            #expect(try curl(alice, [version, "-H", "Host: other.example.com."]) == "421")
        }
        #expect(try apus.metric("apus_client_tls_failures_total", "no_client_certificate") == 1)
        #expect(try apus.metric("apus_client_tls_failures_total", "\"client_certificate\"") == 1)
        func logged(_ part: String) throws -> Substring? {
            try eventually {
                let log = try String(contentsOfFile: "\(apus.folder)/connection.log", encoding: .utf8)
                return log.split(separator: "\n").first { $0.contains(part) }
            }
        }
        #expect(try logged("\"CN=alice,O=Example,C=CH\"") != nil)
        let refused = try #require(try logged("Failed:ClientCertUntrusted TID_"))
        #expect(refused.contains(" TLSv1.3 TLS_AES_128_GCM_SHA256 - \"CN=mallory\" NotBefore="), "\(refused)")
    }

    /// Every attempt has its line, and every connection its name in both logs.
    @Test func everyAttemptIsLogged() throws {
        let (apus, _) = try start()
        let answer = try apus.client().exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(answer.status == 400)
        #expect(
            eventually {
                let log = (try? String(contentsOfFile: "\(apus.folder)/connection.log", encoding: .utf8)) ?? ""
                return log.contains(" - - - \"-\" - - Failed:UnmappedConnectionError TID_")
            })
        #expect(eventually { apus.accessLog.contains { $0.line.contains(" - - - \"-\" \"-\" \"-\" - ") } })
        #expect(apus.accessLog.allSatisfy { $0.line.contains(" TID_") })
    }

    /// The name that a client asked for is in the log if a certificate is for it, whether or not it is the default's.
    @Test func theLogHasTheNamesThatAreServed() throws {
        let (apus, _) = try start([Self.own, Self.wild])
        for name in ["a.example.com", "b.example.com", "unknown.test"] {
            _ = try Tool.curl(
                apus, "-k", "--resolve", "\(name):\(apus.port):127.0.0.1", "https://\(name):\(apus.port)/\(name)")
        }
        func hasName(_ path: String, _ name: String) -> Bool {
            apus.accessLog.contains {
                $0.line.contains("/\(path) HTTP") && $0.line.contains(" \"\(name)\" \"certificate.pem\"")
            }
        }
        #expect(eventually { hasName("a.example.com", "a.example.com") && hasName("b.example.com", "b.example.com") })
        #expect(eventually { hasName("unknown.test", "-") })
    }

    /// In passthrough a target sees what came, under the name that was chosen, and nothing that the client wrote there.
    @Test func namesOfFieldsAreChosenAndGuarded() throws {
        let mallory = TestAuthority("Another").issue([], subject: "/CN=mallory")
        let (apus, target) = try start(
            settings: [
                "mutualAuthentication": ["mode": "passthrough"],
                "attributes": ["routing.http.request.x_amzn_mtls_clientcert.header_name": "X-Who"],
            ])
        _ = try Tool.curl(
            apus, "--cert", mallory.certificatePath, "--key", mallory.privateKeyPath, "-H", "X-Who: forged", "-H",
            "X-Amzn-Mtls-Clientcert: forged", "https://localhost:\(apus.port)/who",
            roots: Self.authority.own.certificatePath)
        let request = try #require(target.requests.last { $0.target == "/who" })
        #expect(request.values("x-who").count == 1)
        #expect(request["x-who"]?.hasPrefix("-----BEGIN%20CERTIFICATE-----%0A") == true)
        #expect(request.values("x-amzn-mtls-clientcert").isEmpty)
    }

    @Test func withoutHTTP2ThereIsHTTP1() throws {
        let (apus, _) = try start(attributes: ["routing.http2.enabled": false])
        let told = try Tool.curl(
            apus, "--http2", "-o", "/dev/null", "-w", "%{http_version}", "https://localhost:\(apus.port)/",
            roots: Self.authority.own.certificatePath)
        #expect(told == "1.1")
    }

    /// Who came in while nobody was verified has to come again once clients are.
    @Test func whoWasNotVerifiedComesAgain() throws {
        let mallory = TestAuthority("Another").issue(["localhost"], subject: "/CN=mallory")
        let target = try TargetServer(script: TargetScript.echo)
        var document = Document(target)
        document.listeners[0].certificates = [Self.own]
        document.listeners[0].settings = ["mutualAuthentication": ["mode": "passthrough"]]
        let apus = try ApusProcess.start(document)
        let client = Background {
            try Tool.run(
                [
                    Tool.python, Tool.script("tls_client"), "twice", "\(apus.port)",
                    Self.authority.own.certificatePath, mallory.certificatePath, mallory.privateKeyPath,
                    "\(apus.folder)/go",
                ], in: apus.folder)
        }
        #expect(eventually { target.requests.contains { $0.target == "/" } })
        document.listeners[0].settings = [
            "mutualAuthentication": [
                "mode": "verify", "trustStoreFile": .string(Self.authority.own.certificatePath),
            ]
        ]
        try apus.write(document)
        #expect(try apus.command("reload").status == .exited(0))
        try Data().write(to: URL(fileURLWithPath: "\(apus.folder)/go"))
        #expect(try client.value() == "HTTP/1.1 200 TLSv1.3\nHTTP/1.1 421 TLSv1.3\n")
    }
}
