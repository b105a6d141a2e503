/// Scripts that several scenarios use. A scenario with a story of its own writes its script in place.
enum TargetScript {
    /// Reads requests with their bodies and answers each alike, until Apus ends the connection.
    static func answer(status: Int = 200, body: String, fields: String = "") -> TargetServer.Script {
        { connection in
            while let request = try connection.request() {
                if request.method == "HEAD" {
                    try connection.send(
                        "HTTP/1.1 \(status) Scripted\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n")
                } else {
                    try connection.respond(status: status, body: body, fields: fields)
                }
            }
        }
    }

    /// Answers requests with `body`, those for `/held` only once the gate is open; others with `large` if there is one.
    static func held(by gate: Gate, body: String, large: String? = nil) -> TargetServer.Script {
        { connection in
            while let request = try connection.request() {
                let isHeld = request.target.hasPrefix("/held")
                if isHeld { gate.wait() }
                try connection.respond(body: isHeld ? body : large ?? body)
            }
        }
    }

    /// Answers requests at once, with a body that grows by a byte every 0.2 s until the gate is open: their exchanges
    /// are under way for so long, whatever the idle timeout.
    static func trickling(until gate: Gate) -> TargetServer.Script {
        { connection in
            while try connection.request() != nil {
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                repeat { try connection.send("1\r\na\r\n") } while !gate.opens(within: 0.2)
                try connection.send("0\r\n\r\n")
            }
        }
    }

    /// Answers each request with bytes written out whole, such as a malformed response.
    static func raw(_ response: String) -> TargetServer.Script {
        { connection in
            while try connection.request() != nil { try connection.send(response) }
        }
    }

    /// Answers one request with bytes written out whole, and ends the connection.
    static func rawThenClose(_ response: String) -> TargetServer.Script {
        { connection in
            if try connection.request() != nil { try connection.send(response) }
        }
    }

    /// Reads requests and never answers.
    static let silence: TargetServer.Script = { connection in
        while try connection.request() != nil {}
    }

    /// Answers with the body it was sent; its framing too.
    static let echo: TargetServer.Script = { connection in
        while let request = try connection.request() { try connection.respond(body: request.text) }
    }

    /// Answers like `answer`, and after a quarter of the answers ends the idle connection: at once or a little later.
    ///
    /// `seed` makes the choice of connections repeatable; the moment races with the next request, as it should.
    static func closingIdle(body: String, seed: UInt64) -> TargetServer.Script {
        let random = Locked(SplitMix(state: seed))
        return { connection in
            while try connection.request() != nil {
                try connection.respond(body: body)
                let dice = random.withLock { $0.next() }
                guard dice % 4 == 0 else { continue }
                if dice & 0x80 == 0 { return }
                // Or up to 4 ms later, unless the next request comes first.
                if connection.wire.ended(within: Double(dice >> 8 & 0x3) / 1_000) { return }
                guard connection.wire.hasUnread else { return }
            }
        }
    }

    /// Reads bodies without keeping them and answers with the number of bytes read.
    static let countBody: TargetServer.Script = { connection in
        while let request = try connection.request(keep: .countOnly) {
            try connection.respond(body: "\(request.bodyCount)")
        }
    }

    /// Answers with a body of as many zero bytes as the path names: `/N`.
    static let zeroes: TargetServer.Script = { connection in
        let block = [UInt8](repeating: 0, count: 1 << 20)
        while let request = try connection.request() {
            var left = Int(request.target.dropFirst()) ?? 0
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(left)\r\n\r\n")
            while left > 0 {
                try connection.send(left >= block.count ? block : Array(block.prefix(left)))
                left -= min(left, block.count)
            }
        }
    }
}

/// A small seeded generator (SplitMix64), so that a failing run can be repeated.
struct SplitMix: RandomNumberGenerator, Sendable {
    /// The seed, and what it has become.
    var state: UInt64

    /// The next number.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
