import Core
import Testing

@testable import Proxy

@Suite struct ExchangeTests {
    private static func client() -> ClientConnection {
        let client = ClientConnection(
            transport: Plans.noTransport(to: .client), address: Plans.address("192.0.2.7", 1234),
            listener: WorkerListener(Plans.listener(), actions: [], tickets: Plans.tickets),
            now: Instant(nanoseconds: 5))
        client.consumedCount = 100
        client.writtenCount = 200
        return client
    }

    /// What may be sent twice without doing more than once. Source: RFC 9110 §9.2.2.
    @Test(arguments: [
        ("GET", true), ("HEAD", true), ("OPTIONS", true), ("PUT", true), ("DELETE", true), ("POST", false),
        ("PATCH", false), ("CONNECT", false), ("get", false), ("GETS", false), ("", false), ("PURGE", false),
    ]) func knowsWhatMayBeSentTwice(method: String, isIdempotent: Bool) {
        let exchange = Exchange()
        let bytes = Array(method.utf8)
        exchange.request.appendMethod(bytes.span)
        #expect(exchange.isIdempotent == isIdempotent)
    }

    @Test func joinsAClient() {
        let exchange = Exchange()
        #expect(!exchange.isJoined)
        let client = Self.client()
        exchange.begin(client, now: Instant(nanoseconds: 9), timeOfDay: 1_800_000_000_000_000_000)
        #expect(exchange.isJoined && exchange.client === client)
        #expect(exchange.startedAt == Instant(nanoseconds: 9))
        #expect(exchange.consumedAtStart == 100 && exchange.writtenAtStart == 200)
        #expect(exchange.state.phase == .deciding)
        exchange.end()
        #expect(!exchange.isJoined)
    }

    /// Exchanges are used again: nothing of the last request may show in the next.
    @Test func aReusedExchangeKeepsNothingOfTheLast() {
        let exchange = Exchange()
        exchange.begin(Self.client(), now: Instant(nanoseconds: 1), timeOfDay: 1_800_000_000_000_000_000)
        exchange.request.appendMethod("POST")
        for event in [ExchangeState.Event.forwarded, .connected, .cut] { _ = exchange.state.receive(event) }
        exchange.requestProgress.receive(.prepared)
        exchange.responseProgress.receive(.bytes)
        exchange.clientPersistence.decide(true)
        exchange.targetPersistence.decide(true)
        exchange.share.receive(.granted)
        let pool = TargetPool(Plans.target(0))
        exchange.pool = pool
        exchange.group = Group(Plans.group(0, "blue", []), pools: [], random: 0)
        exchange.target = TargetConnection(
            transport: Plans.noTransport(to: .target), pool: pool, group: Plans.emptyGroup,
            now: Instant(nanoseconds: 0))
        exchange.attempts.begin()
        exchange.attempts.wait(for: pool, now: Instant(nanoseconds: 1))
        exchange.attemptBeganAt = Instant(nanoseconds: 1)
        for flag in Self.flags { exchange[keyPath: flag] = true }
        for count in Self.counts { exchange[keyPath: count] = 7 }
        exchange.redirectURL = exchange.request.method
        exchange.end()
        #expect(exchange.target == nil && exchange.pool == nil && exchange.group == nil)
        #expect(exchange.request.byteCount == 0 && exchange.request.method.isEmpty)

        exchange.begin(Self.client(), now: Instant(nanoseconds: 2), timeOfDay: 1_800_000_000_000_000_000)
        for flag in Self.flags { #expect(!exchange[keyPath: flag], "\(flag)") }
        for count in Self.counts { #expect(exchange[keyPath: count] == 0, "\(count)") }
        #expect(exchange.redirectURL.isEmpty && exchange.attemptBeganAt == nil)
        #expect(exchange.requestProgress == .received && exchange.responseProgress == .awaited)
        #expect(exchange.clientPersistence == .undecided && exchange.targetPersistence == .undecided)
        #expect(exchange.share == .none && !exchange.state.isCut && !exchange.state.isForwarded)
        #expect(exchange.attempts.count == 0 && exchange.attempts.pending.isEmpty && exchange.attempts.tried.isEmpty)
        #expect(exchange.state.phase == .deciding)
    }

    private static var flags: [ReferenceWritableKeyPath<Exchange, Bool>] {
        [
            \.facts.isPersistent, \.facts.isAmbiguous, \.facts.expectsContinue, \.facts.isHEAD,
        ]
    }

    private static var counts: [ReferenceWritableKeyPath<Exchange, Int>] { [\.interimResponses] }

    @Test func usingAReleasedExchangeTraps() async {
        await #expect(processExitsWith: .failure) { _ = Exchange().client }
        await #expect(processExitsWith: .failure) {
            let exchange = Exchange()
            exchange.begin(Self.client(), now: Instant(nanoseconds: 1), timeOfDay: 1_800_000_000_000_000_000)
            exchange.end()
            _ = exchange.client
        }
    }
}
