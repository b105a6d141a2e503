import Core
import Synchronization

/// A thread that does blocking work on files for the control thread, and hands back what each job returns.
///
/// Shape:  one object of the control thread. Jobs run one after the other, in their order. The thread starts with the
///         first of them, when root's rights have been laid down.
/// Limits: a disk that does not answer holds up the jobs behind it; `run` can limit how long its caller waits. Behind
///         `Limits.lateJobsMax` jobs whose callers have stopped waiting, no such job is taken.
final class DiskThread: PollHandler {
    private struct Waiting {
        let deadline: Instant
        /// Hands over what the job has returned, or nil.
        let complete: () -> Void
    }

    private let name: String
    private let loop: ControlLoop
    private var token = Token.none
    private let jobs = Mailbox<Job>()
    private let done = Mailbox<UInt64>()
    private var waiting: [UInt64: Waiting] = [:]
    private var jobCount: UInt64 = 0
    /// Jobs that are not done, and whose callers have stopped waiting.
    private var late: Set<UInt64> = []

    private enum Job: Sendable {
        case work(id: UInt64, @Sendable () -> Void)
        case end
    }

    /// A thread called `name`, whose results come by `loop`.
    init(name: String, loop: ControlLoop) {
        self.name = name
        self.loop = loop
        token = loop.add(self, descriptor: done.wakeup.descriptor, interest: .readable)
    }

    /// Has `work` done on the thread, and calls `completion` with what it returned; with nil if that was not there
    /// within `timeout`. Work that comes too late is done, and what it returned is dropped. With a `timeout`, `nil`
    /// comes at the end of the pass if the thread is stuck with as many late jobs as it may hold.
    func run<Outcome: Sendable>(
        within timeout: Nanoseconds? = nil, _ work: @escaping @Sendable () -> Outcome,
        completion: @escaping (Outcome?) -> Void
    ) {
        if timeout != nil, late.count >= Limits.lateJobsMax { return loop.afterBatch { completion(nil) } }
        if jobCount == 0 { start() }
        jobCount += 1
        let (id, outcome) = (jobCount, Returned<Outcome>())
        let deadline = timeout.map { Instant.now() + $0 } ?? .distantFuture
        waiting[id] = Waiting(deadline: deadline) { completion(outcome.value.withLock { $0 }) }
        jobs.send(
            .work(id: id) {
                let value = work()
                outcome.value.withLock { $0 = value }
            })
        scheduleNext()
    }

    /// Ends the thread after its last job, and drops what that returns. Called once.
    func close() {
        loop.remove(token)
        waiting = [:]
        if jobCount > 0 { jobs.send(.end) }
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        for id in done.takeAll() {
            late.remove(id)
            waiting.removeValue(forKey: id)?.complete()
        }
        scheduleNext()
    }

    func timerFired(now: Instant) {
        for (id, job) in waiting.filter({ $0.value.deadline <= now }).sorted(by: { $0.key < $1.key }) {
            waiting[id] = nil
            late.insert(id)
            job.complete()
        }
        scheduleNext()
    }

    private func scheduleNext() {
        let next = waiting.values.map(\.deadline).min() ?? .distantFuture
        if next == .distantFuture { loop.cancel(token) } else { loop.schedule(token, at: next) }
    }

    /// Returns the id of a job that was done; nil for the end of all.
    private static func perform(_ job: Job) -> UInt64? {
        guard case .work(let id, let work) = job else { return nil }
        work()
        return id
    }

    private func start() {
        _ = Thread.start(name: name) { [jobs, done] in
            while true {
                jobs.wakeup.wait(timeoutMilliseconds: -1)
                var batch = Array(jobs.takeAll().reversed())
                while !batch.isEmpty {
                    // A job's closure is freed before its completion is called.
                    guard let id = Self.perform(batch.removeLast()) else { return }
                    done.send(id)
                }
            }
        }
    }
}

/// What a job has returned, for the other thread to take.
private final class Returned<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}
