import Foundation

/// Work on a thread of its own, and its result.
final class Background<Value: Sendable>: Sendable {
    private let result = Locked<Result<Value, any Error>?>(nil)

    /// Starts the work.
    init(_ work: @escaping @Sendable () throws -> Value) {
        let thread = Thread { [result] in
            let outcome = Result { try work() }
            result.withLock { $0 = outcome }
        }
        thread.stackSize = 1 << 19
        thread.start()
    }

    /// Whether there is a result.
    var isDone: Bool { result.value != nil }

    /// Waits for the result.
    func value(within seconds: Double = 60) throws -> Value {
        guard let outcome = eventually(within: seconds, produce: { result.value }) else {
            throw WireError.silence(after: "\(seconds) s of work")
        }
        return try outcome.get()
    }
}

/// A gate at which a scripted target waits until the scenario opens it.
final class Gate: Sendable {
    private let isOpen = Locked(false)

    /// Opens the gate for good.
    func open() { isOpen.withLock { $0 = true } }

    /// Waits until it is open, a minute at most.
    func wait() { _ = opens(within: 60) }

    /// Whether it is open, or is opened within `seconds`.
    func opens(within seconds: Double) -> Bool { eventually(within: seconds) { isOpen.value } }
}
