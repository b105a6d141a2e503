import Core
import Proxy

/// The workers as control sees them: where each takes its mail, and the snapshot that it works by.
///
/// Shape: one object of the control thread. Until `attach` there are none, and mail goes nowhere.
final class WorkerSet {
    /// How many there are going to be.
    let count: Int
    /// The running workers; empty in tests, which read the mailboxes themselves.
    private(set) var handles: [WorkerHandle] = []
    /// Where each worker is told what to do.
    private(set) var mailboxes: [Mailbox<WorkerMail>] = []
    private var generations: [UInt64] = []

    /// A set of `count` workers that do not run yet.
    init(count: Int) { self.count = count }

    /// The workers run now.
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

    /// Leaves `mail` for every worker.
    func tell(_ mail: WorkerMail) {
        for mailbox in mailboxes { mailbox.send(mail) }
    }

    /// `worker` has adopted the snapshot of `generation`.
    func adopted(worker: Int, generation: UInt64) { generations[worker] = generation }

    /// The generation that every worker has adopted, or a later one.
    var adoptedByAll: UInt64 { generations.min() ?? .max }
}
