import COpenSSL
import Core
import Testing

@testable import TLS

/// Session resumption by tickets.
@Suite struct TLSServerContextTicketsTests {
    static let policies = [Contexts.policy, Contexts.policy12]

    /// A ticket of `server` for a client with the context `client`.
    private func ticket(
        _ server: TLSServerContext, _ client: TLSClientContext, name: String = "localhost"
    ) throws -> TLSResumption {
        let pair = Pair(server, client, name: name).handshake()
        try #require(pair.isDone)
        // In TLS 1.3 the ticket comes with the first data.
        #expect(pair.answer("first") == "first")
        return try #require(pair.client.takeResumption())
    }

    private func isResumed(
        _ server: TLSServerContext, _ client: TLSClientContext, _ ticket: TLSResumption, name: String = "localhost"
    ) -> Bool {
        let pair = Pair(server, client, name: name, resuming: ticket).handshake()
        #expect(pair.isDone)
        #expect(pair.client.isResumed == pair.server.isResumed)
        #expect((pair.server.certificateIndex == nil) == pair.server.isResumed)
        #expect(pair.deliver("again") == "again")
        return pair.server.isResumed
    }

    @Test(arguments: policies) func resumesAReturningClient(policy: TLSPolicy) throws {
        let (server, client) = (Contexts.server(policy: policy), Contexts.client())
        #expect(isResumed(server, client, try ticket(server, client)))
        #expect(
            isResumed(
                server, client, try ticket(server, client, name: "a.wild.example.com"),
                name: "a.wild.example.com"))
    }

    @Test(arguments: policies) func eachResumedSessionCanBeResumedInTurn(policy: TLSPolicy) throws {
        let (server, client) = (Contexts.server(policy: policy), Contexts.client())
        var kept = try ticket(server, client)
        for _ in 0..<5 {
            let pair = Pair(server, client, resuming: kept).handshake()
            #expect(pair.server.isResumed)
            #expect(pair.answer("again") == "again")
            kept = try #require(pair.client.takeResumption())
        }
    }

    @Test(arguments: policies) func oneTicketIsIssuedAndTakenOnce(policy: TLSPolicy) throws {
        let pair = Pair(Contexts.server(policy: policy)).handshake()
        #expect(pair.answer("first") == "first")
        #expect(pair.client.takeResumption() != nil)
        #expect(pair.client.takeResumption() == nil)
        #expect(pair.server.takeResumption() == nil)
    }

    @Test(arguments: policies) func ticketsHaveTheLifetimeOfTheRing(policy: TLSPolicy) throws {
        let ring = TLSTicketKeyRing(current: .random(), lifetime: 1234)
        let kept = try ticket(Contexts.server(policy: policy, tickets: ring), Contexts.client())
        #expect(unsafe SSL_SESSION_get_ticket_lifetime_hint(kept.session) == 1234)
    }

    @Test(arguments: policies) func itIsResumedByAnotherWorkerAndAfterARebuild(policy: TLSPolicy) throws {
        let key = TLSTicketKey.random()
        let client = Contexts.client()
        func worker() -> TLSServerContext {
            Contexts.server(policy: policy, tickets: TLSTicketKeyRing(current: key, lifetime: 3600))
        }
        #expect(isResumed(worker(), client, try ticket(worker(), client)))
    }

    @Test(arguments: policies) func itIsResumedAfterOneRotationAndNotAfterTwo(policy: TLSPolicy) throws {
        let keys = (0..<3).map { _ in TLSTicketKey.random() }
        let ring = TLSTicketKeyRing(current: keys[0], lifetime: 3600)
        let (server, client) = (Contexts.server(policy: policy, tickets: ring), Contexts.client())
        let (first, second) = (try ticket(server, client), try ticket(server, client))
        ring.adopt(current: keys[1], previous: keys[0])
        // The old ticket is renewed: the new one is encrypted by the new key, and stays valid after the next rotation.
        let pair = Pair(server, client, resuming: first).handshake()
        #expect(pair.server.isResumed)
        #expect(pair.answer("first") == "first")
        let renewed = try #require(pair.client.takeResumption())
        ring.adopt(current: keys[2], previous: keys[1])
        #expect(isResumed(server, client, renewed))
        #expect(!isResumed(server, client, second))
    }

    @Test(arguments: policies) func itIsNotResumedByAnotherCertificatePolicyOrAuthentication(policy: TLSPolicy) throws {
        let ring = TLSTicketKeyRing(current: .random(), lifetime: 3600)
        let (server, client) = (Contexts.server(policy: policy, tickets: ring), Contexts.client())
        #expect(
            !isResumed(
                Contexts.server([Mint.rsa.served()], policy: policy, tickets: ring), client, try ticket(server, client))
        )
        var renamed = policy
        renamed.name = "another"
        #expect(!isResumed(Contexts.server(policy: renamed, tickets: ring), client, try ticket(server, client)))
        #expect(
            !isResumed(
                Contexts.server(policy: policy, authentication: .passthrough, tickets: ring), client,
                try ticket(server, client)))
    }

    @Test(arguments: policies) func itIsNotResumedUnderAnotherNamesCertificate(policy: TLSPolicy) throws {
        let other = Minted("other", by: Mint.root, names: "DNS:other.test").served()
        let server = Contexts.server([Mint.ecdsa.served(), other], policy: policy)
        // Our client would not try this, so the test gives it a ticket marked with the other name.
        let client = Contexts.client()
        let kept = try ticket(server, client)
        unsafe SSL_SESSION_up_ref(kept.session)
        let moved = unsafe TLSResumption(kept.session, context: client, name: Array("other.test".utf8))
        #expect(!isResumed(server, client, moved, name: "other.test"))
    }

    @Test(arguments: policies) func withClientCertificatesThereAreNoTickets(policy: TLSPolicy) {
        let pair = Pair(Contexts.server(policy: policy, authentication: .passthrough)).handshake()
        #expect(pair.isDone)
        #expect(pair.answer("first") == "first")
        #expect(pair.client.takeResumption() == nil)
    }

    @Test func aTicketOfAnotherTargetIsIgnored() throws {
        let (server, client) = (Contexts.server(), Contexts.client())
        #expect(!isResumed(server, client, try ticket(server, client), name: "another"))
        #expect(!isResumed(server, Contexts.client(), try ticket(server, client)))
    }

    @Test func ticketIsValidAfterItsSession() throws {
        let (server, client) = (Contexts.server(), Contexts.client())
        let ticket = try {
            let pair = Pair(server, client).handshake()
            #expect(pair.answer("first") == "first")
            return try #require(pair.client.takeResumption())
        }()
        #expect(isResumed(server, client, ticket))
    }
}
