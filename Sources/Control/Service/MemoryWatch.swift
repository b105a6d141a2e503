import Core
import Proxy

/// Gives memory back to the system when there was much to do and it is over.
///
/// Shape:  looks every `Limits.memoryWatchInterval`, on the control thread. Workers free what they keep for reuse, each
///         on its own thread; malloc returns free memory on the thread that reads files, since that takes long. A
///         worker that allocates meanwhile may wait for some milliseconds.
final class MemoryWatch: PollHandler {
    private let loop: ControlLoop
    private let workers: [WorkerHandle]
    private let disk: DiskThread
    private var surplus = MemorySurplus()
    private var token = Token.none

    /// Watches from now on, for as long as `loop` runs.
    init(_ workers: [WorkerHandle], disk: DiskThread, loop: ControlLoop) {
        self.workers = workers
        self.disk = disk
        self.loop = loop
        _ = surplus.step(resident: ProcessFigures.residentBytes(), held: 0)
        token = loop.add(self, descriptor: nil)
        loop.schedule(token, at: Instant.now() + Limits.memoryWatchInterval)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) {
        loop.schedule(token, at: now + Limits.memoryWatchInterval)
        let held = workers.reduce(0) { $0 &+ $1.counters.bytesHeld.value }
        switch surplus.step(resident: ProcessFigures.residentBytes(), held: held) {
        case .nothing: break
        case .reuse: for worker in workers { worker.mailbox.send(.returnMemory) }
        case .malloc: disk.run(ProcessMemory.returnMemory) { _ in }
        }
    }
}

/// Decides when memory is returned: when much more is in use than connections hold.
///
/// Shape:  one step per look. After a rise, what is kept for reuse goes first, and what malloc keeps at the next look;
///         what is left then is the measure for the next rise.
struct MemorySurplus {
    /// What to give back.
    enum Release: Equatable {
        case nothing
        /// What workers keep for reuse.
        case reuse
        /// What malloc keeps.
        case malloc
    }

    /// The surplus after what could be given back was, or at the first look. Units: bytes.
    private var base: UInt64?
    private var last = Release.nothing

    /// Evaluates the process's `resident` bytes and the bytes `held` for connections.
    mutating func step(resident: UInt64, held: UInt64) -> Release {
        let surplus = resident > held ? resident - held : 0
        switch last {
        case .nothing:
            guard let base else {
                self.base = surplus
                return .nothing
            }
            self.base = min(base, surplus)
            // While much is held it may grow and shrink from one look to the next.
            if surplus > base + Limits.memorySurplusMax, held < surplus / 2 { last = .reuse }
        case .reuse: last = .malloc
        case .malloc:
            base = surplus
            last = .nothing
        }
        return last
    }
}
