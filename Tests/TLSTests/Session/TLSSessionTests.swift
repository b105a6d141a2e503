import Core
import Testing

@testable import TLS

@Suite struct TLSSessionTests {
    @Test(arguments: [Contexts.policy, Contexts.policy12])
    func handshakeAndDataExchange(policy: TLSPolicy) throws {
        let pair = Pair(Contexts.server(policy: policy)).handshake()
        try #require(pair.isDone, "\(pair.clientResult) \(pair.serverResult)")
        #expect(pair.server.version == policy.maximum)
        #expect(pair.deliver("hello") == "hello")
        #expect(pair.answer("good morning") == "good morning")
    }

    @Test(arguments: [Contexts.policy, Contexts.policy12])
    func handshakeByteByByte(policy: TLSPolicy) {
        let pair = Pair(Contexts.server(policy: policy))
        var results = (client: pair.client.handshake(nil), server: TLSSession.Handshake.needsMore)
        let (arriving, answering) = (Buffer(capacity: 1 << 16), Buffer(capacity: 1 << 16))
        for _ in 0..<10_000 where results != (.done, .done) {
            pair.send()
            if results.server == .needsMore, shift(pair.toServer, to: arriving) {
                results.server = pair.server.handshake(arriving)
            }
            if results.client == .needsMore, shift(pair.toClient, to: answering) {
                results.client = pair.client.handshake(answering)
            }
        }
        #expect(results == (.done, .done))
    }

    /// Moves one byte. Returns false if there was none.
    private func shift(_ source: Buffer, to sink: Buffer) -> Bool {
        if source.isEmpty { return false }
        sink.append(source.bytes[0])
        source.consume(1)
        return true
    }

    @Test func aClientHelloMayBeSplitOverRecords() {
        let pair = Pair(Contexts.server())
        _ = pair.client.handshake(nil)
        let hello = pair.clientWire.outgoing.content
        let message = Array(hello.dropFirst(5))
        for piece in stride(from: 0, to: message.count, by: 50).map({ message[$0..<min($0 + 50, message.count)] }) {
            let record = [22, 3, 1, 0, UInt8(piece.count)] + piece
            pair.toServer.append(record.span)
        }
        #expect(pair.server.handshake(pair.toServer) == .needsMore)
        #expect(pair.toServer.isEmpty)
        // The handshake must succeed although the client sent its hello in one record.
        move(pair.serverWire.outgoing, to: pair.toClient)
        pair.clientWire.outgoing.removeAll()
        #expect(pair.client.handshake(pair.toClient) == .done)
    }

