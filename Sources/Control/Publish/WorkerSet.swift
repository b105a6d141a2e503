import Core
import Proxy

/// The workers as control sees them: the mailbox of each, and the generation of the snapshot that it uses.
///
/// Shape: one object of the control thread. Until `attach` there are none, and mail goes nowhere.
final class WorkerSet {
    /// The number of workers.
    let count: Int
    /// The running workers; empty in tests, which read the mailboxes themselves.
    private(set) var handles: [WorkerHandle] = []
    /// The mailbox of each worker.
    private(set) var mailboxes: [Mailbox<WorkerMail>] = []
    private var generations: [UInt64] = []

    /// A set of `count` workers that do not run yet.
    init(count: Int) { self.count = count }

    /// Takes the running workers.
    func attach(_ handles: [WorkerHandle]) {
        self.handles = handles
        attach(mailboxes: handles.map(\.mailbox))
    }

    /// For tests: mail goes to `mailboxes`, without threads that act on it.
    func attach(mailboxes: [Mailbox<WorkerMail>]) {
        precondition(mailboxes.count == count, "workers: \(mailboxes.count) mailboxes for \(count) workers")
        self.mailboxes = mailboxes
        generations = mailboxes.map { _ in 0 }
    }

    /// Sends `mail` to every worker.
    func sendToAll(_ mail: WorkerMail) {
        for mailbox in mailboxes { mailbox.send(mail) }
    }

    /// `worker` has adopted the snapshot of `generation`.
    func adopted(worker: Int, generation: UInt64) { generations[worker] = generation }

    /// The generation that every worker has adopted, or a later one.
    var adoptedByAll: UInt64 { generations.min() ?? .max }
}
