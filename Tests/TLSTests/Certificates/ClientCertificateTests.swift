import Testing

@testable import TLS

@Suite struct ClientCertificateTests {
    private func show(_ certificate: Minted, chain: [Minted] = []) -> ClientCertificate? {
        let context = Contexts.server(authentication: .passthrough)
        return RawClient(context, .init(certificate: certificate, chain: chain)).handshake().server.clientCertificate
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func hasTheFactsOfTheHeaderFields() throws {
        let client = Minted("client, \"the\" one\r\nX: é", by: Mint.intermediate, serial: 0x03A5B1)
        let shown = try #require(show(client))
        #expect(text(shown.serialNumber) == "03A5B1")
        #expect(text(shown.issuer) == "CN=Intermediate,O=Apus tests")
        #expect(text(shown.subject) == #"CN=client\, \"the\" one\0D\0AX: \C3\A9,O=Apus tests"#)
        let validity = text(shown.validity)
        #expect(
            validity.wholeMatch(of: /NotBefore=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ;NotAfter=\d{4}-\d\d-\d\dT[\d:]{8}Z/)
                != nil)
    }

    @Test func pemIsURLEncodedExceptSafeCharacters() throws {
        let client = Minted("client", by: Mint.intermediate)
        let shown = try #require(show(client, chain: [Mint.intermediate, Mint.root]))
        #expect(text(shown.leaf).hasPrefix("-----BEGIN%20CERTIFICATE-----%0AMII"))
        #expect(text(shown.leaf).hasSuffix("%0A-----END%20CERTIFICATE-----%0A"))
        #expect(decoded(shown.leaf) == client.pem)
        #expect(decoded(shown.chain) == client.pem + Mint.intermediate.pem + Mint.root.pem)
        let base64 = Set(String(decoding: client.pem, as: UTF8.self))
        for safe in "+=/" where base64.contains(safe) { #expect(text(shown.leaf).contains(safe)) }
    }

    private func decoded(_ bytes: [UInt8]) -> [UInt8] {
        let text = text(bytes)
        return Array(text.replacing("%20", with: " ").replacing("%0A", with: "\n").utf8)
    }
}
