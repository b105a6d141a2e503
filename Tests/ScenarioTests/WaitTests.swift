import Testing

/// `apus targets … --wait`, on whose exit status deployment scripts depend.
@Suite struct WaitTests {
    @Test("register --wait returns when the target is healthy, and takes requests")
    func registers() throws {
        let apus = try ApusProcess.start(Document(try TargetServer("old")))
        let new = try TargetServer("new")
        let address = "127.0.0.1:\(new.port)"
        let waited = try apus.command("targets", "register", "blue", address, "--wait", "--json")
        #expect(waited.status == .exited(0), "\(waited.errors)")
        let health = waited.json["targetHealthDescriptions"][0]
        #expect(health["target"]["port"].int == Int(new.port) && health["targetHealth"]["state"] == "healthy")
        #expect(try apus.states(of: "blue")[address] == "healthy")
        // Again: the target is registered already.
        #expect(try apus.command("targets", "register", "blue", address, "--wait").status == .exited(0))
    }

    @Test("register --wait --timeout ends with 1 and the reason, on the command line and the socket")
    func registersInVain() throws {
        let apus = try ApusProcess.start(Document(try TargetServer("old")))
        let port = try PortAllocator.port()
        let waited = try apus.command("targets", "register", "blue", "127.0.0.1:\(port)", "--wait", "--timeout", "2.5")
        #expect(waited.status == .exited(1))
        let reason = "Registered, but not healthy after 2.5 s: 127.0.0.1:\(port) is unhealthy (Health checks failed)."
        #expect(waited.errors.hasPrefix("apus: \(reason)"), "\(waited.errors)")
        #expect(waited.output.isEmpty)
        let body: JSON = [
            "targets": [Document.Address(port: port).json], "wait": true, "timeoutSeconds": 0.1,
        ]
        let refused = try apus.admin("POST", "/v1/target-groups/blue/targets", body)
        #expect(refused.status == 504 && refused.errorCode == "TargetNotHealthy", "\(refused.text)")
        #expect(try apus.states(of: "blue")["127.0.0.1:\(port)"] == "unhealthy", "it stays registered")
        for (body, word) in [
            ("{\"targets\":[{\"id\":\"127.0.0.1\"}],\"timeoutSeconds\":1}", "wait is not true"),
            ("{\"targets\":[{\"id\":\"127.0.0.1\"}],\"wait\":1}", "true or false"),
            ("{\"targets\":[{\"id\":\"127.0.0.1\"}],\"wait\":true,\"timeoutSeconds\":-1}", "from 0 to 3600"),
            ("{\"targets\":[{\"id\":\"127.0.0.1\"}],\"wait\":true,\"timeoutSeconds\":\"soon\"}", "from 0 to 3600"),
        ] {
            let refused = try apus.admin("POST", "/v1/target-groups/blue/targets", text: body)
            #expect(refused.status == 400 && refused.text.contains(word), "\(body): \(refused.text)")
        }
        let usage = try apus.command("targets", "register", "blue", "127.0.0.1:\(port)", "--timeout", "2")
        #expect(usage.status == .exited(2) && usage.errors.contains("--wait"), "\(usage.errors)")
    }

    @Test("The socket answers other clients during a wait, and SIGTERM ends the wait")
    func holdsNobodyUp() throws {
        let apus = try ApusProcess.start(Document(try TargetServer("old")))
        let port = try PortAllocator.port()
        let body: JSON = ["targets": [Document.Address(port: port).json], "wait": true]
        let waiting = Background { try apus.admin("POST", "/v1/target-groups/blue/targets", body, timeout: 60) }
        #expect(apus.target(.init(port: port), becomes: "unhealthy"))
        #expect(try apus.admin("GET", "/v1/status").status == 200)
        #expect(!waiting.isDone)
        #expect(apus.terminate() == .exited(0))
        let answer = try waiting.value()
        #expect(answer.status == 503 && answer.text.contains("stops before it can see them healthy"), "\(answer.text)")
    }

