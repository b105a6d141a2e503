import Core
import Telemetry

/// A running worker, as control sees it.
public struct WorkerHandle: Sendable {
    /// 0 for the first worker.
    public let index: Int
    /// Its mailbox, for messages of control.
    public let mailbox: Mailbox<WorkerMail>
    /// Its counters. Control reads them, the worker writes them.
    public let counters: WorkerCounters
    /// Its thread, to be joined after `ControlMail.stopped`.
    public let thread: Thread

    /// Starts a worker that waits for its first snapshot. Its messages go to `control`, its log lines to `log` and
    /// `connectionLog`.
    public static func start(
        _ configuration: WorkerConfiguration, control: Mailbox<ControlMail>, log: LogSink, connectionLog: LogSink
    ) -> WorkerHandle {
        let mailboxes = configuration.mailboxes
        let mailbox = mailboxes.isEmpty ? Mailbox<WorkerMail>() : mailboxes[configuration.index]
        let counters = WorkerCounters()
        let thread = Thread.start(name: "apus worker \(configuration.index)") {
            var worker = Worker(
                configuration, mailbox: mailbox, control: control, counters: counters, log: log,
                connectionLog: connectionLog)
            worker.run()
        }
        return WorkerHandle(index: configuration.index, mailbox: mailbox, counters: counters, thread: thread)
    }
}