    @Test(arguments: [Contexts.policy, Contexts.policy12, Contexts.policyCBC])
    func dataGoesBothWaysInPiecesOfAnySize(policy: TLSPolicy) throws {
        var random = FastRandom(seed: 7)
        let pair = Pair(Contexts.server(policy: policy)).handshake()
        try #require(pair.isDone)
        for isToServer in [true, false, true, false] {
            let message = (0..<300_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(carry(message, isToServer, pair, &random) == message)
        }
    }

    /// Encrypts, transfers and decrypts `message` in random pieces.
    private func carry(
        _ message: [UInt8], _ isToServer: Bool, _ pair: Pair, _ random: inout FastRandom
    ) -> [UInt8] {
        let (sender, receiver) = isToServer ? (pair.client, pair.server) : (pair.server, pair.client)
        let onItsWay = isToServer ? pair.toServer : pair.toClient
        let (ciphertext, plaintext) = (Buffer(capacity: 72 * 1024), Buffer(capacity: 40_000))
        var sent = 0
        var received: [UInt8] = []
        while received.count < message.count {
            let count = min(random.next(below: Limits.sealedBytesMax) + 1, message.count - sent)
            if count > 0 && onItsWay.count < 500_000 {
                #expect(sender.seal(bytes: Array(message[sent..<(sent + count)])))
                pair.send()
                sent += count
            }
            ciphertext.compact()
            let arriving = min(random.next(below: 30_000), onItsWay.count, ciphertext.freeCount)
            ciphertext.append(onItsWay.bytes.extracting(0..<arriving))
            onItsWay.consume(arriving)
            switch receiver.open(ciphertext, into: plaintext) {
            case .bytes(let count): #expect(count == plaintext.count)
            case .nothing: #expect(plaintext.isEmpty)
            case .closed, .failed: return received
            }
            received += plaintext.content
            plaintext.removeAll()
        }
        return received
    }

    @Test func aSmallBufferIsFilledAndTheRestIsPending() {
        let pair = Pair(Contexts.server()).handshake()
        let message = [UInt8](repeating: 7, count: 1000)
        #expect(pair.client.seal(bytes: message))
        pair.send()
        let small = Buffer(capacity: 600)
        #expect(pair.server.open(pair.toServer, into: small) == .bytes(600))
        #expect(pair.server.hasPending)
        small.removeAll()
        #expect(pair.server.open(nil, into: small) == .bytes(400))
        #expect(!pair.server.hasPending)
        #expect(pair.server.open(nil, into: small) == .nothing)
    }

    @Test func aRecordThatDoesNotFitStaysInTheCiphertext() {
        let pair = Pair(Contexts.server()).handshake()
        let message = [UInt8](repeating: 7, count: 400)
        for _ in 0..<3 { #expect(pair.client.seal(bytes: message)) }
        pair.send()
        let plaintext = Buffer(capacity: 900)
        #expect(pair.server.open(pair.toServer, into: plaintext) == .bytes(800))
        #expect(!pair.server.hasPending && !pair.toServer.isEmpty)
    }

    @Test func theBeginningOfARecordStaysInTheCiphertext() {
        let pair = Pair(Contexts.server()).handshake()
        #expect(pair.client.seal(bytes: [1, 2, 3]))
        let record = pair.clientWire.outgoing.content
        let plaintext = Buffer(capacity: 100)
        for count in 0..<record.count {
            let ciphertext = Buffer(capacity: 100)
            ciphertext.append(record.span.extracting(0..<count))
            #expect(pair.server.open(ciphertext, into: plaintext) == .nothing)
            #expect(ciphertext.count == count)
        }
        let ciphertext = Buffer(capacity: 100)
        ciphertext.append(record.span)
        #expect(pair.server.open(ciphertext, into: plaintext) == .bytes(3))
    }

    @Test func dataAfterTheHandshakeIsLeftForOpen() {
        let pair = Pair(Contexts.server())
        _ = pair.client.handshake(nil)
        pair.send()
        #expect(pair.server.handshake(pair.toServer) == .needsMore)
        pair.send()
        #expect(pair.client.handshake(pair.toClient) == .done)
        #expect(pair.client.seal(bytes: Array("at once".utf8)))
        pair.send()
        #expect(pair.server.handshake(pair.toServer) == .done)
        let plaintext = Buffer(capacity: 100)
        #expect(pair.server.open(pair.toServer, into: plaintext) == .bytes(7))
        #expect(plaintext.text == "at once")
    }

    @Test func closeNotifyIsAHalfClose() {
        let pair = Pair(Contexts.server()).handshake()
        #expect(pair.client.seal(bytes: [1]))
        pair.client.close()
        pair.client.close()
        pair.send()
        let plaintext = Buffer(capacity: 100)
        #expect(pair.server.open(pair.toServer, into: plaintext) == .bytes(1))
        #expect(pair.server.open(pair.toServer, into: plaintext) == .closed)
        #expect(pair.server.open(nil, into: plaintext) == .closed)
        // The other direction stays open.
        #expect(pair.answer("still here") == "still here")
        #expect(!pair.client.seal(bytes: [1]))
        pair.server.close()
        pair.send()
        #expect(pair.client.open(pair.toClient, into: plaintext) == .closed)
        #expect(!pair.server.seal(bytes: [1]))
    }

    @Test func alteredRecordEndsTheSessionWithAnAlert() {
        let pair = Pair(Contexts.server()).handshake()
        #expect(pair.client.seal(bytes: [1, 2, 3]))
        #expect(pair.client.seal(bytes: [4, 5, 6]))
        var records = pair.clientWire.outgoing.content
        records[records.count - 1] ^= 1
        let ciphertext = Buffer(capacity: 1000)
        ciphertext.append(records.span)
        let plaintext = Buffer(capacity: 100)
        #expect(pair.server.open(ciphertext, into: plaintext) == .bytes(3))
        #expect(pair.server.open(ciphertext, into: plaintext) == .failed(.malformed))
        #expect(pair.server.open(nil, into: plaintext) == .failed(.malformed))
        #expect(!pair.server.seal(bytes: [1]))
        pair.clientWire.outgoing.removeAll()
        pair.send()
        #expect(pair.client.open(pair.toClient, into: plaintext) == .failed(.alertReceived(20)))
    }

    @Test(arguments: ["SSH-2.0-OpenSSH\r\n", "\0\0\0\0\0\0\0\0", "hello there"])
    func nonTLSIsMalformed(bytes: String) {
        let pair = Pair(Contexts.server())
        pair.toServer.append(Array(bytes.utf8).span)
        #expect(pair.server.handshake(pair.toServer) == .failed(.malformed))
    }

    /// A plaintext response of a target before the handshake is rejected. Source: RFC 8446 §5.1.
    @Test func plaintextInsteadOfTLSIsMalformed() {
        let pair = Pair(Contexts.server())
        #expect(pair.client.handshake(nil) == .needsMore)
        pair.toClient.append("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(pair.client.handshake(pair.toClient) == .failed(.malformed))
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /", "CONNECT a:443 HTTP/1.1\r\n", "DELETE / HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.1\r\n", "PATCH /", "PRI * HTTP/2.0\r\n",
    ])
    func plainHTTPIsRecognised(request: String) {
        let pair = Pair(Contexts.server())
        pair.toServer.append(Array(request.utf8).span)
        #expect(pair.server.handshake(pair.toServer) == .failed(.plainHTTP))
        #expect(pair.server.handshake(pair.toServer) == .failed(.plainHTTP))
    }

    @Test func randomBytesNeverTrapOrSucceed() {
        var random = FastRandom(seed: 42)
        let context = Contexts.server()
        for round in 0..<2000 {
            let pair = Pair(context)
            _ = pair.client.handshake(nil)
            var bytes = pair.clientWire.outgoing.content
            if round % 4 == 0 {
                bytes = (0..<random.next(below: 600)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                if round % 8 == 0 && bytes.count > 5 { bytes.replaceSubrange(0..<3, with: [22, 3, 1]) }
            } else {
                for _ in 0...random.next(below: 4) {
                    bytes[random.next(below: bytes.count)] ^= 1 << UInt8(random.next(below: 8))
                }
            }
            pair.toServer.append(bytes.span)
            #expect(pair.server.handshake(pair.toServer) != .done)
        }
    }

    @Test func randomBytesAfterTheHandshakeNeverTrap() {
        var random = FastRandom(seed: 43)
        let context = Contexts.server()
        for _ in 0..<200 {
            let pair = Pair(context).handshake()
            for _ in 0..<3 { #expect(pair.client.seal(bytes: [UInt8](repeating: 1, count: 100))) }
            var bytes = pair.clientWire.outgoing.content
            bytes[random.next(below: bytes.count)] ^= 1 << UInt8(random.next(below: 8))
            pair.toServer.append(bytes.span)
            let plaintext = Buffer(capacity: 1000)
            for _ in 0..<4 { _ = pair.server.open(pair.toServer, into: plaintext) }
            #expect(plaintext.count < 300)
            #expect(bytes.isEmpty || plaintext.count % 100 == 0)
        }
    }
}
