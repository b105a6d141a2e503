import Core

/// The owner of a descriptor, a timer, or both, on the control thread.
protocol PollHandler: AnyObject {
    /// Its descriptor is ready. It may remove itself, and others.
    func ready(_ ready: Poller.Ready, now: Instant)
    /// Its timer, set by `ControlLoop.schedule`, has come.
    func timerFired(now: Instant)
}

/// The control thread: waits for descriptors and timers, and tells their handlers one after the other.
///
/// Shape:  handlers are retained until they are removed. One pass serves descriptors first, then timers, then the work
///         of `afterBatch`; so an answer that came in time is read before its timeout fires.
/// Limits: none of its own; those that add handlers limit how many.
final class ControlLoop {
    private struct Entry {
        let handler: any PollHandler
        let descriptor: Int32?
    }

    private var poller = Poller()
    private var timers: TimerWheel
    private var entries = Slab<Entry>()
    private var work: [() -> Void] = []
    /// When this pass began.
    private(set) var now: Instant
    /// When the thread last came back after it had been away for too long (`Limits.stall`): a timeout in that time may
    /// be our own fault.
    private(set) var stalledAt: Instant?

    /// A loop without handlers.
    init() {
        now = Instant.now()
        timers = TimerWheel(now: now)
    }

    /// Holds `handler` until `remove`, and watches `descriptor` for it, if there is one.
    func add(_ handler: any PollHandler, descriptor: Int32?, interest: Poller.Interest = .edges) -> Token {
        let token = entries.insert(Entry(handler: handler, descriptor: descriptor))
        if let descriptor { poller.add(descriptor, token: token, interest: interest) }
        return token
    }

    /// Releases the handler, its timer and its descriptor. The owner closes the descriptor afterwards, not before.
    /// A stale token is ignored.
    func remove(_ token: Token) {
        guard let entry = entries.resolve(token) else { return }
        timers.cancel(token)
        if let descriptor = entry.descriptor { poller.remove(descriptor) }
        entries.remove(token)
    }

    /// Calls `timerFired` once, at `deadline` or up to 5 ms later; replaces the deadline that was set before.
    func schedule(_ token: Token, at deadline: Instant) { timers.schedule(token, at: deadline) }

    /// Forgets the deadline, if one is set.
    func cancel(_ token: Token) { timers.cancel(token) }

    /// Runs `work` once, at the end of the current pass: for what all changes of a pass share.
    func afterBatch(_ work: @escaping () -> Void) { self.work.append(work) }

    /// Waits and calls handlers until `isDone` says so, asked between two passes.
    func run(until isDone: () -> Bool) {
        while !isDone() { runOnce() }
    }

    private func runOnce() {
        let deadline = work.isEmpty ? timers.nextDeadline : now
        let began = Instant.now()
        let readyCount = poller.wait(until: deadline, now: began)
        let woken = Instant.now()
        noticeStall(busy: began.since(now), late: deadline.map { woken.since(max($0, began)) } ?? 0, now: woken)
        now = woken
        for index in 0..<readyCount {
            let ready = poller.ready(index)
            entries.resolve(ready.token)?.handler.ready(ready, now: now)
        }
        while let token = timers.nextExpired(now: now) { entries.resolve(token)?.handler.timerFired(now: now) }
        let batch = work
        work = []
        for work in batch { work() }
    }

    /// The thread was away when a pass took long, or when the kernel woke it long after it had asked.
    private func noticeStall(busy: Nanoseconds, late: Nanoseconds, now: Instant) {
        if max(busy, late) > Limits.stall { stalledAt = now }
    }
}
