import Core
import Glibc
import Testing

/// In processes of their own, since signal handling concerns the whole process.
@Suite struct SignalsTests {
    @Test func readsWhatTheOperatorAsksFor() async {
        await #expect(processExitsWith: .success) {
            // Signals sent to a thread are read by that thread.
            let thread = Thread.start(name: "signals") {
                let signals = Signals()
                signals.blockTermination()
                #expect(signals.next() == nil)
                let expected: [(Int32, Signals.Signal)] = [
                    (SIGTERM, .terminate), (SIGINT, .terminate), (SIGHUP, .reload), (SIGUSR1, .reopenLogs),
                    (SIGCHLD, .childEnded),
                ]
                for (number, signal) in expected {
                    raise(number)
                    #expect(awaitReadable(signals.descriptor))
                    #expect(signals.next() == signal, "signal \(number)")
                    #expect(signals.next() == nil)
                }
            }
            thread.join()
        }
    }

    @Test func brokenPipeDoesNotEndTheProcess() async {
        await #expect(processExitsWith: .success) {
            Thread.start(name: "signals") {
                _ = Signals()
                raise(SIGPIPE)
            }.join()
        }
    }

    /// Threads started later inherit the mask, so that a signal to one of them is read instead of ending the process.
    @Test func laterThreadsLeaveSignalsToBeRead() async {
        await #expect(processExitsWith: .success) {
            Thread.start(name: "signals") {
                Signals().blockTermination()
                Thread.start(name: "later") {
                    raise(SIGTERM)
                    raise(SIGHUP)
                }.join()
            }.join()
        }
    }

    /// SIGTERM and SIGINT end a process that is still starting, and one whose start has failed.
    @Test(arguments: [false, true]) func terminationSignalsEndTheProcessUnlessBlocked(isReleased: Bool) async {
        await #expect(processExitsWith: .signal(SIGTERM)) { [isReleased] in
            // The parent process may have blocked it.
            Signals().unblockTermination()
            let signals = Signals()
            if isReleased {
                signals.blockTermination()
                signals.unblockTermination()
            }
            raise(SIGTERM)
        }
    }
}
