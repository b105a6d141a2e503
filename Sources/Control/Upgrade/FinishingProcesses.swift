import Core
import Model

/// The processes whose place this one has taken, directly or one after the other, and which still finish what they had.
///
/// Shape: one object of the control thread. A process is forgotten when its end of the connection is closed.
final class FinishingProcesses: UpgradeConnectionObserver {
    private let loop: ControlLoop
    private var entries: [Entry] = []
    /// Called once none of them has connections.
    private var waits: [() -> Void] = []

    private struct Entry {
        var process: FinishingProcess
        let connection: UpgradeConnection
    }

    /// None.
    init(loop: ControlLoop) { self.loop = loop }

    /// What each of them has told last, the oldest first.
    var all: [FinishingProcess] { entries.map(\.process) }

    /// Calls `action` once none of them has connections of clients any more; at once if so it is.
    func whenDone(_ action: @escaping () -> Void) {
        waits.append(action)
        endWaits()
    }

    private func endWaits() {
        guard entries.allSatisfy({ $0.process.connections == 0 }) else { return }
        let over = waits
        waits = []
        for action in over { action() }
    }

    /// Listens to `process` over `connection`.
    func add(_ process: FinishingProcess, _ connection: UpgradeConnection) {
        connection.observer = self
        entries.append(Entry(process: process, connection: connection))
    }

    /// The same, over a connection that another process has sent.
    func add(_ process: FinishingProcess, _ socket: MessageSocket) {
        add(process, UpgradeConnection(socket, loop: loop))
    }

    /// Sends all connections over `successor`, which then is told what they say.
    func handOver(to successor: UpgradeConnection) {
        for entry in entries { successor.send(.earlier(entry.process), [entry.connection.release()], closing: true) }
        entries = []
    }

    func received(_ message: UpgradeMessage?, _ descriptors: [Int32], by connection: UpgradeConnection) {
        for number in descriptors { FileDescriptor(descriptor: number).close() }
        guard case .left(let connections) = message,
            let index = entries.firstIndex(where: { $0.connection === connection })
        else { return }
        entries[index].process.connections = connections
        endWaits()
    }

    func ended(_ connection: UpgradeConnection) {
        entries.removeAll { $0.connection === connection }
        endWaits()
    }
}
