import Core
import Model
import Testing

@testable import Control

/// Who asked first, and how long those are remembered who are gone.
@Suite struct ClaimHistoryTests {
    private static func claim(_ name: String, host: String, since: String) throws -> Claim {
        let labels = try #require(try ContainerLabels.read(["apus.host": host]))
        let target = Discovered.Target(TargetDescription(id: "10.0.0.1", port: 80), name: name, identity: name)
        return Claim(container: name, labels: labels, target: target, since: since)
    }

    private static func at(_ seconds: UInt64) -> Instant { Instant(nanoseconds: 1 + seconds * 1_000_000_000) }

    private static func text(_ claims: [Claim]) -> [String] {
        claims.map { "\($0.container) \($0.since)\($0.target == nil ? " gone" : "")" }
    }

    @Test func aGroupIsAsOldAsItsFirstContainer() throws {
        var history = ClaimHistory([])
        let (one, two) = (
            try Self.claim("one", host: "a", since: "1"), try Self.claim("two", host: "a", since: "2")
        )
        let text1 = Self.text(history.take([one, two], now: Self.at(0)))
        #expect(text1 == ["one 1", "two 1"])
        let text2 = Self.text(history.take([two], now: Self.at(1)))
        #expect(text2 == ["two 1"])
        let again = try Self.claim("one", host: "a", since: "5")
        let text3 = Self.text(history.take([again, two], now: Self.at(2)))
        #expect(text3 == ["one 1", "two 1"])
        #expect(history.nextEnd == nil)
    }

    @Test func anEmptyGroupIsKeptForAMinuteAndIsNewAfterThat() throws {
        var history = ClaimHistory([])
        let one = try Self.claim("one", host: "a", since: "1")
        _ = history.take([one], now: Self.at(0))
        let text4 = Self.text(history.take([], now: Self.at(10)))
        #expect(text4 == ["one 1 gone"])
        let text5 = Self.text(history.take([], now: Self.at(20)))
        #expect(text5 == ["one 1 gone"])
        #expect(history.nextEnd == Self.at(70))
        let isEarly = history.forgetEmpty(now: Self.at(69))
        #expect(!isEarly)
        // Whoever is back has to wait behind those who have asked meanwhile.
        let again = try Self.claim("one", host: "a", since: "9")
        let text6 = Self.text(history.take([again], now: Self.at(30)))
        #expect(text6 == ["one 9"])
        _ = history.take([], now: Self.at(40))
        history.holdEmpty(now: Self.at(90))
        let isHeld = !history.forgetEmpty(now: Self.at(110))
        let isOver = history.forgetEmpty(now: Self.at(150))
        let left = history.take([], now: Self.at(150))
        #expect(isHeld && isOver && left.isEmpty)
    }

    @Test func whatAnotherProcessHasHeardGoesOn() throws {
        let (one, two) = (
            try Self.claim("one", host: "a", since: "1"), try Self.claim("two", host: "b", since: "2")
        )
        var history = ClaimHistory([one, two])
        let later = try Self.claim("one-b", host: "a", since: "7")
        let text7 = Self.text(history.take([later], now: Self.at(0)))
        #expect(text7 == ["one-b 1", "two 2 gone"])
    }

    @Test func thoseWithoutContainersDoNotGather() throws {
        var history = ClaimHistory([])
        let many = try (0..<(Limits.emptyClaimsMax + 50)).map { try Self.claim("c", host: "a\($0)", since: "1") }
        _ = history.take(many, now: Self.at(0))
        let left = history.take([], now: Self.at(9999))
        #expect(left.count == Limits.emptyClaimsMax)
    }
}