    @Test("Clients that disconnect while they wait are removed: after 300 of them the next one is served")
    func givesUp() throws {
        let apus = try ApusProcess.start(Document(try TargetServer("old")))
        let port = try PortAllocator.port()
        let body: JSON = ["targets": [Document.Address(port: port).json], "wait": true, "timeoutSeconds": 3600]
        let text = body.text
        for _ in 0..<300 {
            let client = try RawClient(path: apus.socketPath)
            try client.send(
                "POST /v1/target-groups/blue/targets HTTP/1.1\r\nHost: apus\r\n"
                    + "Content-Length: \(text.utf8.count)\r\n\r\n\(text)")
            // The socket serves 64 clients: until it has seen the earlier ones disconnect, one more gets 503.
            #expect(eventually { (try? apus.admin("GET", "/v1/status").status) == 200 })
        }
        let new = try TargetServer("new")
        let waited = try apus.command("targets", "register", "blue", "127.0.0.1:\(new.port)", "--wait")
        #expect(waited.status == .exited(0), "\(waited.errors)")
        #expect(eventually { apus.errors.contains("code=ClientGone") }, "the change is logged all the same")
        #expect(try apus.states(of: "blue")["127.0.0.1:\(port)"] != nil)
    }

    @Test("deregister --wait of a port that is not registered: exit 1 with the registered ports, and no change")
    func deregistersTheWrongPort() throws {
        let blue = try TargetServer("blue")
        var document = Document(blue)
        document.groups[0].settings = ["targetType": "instance"]
        document.groups[0].targets = [Document.Address(id: "i-0a1b", port: blue.port)]
        document.instances = ["i-0a1b": "127.0.0.1"]
        let apus = try ApusProcess.start(document)
        let wrong = try apus.command("targets", "deregister", "blue", "i-0a1b", "--wait")
        #expect(wrong.status == .exited(1))
        #expect(
            wrong.errors
                == "apus: i-0a1b:80 is not registered in target group blue, but i-0a1b:\(blue.port) is. Nothing "
                + "was deregistered. Name the port, as in i-0a1b:\(blue.port).\n")
        #expect(wrong.output.isEmpty)
        #expect(try apus.client().get("/still").text == "blue\n")
        let body: JSON = ["targets": [["id": "i-0a1b"]], "wait": true]
        let refused = try apus.admin("POST", "/v1/target-groups/blue/deregister", body)
        #expect(refused.status == 400 && refused.errorCode == "InvalidTarget", "\(refused.text)")
        // Without --wait it is no error, as in ELB's DeregisterTargets.
        let elsewhere = try apus.command("targets", "deregister", "blue", "i-0a1b")
        #expect(elsewhere.status == .exited(0) && elsewhere.errors.isEmpty, "\(elsewhere.errors)")
        let right = try apus.command("targets", "deregister", "blue", "i-0a1b:\(blue.port)", "--wait")
        #expect(right.status == .exited(0) && right.output.hasSuffix("Drained: safe to stop.\n"))
        #expect(
            right.errors
                == "apus: warning: Target group blue has no healthy target left: none is registered. Register one that "
                + "is healthy.\n")
        expectLogged(by: apus, "/still", status: 200, target: "127.0.0.1:\(blue.port)")
    }

    @Test("deregister --wait ends with 4 when exchanges were cut, and says how many")
    func cuts() throws {
        let blue = try TargetServer(script: TargetScript.silence)
        let apus = try ApusProcess.start(Document(blue, group: ["deregistration_delay.timeout_seconds": 0.5]))
        let client = try apus.client()
        try client.send("GET /held HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(eventually { !blue.requests.isEmpty })
        let cut = try apus.command("targets", "deregister", "blue", "127.0.0.1:\(blue.port)", "--wait")
        #expect(cut.status == .exited(4))
        #expect(cut.output.hasSuffix("Drained: 1 exchange was cut.\n"), "\(cut.output)")
        expectMadeHere(try client.response(), 502)
        expectLogged(by: apus, "/held", status: 502, target: "127.0.0.1:\(blue.port)")
    }
}
