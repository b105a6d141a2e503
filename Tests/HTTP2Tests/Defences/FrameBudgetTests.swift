import Core
import Testing

@testable import HTTP2

@Suite struct FrameBudgetTests {
    private let now = Instant(nanoseconds: 0)
    private var budget: FrameBudget

    init() {
        var settings = HTTP2Settings()
        settings.controlBurst = 10
        settings.resetBurst = 3
        budget = FrameBudget(settings, now: now)
    }

    /// How many of a hundred such frames are admitted.
    private mutating func admitted(_ type: UInt8, length: Int = 0, flags: UInt8 = 0) -> Int {
        var count = 0
        while count < 100, budget.admit(FrameHeader(length: length, type: type, flags: flags), now: now) == nil {
            count += 1
        }
        return count
    }

    @Test(arguments: [1, 2, 4, 5, 6, 7, 8, 10, 16, 255] as [UInt8])
    func chargesUselessFrames(type: UInt8) {
        var copy = self
        #expect(copy.admitted(type, length: 5) == 10)
    }

    @Test func dataIsUsefulUnlessItIsEmpty() {
        var copy = self
        #expect(copy.admitted(FrameType.data, length: 1) == 100)
        #expect(copy.admitted(FrameType.data, flags: FrameHeader.endStream) == 100)
        #expect(copy.admitted(FrameType.data, length: 50, flags: FrameHeader.padded) == 10)
        copy.budget.refundData(isEmpty: false)
        #expect(copy.admitted(FrameType.data) == 1)
        copy.budget.dataSent(100, isCutShort: false)
        #expect(copy.admitted(8) == 2)
        copy.budget.dataSent(4096, isCutShort: true)
        #expect(copy.admitted(8) == 4)
        copy.budget.dataSent(1, isCutShort: true)
        #expect(copy.admitted(8) == 0)
        copy.budget.refundForHead()
        #expect(copy.admitted(1) == 5)
    }

    @Test func resetsHaveABudgetOfTheirOwn() {
        var copy = self
        #expect(copy.admitted(FrameType.resetStream, length: 4) == 3)
        #expect(copy.budget.chargeReset(now) == .resetFlood)
        copy.budget.refundReset()
        #expect(copy.budget.chargeReset(now) == nil)
        #expect(copy.admitted(6) == 10)
    }

    /// A client that cancels 50 of 450 requests a second is not cut off; one that cancels 50 of 50 is.
    @Test(arguments: [(served: 400, survives: true), (served: 0, survives: false)])
    func servedRequestsAllowResets(served: Int, survives: Bool) {
        var budget = FrameBudget(HTTP2Settings(), now: now)
        var isFlooded = false
        for tenth in 0..<600 {
            let now = now + Nanoseconds(tenth) * 100_000_000
            for _ in 0..<served / 10 { budget.refundForServedRequest() }
            for _ in 0..<5 { isFlooded = isFlooded || budget.chargeReset(now) != nil }
        }
        #expect(isFlooded != survives)
    }

    @Test func continuationsAreCountedPerHead() {
        var copy = self
        for _ in 0..<3 {
            #expect(copy.budget.admit(FrameHeader(length: 9, type: FrameType.headers), now: now) == nil)
            #expect(copy.admitted(FrameType.continuation, length: 9) == Limits.continuationCountMax)
        }
    }
}
