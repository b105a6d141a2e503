import Synchronization

/// A value that several threads of a scenario share, behind a lock.
final class Locked<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    /// Puts the value behind a lock.
    init(_ value: Value) { mutex = Mutex(value) }

    /// Reads or changes the value while no other thread does.
    func withLock<Result: Sendable>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        try mutex.withLock { try body(&$0) }
    }

    /// A copy of the value as it is now.
    var value: Value { mutex.withLock { $0 } }
}
