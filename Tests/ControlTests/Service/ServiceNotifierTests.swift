import Core
import Logging
import TestRuns
import Testing

@testable import Control

@Suite struct ServiceNotifierTests {
    private let loop = ControlLoop()
    private let log = RecordingLog()

    private func make(
        _ address: String?, watchdog: Nanoseconds? = nil, summary: @escaping () -> String = { "Serving" }
    ) -> ServiceNotifier? {
        var environment = ServiceEnvironment()
        environment.notifySocket = address
        environment.watchdogTime = watchdog
        return ServiceNotifier(environment, loop: loop, logger: Logger(label: "test") { _ in log }, summary: summary)
    }

    /// Lets the loop run until a datagram has come.
    private func next(_ receiver: NotifyReceiver) -> [String]? {
        var lines: [String]?
        _ = run(loop) {
            // Asked once more at the end.
            if lines == nil { lines = receiver.next(within: 0) }
            return lines != nil
        }
        return lines
    }

    @Test func nobodyWantsToBeTold() {
        #expect(make(nil) == nil && log.lines.isEmpty)
        #expect(make("relative") == nil && log.lines.count == 1)
    }

    @Test func tellsTheLifeOfAService() throws {
        let receiver = try NotifyReceiver()
        let notifier = try #require(make(receiver.address))
        notifier.reloadBegan()
        notifier.reloadEnded(wasRefused: true)
        #expect(receiver.next(within: 0) == nil, "a service that is not ready cannot be reloading")
        notifier.ready()
        notifier.ready()
        #expect(receiver.next() == ["READY=1", "STATUS=Serving"])

        let before = Instant.now().nanoseconds / 1000
        notifier.reloadBegan()
        let reloading = try #require(receiver.next())
        #expect(reloading.first == "RELOADING=1" && reloading.count == 3, "READY=1 was told once")
        let time = try #require(UInt64(reloading[1].dropFirst("MONOTONIC_USEC=".count)))
        #expect((before...Instant.now().nanoseconds / 1000).contains(time))
        notifier.reloadEnded(wasRefused: true)
        #expect(receiver.next() == ["READY=1", "STATUS=Serving; the last reload was refused, see the log"])
        notifier.reloadBegan()
        notifier.reloadEnded(wasRefused: false)
        #expect(receiver.next()?.first == "RELOADING=1")
        #expect(receiver.next() == ["READY=1", "STATUS=Serving"])

        notifier.stopping(grace: 30)
        notifier.reloadBegan()
        notifier.reloadEnded(wasRefused: false)
        notifier.stopping(grace: 30)
        #expect(receiver.next() == ["STOPPING=1", "STATUS=Finishing what is in flight, for at most 30.0 s"])
        #expect(receiver.next(within: 0) == nil)
    }

    @Test func oneOfTwoProcessesTells() throws {
        let receiver = try NotifyReceiver()
        let old = try #require(make(receiver.address, watchdog: 40_000_000) { "\(Instant.now().nanoseconds)" })
        old.ready()
        #expect(receiver.next()?.first == "READY=1")
        old.statusMayHaveChanged()
        old.handedOver(to: 4711)
        #expect(receiver.next() == ["MAINPID=4711"])
        old.statusMayHaveChanged()
        old.reloadBegan()
        old.reloadEnded(wasRefused: false)
        old.stopping(grace: 1)
        old.ready()
        let new = try #require(make(receiver.address, watchdog: 60_000_000_000))
        #expect(receiver.next(within: 0) == nil)
        new.tookOver()
        new.tookOver()
        new.ready()
        #expect(receiver.next() == ["READY=1", "MAINPID=\(SystemProcess.id)", "STATUS=Serving"])
        #expect(next(receiver) == ["WATCHDOG=1"], "at once: the other one feeds it no more")
        // Longer than the other one would wait to feed the watchdog, or to tell its status.
        let end = Instant.now() + Limits.statusInterval + 100_000_000
        _ = run(loop) { Instant.now() > end }
        #expect(receiver.next(within: 0) == nil)
        new.stopping(grace: 1)
        #expect(receiver.next()?.first == "STOPPING=1")
    }

    @Test func tellsTheStatusOnceWhenItHasChanged() throws {
        let receiver = try NotifyReceiver()
        var summary = "1 of 2"
        let notifier = try #require(make(receiver.address) { summary })
        notifier.ready()
        #expect(next(receiver) == ["READY=1", "STATUS=1 of 2"])
        for text in ["2 of 2", "0 of 2", "3 of 3"] {
            summary = text
            notifier.statusMayHaveChanged()
        }
        #expect(receiver.next(within: 0) == nil, "not at once")
        #expect(next(receiver) == ["STATUS=3 of 3"])
        notifier.statusMayHaveChanged()
        summary = "4 of 4"
        #expect(next(receiver) == ["STATUS=4 of 4"], "what is the same is not told")
    }

    @Test func feedsTheWatchdogAtHalfItsTime() throws {
        let receiver = try NotifyReceiver()
        let began = Instant.now()
        let notifier = try #require(make(receiver.address, watchdog: 100_000_000))
        for count in 1...4 {
            #expect(next(receiver) == ["WATCHDOG=1"])
            #expect(Instant.now().since(began) >= Nanoseconds(count) * 50_000_000)
        }
        withExtendedLifetime(notifier) {}
    }

    /// A reload that was told in part would leave the service manager waiting for ever.
    @Test func whatIsNotTakenIsSentAgain() throws {
        let receiver = try NotifyReceiver()
        let notifier = try #require(make(receiver.address))
        notifier.ready()
        let other = try NotifySocket(receiver.address)
        defer { other.close() }
        while other.send("X=1") == .sent {}
        for _ in 0..<3 {
            notifier.reloadBegan()
            notifier.reloadEnded(wasRefused: false)
        }
        #expect(next(receiver)?.first == "READY=1")
        while receiver.next(within: 0) == ["X=1"] {}
        #expect(next(receiver)?.first == "RELOADING=1")
        #expect(next(receiver)?.first == "READY=1")
        #expect(receiver.next(within: 0) == nil && log.lines.isEmpty)
    }

    @Test func aSocketThatIsGoneIsSaidOnce() throws {
        let notifier = try #require(make(TestRun.newPath()))
        notifier.ready()
        notifier.stopping(grace: 1)
        #expect(log.lines.count == 1 && log.lines.first?.contains("cannot be told") == true, "\(log.lines)")
    }

    /// The service manager may be away for a moment: that this is the main process must reach it.
    @Test func whatASocketThatIsGoneMissesIsToldLater() throws {
        let path = TestRun.newPath()
        let notifier = try #require(make(path))
        notifier.tookOver()
        notifier.reloadBegan()
        notifier.reloadEnded(wasRefused: false)
        let receiver = try NotifyReceiver(path: path)
        #expect(next(receiver)?.prefix(2) == ["READY=1", "MAINPID=\(SystemProcess.id)"])
        #expect(next(receiver)?.first == "RELOADING=1")
        #expect(next(receiver)?.first == "READY=1")
    }
}
