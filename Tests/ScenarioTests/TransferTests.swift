import Testing

/// Bodies of any size, readers and writers of any speed.
@Suite struct TransferTests {
    private static let twoGigabytes = 2_147_483_648
    private static let residentBytesMax = 64 << 20

    @Test("A body of 2 GB in each direction needs less than 64 MB of memory")
    func twoGigabytesEachWay() throws {
        let sink = try TargetServer("sink", script: TargetScript.countBody)
        let source = try TargetServer("source", script: TargetScript.zeroes)
        let apus = try ApusProcess.start(
            Document(
                listeners: [
                    .init(
                        defaultAction: Document.forward("sink"),
                        rules: [Document.rule(1, "path-pattern", ["/\(Self.twoGigabytes)"], Document.forward("source"))]
                    )
                ],
                groups: [.init("sink", servers: [sink]), .init("source", servers: [source])]))
        let download = Background {
            let client = try apus.client()
            try client.send("GET /\(Self.twoGigabytes) HTTP/1.1\r\nHost: a.b\r\n\r\n")
            return try client.response(keep: .countOnly).bodyCount
        }
        let client = try apus.client()
        client.wire.timeout = 120
        try client.send("POST /upload HTTP/1.1\r\nHost: a.b\r\nContent-Length: \(Self.twoGigabytes)\r\n\r\n")
        let block = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<Self.twoGigabytes / block.count { try client.send(block) }
        #expect(try client.response().text == "\(Self.twoGigabytes)")
        #expect(try download.value(within: 180) == Self.twoGigabytes)
        try expectResident(apus, below: Self.residentBytesMax)
        let sent = expectLogged(by: apus, "/upload", status: 200, targetStatus: 200)
        #expect(try #require(sent?.receivedBytes) > Self.twoGigabytes)
        let received = expectLogged(by: apus, "/\(Self.twoGigabytes) ", status: 200, targetStatus: 200)
        #expect(try #require(received?.sentBytes) > Self.twoGigabytes)
    }

    @Test("Slow read: a client that does not read is cut at the minimum rate, and holds no memory meanwhile")
    func readerWhoDoesNotRead() throws {
        let source = try TargetServer(script: TargetScript.zeroes)
        let attributes: [String: JSON] = [
            "apus.min_body_rate.bytes_per_second": 1_000, "apus.min_body_rate.window_seconds": 1,
        ]
        let apus = try ApusProcess.start(Document(source, attributes: attributes))
        let client = try apus.client(receiveBuffer: 4_096)
        try client.send("GET /1000000000 HTTP/1.1\r\nHost: a.b\r\n\r\n")
        let line = expectLogged(by: apus, "/1000000000", status: 200, targetStatus: 200)
        #expect(try #require(line?.sentBytes) < 100_000_000)
        try expectResident(apus, below: Self.residentBytesMax)
        #expect(throws: WireError.self) { try client.response(keep: .countOnly) }
        #expect(try apus.client().get("/1").status == 200)
    }

    @Test("A slow but steady reader is not cut")
    func slowReader() throws {
        let source = try TargetServer(script: TargetScript.zeroes)
        let attributes: [String: JSON] = [
            "apus.min_body_rate.bytes_per_second": 1_000, "apus.min_body_rate.window_seconds": 1,
            "idle_timeout.timeout_seconds": 1,
        ]
        let apus = try ApusProcess.start(Document(source, attributes: attributes))
        let client = try apus.client(receiveBuffer: 4_096)
        try client.send("GET /4000000 HTTP/1.1\r\nHost: a.b\r\n\r\n")
        // Four windows and idle timeouts at some 40 KB/s. The kernel buffers more than that, so Apus sees no progress
        // meanwhile.
        var byteCount = 0
        for _ in 0..<80 {
            guard case .bytes(let bytes) = client.socket.read(most: 2_048, by: .after(10)) else { break }
            byteCount += bytes.count
            _ = always(for: 0.05) { true }
        }
        while byteCount < 4_000_000, case .bytes(let bytes) = client.socket.read(by: .after(10)) {
            byteCount += bytes.count
        }
        #expect(byteCount > 4_000_000)
        expectLogged(by: apus, "/4000000", status: 200, targetStatus: 200)
    }

    @Test("A slow but steady target is not cut, and responds when it has read everything")
    func slowTarget() throws {
        let target = try TargetServer { connection in
            guard var message = try connection.head() else { return }
            // Some four seconds for what the kernels' buffers may have taken at once.
            var byteCount = 0
            while byteCount < 3_500_000 {
                guard case .bytes(let bytes) = connection.wire.socket.read(most: 40_000, by: .after(10)) else { return }
                byteCount += bytes.count
                _ = always(for: 0.05) { true }
            }
            // Bytes read directly from the socket are missing from the body.
            message.framing = .length(4_000_000 - byteCount)
            try connection.readBody(of: &message, keep: .countOnly)
            try connection.respond(body: "read")
        }
        let apus = try ApusProcess.start(Document(target, attributes: ["idle_timeout.timeout_seconds": 1]))
        let client = try apus.client()
        try client.send("POST /slow HTTP/1.1\r\nHost: a.b\r\nContent-Length: 4000000\r\n\r\n")
        try client.send([UInt8](repeating: 0x61, count: 4_000_000))
        #expect(try client.response().text == "read")
        expectLogged(by: apus, "/slow", status: 200, targetStatus: 200)
    }

    @Test("Slow post: a client below the minimum rate gets 408")
    func drippingWriter() throws {
        let target = try TargetServer()
        let attributes: [String: JSON] = [
            "apus.min_body_rate.bytes_per_second": 1_000, "apus.min_body_rate.window_seconds": 1,
        ]
        let apus = try ApusProcess.start(Document(target, attributes: attributes))
        let client = try apus.client()
        try client.send("POST /drip HTTP/1.1\r\nHost: a.b\r\nContent-Length: 1000000\r\n\r\n")
        let deadline = Deadline.after(15)
        while !deadline.hasPassed, !client.wire.hasUnread, !client.ended(within: 0.05) { try? client.send("x") }
        expectMadeHere(try client.response(), 408)
        #expect(client.ended())
        expectLogged(by: apus, "/drip", status: 408)
        #expect(target.requests.allSatisfy { $0.body.isEmpty }, "the body never ended, so no request was complete")
    }

    @Test("Backpressure: a target that reads slowly slows down the client instead of filling memory")
    func targetThatDoesNotRead() throws {
        let gate = Gate()
        let target = try TargetServer { connection in
            guard var message = try connection.head() else { return }
            gate.wait()
            try connection.readBody(of: &message, keep: .countOnly)
            try connection.respond(body: "\(message.bodyCount)")
        }
        let apus = try ApusProcess.start(Document(target))
        let client = try apus.client()
        let size = 300_000_000
        let upload = Background {
            try client.send("POST /held HTTP/1.1\r\nHost: a.b\r\nContent-Length: \(size)\r\n\r\n")
            let block = [UInt8](repeating: 0, count: 1_000_000)
            for _ in 0..<size / block.count { try client.send(block) }
            return try client.response().text
        }
        #expect(eventually { !target.requests.isEmpty })
        #expect(always(for: 1) { !upload.isDone })
        try expectResident(apus, below: Self.residentBytesMax)
        gate.open()
        #expect(try upload.value() == "\(size)")
        expectLogged(by: apus, "/held", status: 200, targetStatus: 200)
    }
}
