import Core
import Proxy
import Testing

@testable import Control

@Suite struct WorkerSetTests {
    /// What is gone may be released once the slowest worker has heard of it.
    @Test func theSlowestWorkerCounts() {
        let workers = WorkerSet(count: 3)
        #expect(workers.adoptedByAll == .max, "nobody has to hear of anything")
        workers.attach(mailboxes: (0..<3).map { _ in Mailbox<WorkerMail>() })
        #expect(workers.adoptedByAll == 0)
        workers.adopted(worker: 0, generation: 5)
        workers.adopted(worker: 2, generation: 4)
        #expect(workers.adoptedByAll == 0)
        workers.adopted(worker: 1, generation: 3)
        #expect(workers.adoptedByAll == 3)
        workers.adopted(worker: 1, generation: 6)
        #expect(workers.adoptedByAll == 4)
    }

    @Test func everyWorkerGetsTheMail() {
        let workers = WorkerSet(count: 2)
        workers.sendToAll(.returnMemory)
        let mailboxes = (0..<2).map { _ in Mailbox<WorkerMail>() }
        workers.attach(mailboxes: mailboxes)
        workers.sendToAll(.unhealthy(target: 7))
        for mailbox in mailboxes {
            let mail = mailbox.takeAll()
            guard mail.count == 1, case .unhealthy(target: 7) = mail[0] else {
                Issue.record("\(mail)")
                return
            }
        }
    }

    @Test func thereIsAMailboxForEach() async {
        await #expect(processExitsWith: .failure) {
            WorkerSet(count: 2).attach(mailboxes: [Mailbox<WorkerMail>()])
        }
    }
}
