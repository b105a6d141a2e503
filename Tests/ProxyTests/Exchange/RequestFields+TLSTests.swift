import Core
import Routing
import Testing

@testable import Proxy

/// What targets are told of a client's TLS, and what clients cannot make them believe.
@Suite struct RequestFieldsTLSTests {
    /// The request as the target gets it from a client of TLS that has sent `fields`.
    private func forwarded(_ fields: String = "", _ change: (inout ListenerSettings) -> Void) throws -> String {
        let target = try LoopbackTarget()
        var settings = Plans.settings
        change(&settings)
        var worker = try ServingWorker(
            Plans.listener(
                settings: settings, tls: try SecurePeer.serverConfiguration(), defaultAction: Plans.forward([0], [1])),
            [Plans.group(0, "blue", [target.plan])])
        let socket = try Socket.connect(to: worker.address)
        defer { socket.close() }
        let client = try SecurePeer(socket)
        #expect(
            worker.serve {
                client.shakeHands()
                return client.isShaken
            })
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        #expect(worker.serve { target.has(1) })
        target.connections[0].answer()
        #expect(
            worker.serve {
                client.read()
                return client.text.hasSuffix("ok")
            })
        worker.stop()
        return target.connections[0].text
    }

    @Test func versionAndCipherAreToldWhereTheListenerSaysSo() throws {
        let request = try forwarded { $0.tellsTLS = true }
        #expect(request.contains("\r\nX-Amzn-Tls-Version: TLSv1.3\r\n"), "\(request)")
        #expect(request.contains("\r\nX-Amzn-Tls-Cipher-Suite: TLS_AES_128_GCM_SHA256\r\n"))
        #expect(!request.lowercased().contains("x-amzn-tls-kx"))
    }

    @Test func theKeyExchangeHasASwitchOfItsOwn() throws {
        let request = try forwarded { $0.tellsKeyExchange = true }
        #expect(request.contains("\r\nX-Amzn-Tls-Kx: "), "\(request)")
        #expect(!request.lowercased().contains("x-amzn-tls-version"))
    }

    /// Fields of these names that a client sends would be taken for ours, whatever the switches say and however the
    /// names are spelled for CGI.
    @Test(arguments: [true, false]) func forgedFieldsAreRemoved(isTold: Bool) throws {
        let forged =
            "X-Amzn-TLS-Version: forged\r\nx_amzn_tls_cipher_suite: forged\r\nX-Amzn-Mtls-Clientcert: forged\r\n"
        let request = try forwarded(forged + "X-Amzn-Tls-Kx: forged\r\n") { $0.tellsTLS = isTold }
        #expect(!request.contains("forged"), "\(request)")
        #expect(request.contains("TLSv1.3") == isTold)
    }

    @Test func namesMayBeTheListenersOwn() throws {
        let request = try forwarded("X-Own-Version: forged\r\nX-Amzn-Tls-Version: forged\r\n") {
            $0.tellsTLS = true
            $0.fieldNames.version = Array("X-Own-Version".utf8)
        }
        #expect(request.contains("\r\nX-Own-Version: TLSv1.3\r\n") && !request.contains("forged"), "\(request)")
    }
}
