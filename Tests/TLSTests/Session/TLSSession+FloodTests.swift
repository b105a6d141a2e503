import COpenSSL
import Core
import Testing

@testable import TLS

/// Floods of handshake records after the handshake.
@Suite struct TLSSessionFloodTests {
    /// Makes `client` send `count` KeyUpdates, each requesting one in return.
    private func updateKeys(_ client: RawClient, _ count: Int) {
        for _ in 0..<count {
            unsafe SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED)
            unsafe SSL_do_handshake(client.ssl)
        }
    }

    @Test func aFewKeyUpdatesAreFine() {
        let client = RawClient(Contexts.server()).handshake()
        updateKeys(client, 20)
        #expect(client.send("new keys") == .bytes(8))
        _ = client.read()
        #expect(client.server.seal(bytes: [65]))
        client.distribute()
        #expect(client.read() == "A")
    }

    @Test func aFloodOfKeyUpdatesEndsTheSession() {
        let client = RawClient(Contexts.server()).handshake()
        updateKeys(client, 2000)
        #expect(client.send("x") == .failed(.keyUpdateFlood))
        #expect(client.send("x") == .failed(.keyUpdateFlood))
        #expect(!client.server.seal(bytes: [65]))
        // It received close_notify.
        _ = client.read()
        #expect(unsafe SSL_get_shutdown(client.ssl) & SSL_RECEIVED_SHUTDOWN != 0)
    }

    @Test func dataAllowsMoreOfThem() {
        let client = RawClient(Contexts.server()).handshake()
        let data = String(repeating: "x", count: 16 * 1024)
        for _ in 0..<200 {
            updateKeys(client, 1)
            // Slightly more than a MiB.
            for _ in 0..<65 { #expect(client.send(data) == .bytes(data.utf8.count)) }
            _ = client.read()
        }
    }

    @Test func repeatedRenegotiationEndsTheSession() throws {
        let target = RawTarget()
        try #require(target.handshake())
        let plaintext = Buffer(capacity: 1000)
        target.askToRenegotiate(20)
        #expect(target.client.open(target.toClient, into: plaintext) == .nothing)
        #expect(target.client.seal(bytes: [65]))
        target.askToRenegotiate(20)
        #expect(target.client.open(target.toClient, into: plaintext) == .failed(.renegotiation))
        #expect(!target.client.seal(bytes: [65]))
    }

    @Test func renegotiationIsRefused() {
        let client = RawClient(Contexts.server(policy: Contexts.policy12)).handshake()
        unsafe SSL_renegotiate(client.ssl)
        unsafe SSL_do_handshake(client.ssl)
        #expect(client.open() == .nothing)
        #expect(unsafe SSL_do_handshake(client.ssl) != 1)
        #expect(client.alert == UInt8(SSL_AD_NO_RENEGOTIATION))
        #expect(client.server.seal(bytes: [65]))
    }
}
