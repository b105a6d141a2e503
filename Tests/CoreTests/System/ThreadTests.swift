import Core
import Synchronization
import Testing

@Suite struct ThreadTests {
    private func nameInKernel(of name: String) -> String {
        let seen = Mutex("")
        Thread.start(name: name) {
            let comm = (try? readFile("/proc/thread-self/comm")) ?? []
            seen.withLock { $0 = comm.span.text }
        }.join()
        return seen.withLock { $0 }
    }

    @Test func runsAndIsJoined() {
        let total = Atomic(0)
        let threads = (1...8).map { number in
            Thread.start(name: "adding") { total.wrappingAdd(number, ordering: .relaxed) }
        }
        for thread in threads { thread.join() }
        #expect(total.load(ordering: .relaxed) == 36, "join() waits for the end, and makes the thread's writes visible")
    }

    @Test(arguments: [
        ("apus worker 0", "apus worker 0"), ("fifteen bytes!", "fifteen bytes!"),
        ("apus worker 1000", "apus worker 100"), ("", ""), ("ééééééééé", "ééééééé"),
    ]) func hasAName(name: String, kept: String) {
        #expect(nameInKernel(of: name) == kept + "\n")
    }

    /// The closure of a thread is freed when the thread ends.
    @Test func freesItsClosure() {
        final class Thing: Sendable {}
        weak var seen: Thing?
        do {
            let thing = Thing()
            seen = thing
            Thread.start(name: "holding") { _ = thing }.join()
        }
        #expect(seen == nil)
    }
}
