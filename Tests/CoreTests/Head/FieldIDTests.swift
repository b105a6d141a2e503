import Core
import Testing

@Suite struct FieldIDTests {
    static let names: [(name: String, id: FieldID)] = [
        ("host", .host), ("connection", .connection), ("content-length", .contentLength),
        ("transfer-encoding", .transferEncoding), ("expect", .expect), ("upgrade", .upgrade), ("te", .te),
        ("trailer", .trailer), ("keep-alive", .keepAlive), ("proxy-connection", .proxyConnection),
        ("http2-settings", .http2Settings), ("x-forwarded-for", .xForwardedFor),
        ("x-forwarded-proto", .xForwardedProto), ("x-forwarded-port", .xForwardedPort),
        ("x-amzn-trace-id", .xAmznTraceID), ("user-agent", .userAgent), ("date", .date), ("server", .server),
        ("location", .location), ("content-type", .contentType), ("x-amzn-tls-version", .xAmznTLS),
        ("x-amzn-tls-cipher-suite", .xAmznTLS), ("x-amzn-mtls-clientcert", .xAmznTLS),
        ("x-amzn-mtls-clientcert-serial-number", .xAmznTLS), ("x-amzn-mtls-clientcert-leaf", .xAmznTLS),
        ("x-amzn-mtls-clientcert-issuer", .xAmznTLS), ("x-amzn-mtls-clientcert-subject", .xAmznTLS),
        ("x-amzn-mtls-clientcert-validity", .xAmznTLS), ("sec-websocket-key", .secWebSocketKey),
    ]

    private func identify(_ name: [UInt8]) -> FieldID { FieldID(name.span) }

    @Test func namesCoverAllCases() {
        let named = Set(Self.names.map(\.id))
        #expect(named.union([.other]) == Set(FieldID.allCases))
    }

    @Test(arguments: names) func isKnownInAnyCase(name: String, id: FieldID) {
        var random = FastRandom(seed: 3)
        #expect(identify(Array(name.utf8)) == id)
        #expect(identify(Array(name.uppercased().utf8)) == id)
        for _ in 0..<50 {
            let mixed = name.map { random.next().isMultiple(of: 2) ? $0.uppercased() : "\($0)" }.joined()
            #expect(identify(Array(mixed.utf8)) == id, "\(mixed)")
        }
    }

    /// A name with one edit is another field: one byte replaced (other than by the other case of a letter), removed, or
    /// inserted anywhere.
    @Test(arguments: names) func nearMissesAreOther(name: String, id: FieldID) {
        let bytes = Array(name.utf8)
        for index in bytes.indices {
            for byte in UInt8.min...UInt8.max where byte.lowercased != bytes[index] {
                var changed = bytes
                changed[index] = byte
                #expect(identify(changed) == .other, "byte \(byte) at \(index)")
            }
            var shorter = bytes
            shorter.remove(at: index)
            #expect(identify(shorter) == .other)
        }
        for index in 0...bytes.count {
            for byte in [0x00, 0x09, 0x20, 0x2D, 0x3A, 0x5F, bytes[index % bytes.count]] as [UInt8] {
                var longer = bytes
                longer.insert(byte, at: index)
                #expect(identify(longer) == .other, "byte \(byte) at \(index)")
            }
        }
    }

    /// CGI-like servers cannot distinguish the bytes that stand for dashes in a field's name.
    @Test(arguments: names) func isRecognisedAsCGIVariable(name: String, id: FieldID) {
        for dash in ["_", ".", "+", "!", "~", "-"] {
            let bytes = Array(name.replacing("-", with: dash).utf8)
            #expect(FieldID(cgiVariable: bytes.span) == id, "\(dash)")
        }
        let mixed = Array(name.uppercased().utf8).enumerated().map { $0 % 2 == 0 && $1 == 0x2D ? 0x5F : $1 }
        #expect(FieldID(cgiVariable: mixed.span) == id)
        for other in ["_" + name, name + "_", name.replacing("-", with: "__")] where other != name {
            let bytes = Array(other.utf8)
            #expect(FieldID(cgiVariable: bytes.span) == .other, "\(other)")
        }
        let without = Array(name.replacing("-", with: "").utf8)
        #expect(FieldID(cgiVariable: without.span) == (name.contains("-") ? .other : id))
    }

    @Test func longNameIsNoCGIVariable() {
        let bytes = Array(repeating: UInt8(0x61), count: 41)
        #expect(FieldID(cgiVariable: bytes.span) == .other)
    }

    @Test(arguments: ["", "x", "accept", "cookie", "set-cookie", "x-forwarded-host", "x-real-ip", "content_length"])
    func everythingElseIsOther(name: String) {
        #expect(identify(Array(name.utf8)) == .other)
    }
}
