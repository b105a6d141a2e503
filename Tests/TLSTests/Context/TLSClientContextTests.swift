import Core
import Testing

@testable import TLS

/// Verification of targets.
@Suite struct TLSClientContextTests {
    private func connect(
        _ verification: TLSClientContext.Verification, _ name: String, policy: TLSPolicy = Contexts.policy,
        server: Minted = Mint.ecdsa
    ) -> Pair {
        Pair(Contexts.server([server.served()], policy: policy), Contexts.client(verification), name: name).handshake()
    }

    @Test(arguments: ["localhost", "A.example.com", "x.wild.example.com", "127.0.0.1"])
    func aTargetWithTheNameIsTrusted(name: String) {
        #expect(connect(.roots(Mint.root.pem), name).isDone)
    }

    @Test(arguments: ["other.example.com", "wild.example.com", "x.y.wild.example.com", "127.0.0.2", "::1"])
    func aTargetWithAnotherNameIsNot(name: String) {
        for policy in [Contexts.policy, Contexts.policy12] {
            let pair = connect(.roots(Mint.root.pem), name, policy: policy)
            #expect(pair.clientResult == .failed(.nameMismatch))
            #expect(pair.serverResult == .failed(.alertReceived(42)))
        }
    }

    @Test func aTargetOfAnotherRootIsNotTrusted() {
        let pair = connect(.roots(Mint.other.pem), "localhost")
        #expect(pair.clientResult == .failed(.untrustedTarget))
        #expect(pair.serverResult == .failed(.alertReceived(48)))
        #expect(connect(.systemRoots, "localhost").clientResult == .failed(.untrustedTarget))
    }

    @Test func withoutVerificationAcceptsAnyTarget() {
        for name in ["localhost", "other.example.com", "127.0.0.2", ""] { #expect(connect(.off, name).isDone) }
    }

    @Test func sendsNamesButNoAddressesAsSNI() {
        for (name, sent) in [
            ("Localhost", "localhost"), ("a.example.", "a.example"), ("127.0.0.1", ""), ("::1", ""), ("", ""),
        ] {
            let pair = connect(.off, name)
            #expect(pair.server.sentName == sent)
        }
    }

    @Test func anIntermediateMayBeTheRoot() {
        #expect(connect(.roots(Mint.intermediate.pem), "localhost").isDone)
    }

    @Test func rejectedSessionHasFailed() {
        let pair = connect(.roots(Mint.other.pem), "localhost")
        let empty = TLSSession.Handshake.failed(.untrustedTarget)
        #expect(pair.client.handshake(pair.toClient) == empty)
        pair.client.close()
        #expect(pair.clientWire.outgoing.isEmpty)
        #expect(pair.client.takeResumption() == nil)
    }

    @Test(arguments: [[], Array("nothing".utf8), Array(Mint.root.pem.dropLast(40))])
    func rootsThatCannotBeReadAreRefused(roots: [UInt8]) {
        #expect(throws: TLSMaterialError.self) {
            try TLSClientContext(verification: .roots(roots), applicationProtocols: [])
        }
    }
}
