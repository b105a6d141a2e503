import Core
import Glibc
import Testing

/// In processes of their own, since what becomes of a signal is the whole process's affair.
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

    @Test func aBrokenPipeKillsNobody() async {
        await #expect(processExitsWith: .success) {
            Thread.start(name: "signals") {
                _ = Signals()
                raise(SIGPIPE)
            }.join()
        }
    }

    /// Threads started later inherit the mask: a signal of theirs waits to be read instead of ending the process.
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

    /// A start that waits for something can be given up, before there is anything to end in order and after it failed.
    @Test(arguments: [false, true]) func theSignalsToEndDoSoUnlessTheyAreHeld(isReleased: Bool) async {
        await #expect(processExitsWith: .signal(SIGTERM)) { [isReleased] in
            // Whoever runs the tests may have blocked it.
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
