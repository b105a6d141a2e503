import Core

/// Every cap of the control thread: its unit, its value, why, and what happens there.
enum Limits {
    /// How long the thread may be away before time-outs of health checks are put down to us instead of the target:
    /// half a second, well under the shortest usual time-out. Such a check is made again and counts for nothing.
    static let stall: Nanoseconds = 500_000_000
    /// Health checks at once, if the descriptor limit allows: a group of 5,000 targets that all take the usual 5 s to
    /// time out is still checked every 15 s. More wait for their turn.
    static let runningChecksMax = 2048
    /// Checks of a target that are skipped in a row because requests prove it healthy: nine, so that one that fails its
    /// checks on purpose, to be relieved, is noticed after ten intervals.
    static let checksSkippedMax = 9
    /// Bytes of the answer to a health check, head and body. A longer one fails the check, as one that never ends
    /// would do by its time-out.
    static let checkAnswerBytesMax = 1 << 20
    /// How long a health check over HTTP/2 or TLS waits, after its verdict, for the target to end its direction: 1 s,
    /// or the interval if that is shorter. Closing with something unread would reset the connection.
    static let checkDrainTime: Nanoseconds = 1_000_000_000
    /// How soon a check that counted for nothing is made again, if its interval is not shorter.
    static let voidCheckDelay: Nanoseconds = 1_000_000_000
    /// Keys of cookies that are kept: as many as are made in the longest time that a cookie counts, at the shortest
    /// interval between two, and some more. Beyond them the oldest are forgotten.
    static let cookieKeysMax = 176
    /// The longest time for which a cookie of stickiness may count: the seven days of ELBv2.
    static let cookieLifetimeSeconds = 604_800
    /// How soon keys of cookies that a disk has refused are written again: a minute, so that the log is not flooded.
    static let cookieKeyRetryTime: Nanoseconds = 60_000_000_000
    /// Time between two log lines about checks that could not be made.
    static let warningInterval: Nanoseconds = 10_000_000_000
    /// Bytes of one value in our own log: 4 KiB, room for the mistakes of a refused reload. A longer one is cut, and
    /// says how long it was: clients of the admin socket may send names of megabytes, and a line of that length is
    /// lost on its way, or fills a disk.
    static let logValueBytesMax = 4096
    /// Characters of a key in our own log. All are ours, and short.
    static let logKeyBytesMax = 64
    /// Objects that one reload, or start, names in our own log as hidden by changes made at run time. The others are in
    /// `apus status`.
    static let overridesToldMax = 20
    /// Sockets that a service manager may pass: one for each worker of each listener, and no number out of which a
    /// process would not come.
    static let passedSocketsMax: Int32 = 4_096
    /// Time between two lines of status for the service manager: a second, since each one goes to all that watch it.
    static let statusInterval: Nanoseconds = 1_000_000_000
    /// When what the service manager did not take is sent again: 100 ms, since it waits for it with a timeout.
    static let notifyRetryTime: Nanoseconds = 100_000_000
    /// Time between two signs of life for the service manager, at least: 1 ms, so that a tiny `WATCHDOG_USEC` does not
    /// keep the thread busy.
    static let feedIntervalMin: Nanoseconds = 1_000_000
    /// Microseconds of `WATCHDOG_USEC` that are no mistake: ten years, well within what nanoseconds can count.
    static let watchdogMicrosecondsMax: UInt64 = 315_360_000_000_000
    /// Time between two looks at what is refused or lost.
    static let lossWatchInterval: Nanoseconds = 1_000_000_000
    /// Time between two looks at how much memory is in use: what a storm took is given back after three.
    static let memoryWatchInterval: Nanoseconds = 10_000_000_000
    /// Bytes that may be in use beyond what clients and targets make us hold and what was in use when idle: 16 MiB.
    static let memorySurplusMax: UInt64 = 16 * 1024 * 1024
    /// Demos at once, each with four ports for targets from 9001 on: eight terminals. One more is refused.
    static let demosMax = 8
    /// Ports that a demo tries for clients beyond its own, which many programs use: 8080 and those after it.
    static let demoPortsMax = 100
    /// Time for which a sample target that was told to stop goes on with the connections it has: 1 s.
    static let demoTargetLinger: Nanoseconds = 1_000_000_000
    /// Time in which a pipe that holds the configuration must come to its end, at the start and in `apus check`: a
    /// generator of configurations takes less, and a pipe that was left open must not keep us for ever.
    static let configurationPipeTimeout: Nanoseconds = 5_000_000_000
    /// Time in which the files that a change or a reload names must be read: a disk that answers takes milliseconds,
    /// and the requester should get an error from a stuck one. Then the change is rejected, and the next one has its
    /// turn.
    static let fileTimeout: Nanoseconds = 10_000_000_000
    /// Jobs that a stuck disk may hold back after their callers have stopped waiting: each keeps what it was to work
    /// on, up to a request body of the admin socket. Further ones are refused at once.
    static let lateJobsMax = 8
    /// Changes that may wait for the disk. One more is refused with 503, so that scripts that retry do not fill the
    /// memory.
    static let changesWaitingMax = 1024
    /// Time that a process which ends gives the disk to finish a write, so that its client gets an answer: 2 s.
    static let stateWriteTime: Nanoseconds = 2_000_000_000
    /// Fewer client connections than these are said at start: a limit on open files of 1024 leaves so many, and most
    /// who have no more do not know it.
    static let connectionsFew = 500
    /// Descriptors that are not for connections: listeners, logs, the state, the admin socket's clients.
    /// A low limit on open files gives a quarter of itself.
    static let ownDescriptors = 256
    /// How long after the end of `shutdownGraceSeconds` workers may take to say that they have stopped: they poll
    /// their deadline themselves, so this is for one pass of their loop. Then the process ends without them.
    static let shutdownMargin: Nanoseconds = 2_000_000_000
    /// Bytes of a gRPC health check's answer that are kept to look at: its message has a dozen.
    static let checkMessageBytesMax = 64
    /// Time between a change of certificate files and their reading: a certificate and its key are two files, and both
    /// have to be written. A pair that does not match then is read with the next change.
    static let certificateSettleTime = Nanoseconds(500_000_000)
    /// How often the files of certificates are read without a notice of change: once an hour.
    static let certificateLookTime = Nanoseconds(3_600_000_000_000)
    /// A warning is logged for certificates that expire within so many days: at the start, at each change,
    /// and once a day.
    static let expiryWarningDays = 30
    /// Time between two warnings about the same certificates: a day.
    static let certificateWarningInterval = Nanoseconds(86_400_000_000_000)
    /// Bytes by which one worker may be ahead of the connection log's writer: 256 KiB, some 1,000 lines.
    static let connectionLogRingBytes = 256 * 1024
    /// Commands that one mistake tells to run; a group with more targets than that wants a rule for their network.
    static let commandsShownMax = 8
    /// Regular expressions that stay compiled beside those of workers. Reason: some 10 KB each, and 0.1 ms to compile.
    static let expressionsCachedMax = 20_000
    /// Bytes by which the control thread may be ahead of the health check log's writer: 1 MiB, some 8,000 lines.
    static let healthLogRingBytes = 1024 * 1024
    /// Time in which a process that was started by an upgrade has to say what it is: 20 s, in which the largest binary
    /// comes from a slow disk to a busy processor. What says nothing is no Apus, and is killed.
    static let upgradeHelloTime: Nanoseconds = 20_000_000_000
    /// Time in which it has to accept connections: a minute, since files may be large and disks slow. Changes wait as
    /// long. Then it is killed, and the old process goes on.
    static let upgradeReadyTime: Nanoseconds = 60_000_000_000
    /// Time in which the old process, when it receives no datagrams any more, has to say what has become of the flows
    /// that the new one has taken already: 5 s, in which it says that of many thousands. It takes some microseconds for
    /// each flow that has begun or ended since, while datagrams wait in their sockets. Then the new process goes on
    /// without the flows that are missing.
    static let upgradeFlowsTime: Nanoseconds = 5_000_000_000
    /// Time between two reports of how many connections the old process has left.
    static let upgradeReportInterval: Nanoseconds = 1_000_000_000
    /// Flows of datagrams in one message to the other process: some 30 KiB, and half as many descriptors as go with
    /// one.
    static let upgradeFlowsPerMessage = 128
    /// Numbers of flows in one message to the other process: some 30 KiB.
    static let upgradeNumbersPerMessage = 4_096
    /// Changes of flows in one message to the other process: some 30 KiB.
    static let upgradeChangesPerMessage = 512
    /// Targets in one message to the other process: some 30 KiB.
    static let upgradeTargetsPerMessage = 128
    /// Targets of discovery in one message to the other process: some 6 KiB, and less than a message may have when all
    /// that their sources say of them has to be escaped.
    static let upgradeDiscoveredPerMessage = 24
    /// Seconds that `apus upgrade --grace` may give the old process: a week, as long as the longest tunnels are known
    /// to last.
    static let upgradeGraceSecondsMax = 604_800.0
    /// Time from one batch of what discovery has found to the next: 0.1 s, so that a hundred containers that start are
    /// a few snapshots, and the first is in force at once.
    static let discoveryBatchTime: Nanoseconds = 100_000_000
    /// Time after which a source of discovery that does not answer is an error in the log: a minute, in which a daemon
    /// is restarted.
    static let discoveryAlarmTime: Nanoseconds = 60_000_000_000
    /// The shortest time until a source of discovery that has failed is tried again: 0.25 s, doubled each time.
    static let discoveryRetryMin: Nanoseconds = 250_000_000
    /// The longest such time: 15 s, after which nobody has to wait for what is back.
    static let discoveryRetryMax: Nanoseconds = 15_000_000_000
    /// Bytes of a list of targets that a source gives: 4 MiB, more than 10,000 targets take. A longer one is refused,
    /// and what was heard before stays.
    static let discoveryBytesMax = 4 << 20
    /// Bytes of a secret by reference: 256 KiB, more than any private key with certificates around it. A longer one is
    /// refused, and the one before stays in force.
    static let secretBytesMax = 256 * 1024
    /// Bytes of a secret that is sent in a header field: 8 KiB, as servers take no longer ones. The same happens.
    static let fieldSecretBytesMax = 8 * 1024
    /// How often a list of targets is read without a notice of change: every 30 s, as network file systems have none.
    static let discoveryLookTime: Nanoseconds = 30_000_000_000
    /// Targets that are named as refused within `discoveryRefusalsToldTime`, in the log and as events, since a source
    /// may name ever new ones. The others are in `apus discovery`.
    static let discoveryRefusalsToldMax = 20
    /// That time: a minute.
    static let discoveryRefusalsToldTime: Nanoseconds = 60_000_000_000
    /// Refused targets of a source that `GET /v1/discovery` shows; the others are counted.
    static let discoveryRefusalsShownMax = 100
    /// Reads of one answer to a request of the control thread in one turn: 64, with 16 KiB each; the rest has to wait
    /// until others have had their turn.
    static let requestReadsMax = 64
    /// Time in which a daemon that is asked over the network or a socket must answer: 10 s.
    static let discoveryAnswerTime: Nanoseconds = 10_000_000_000
    /// Time in which one name server must have answered all that is asked of it for one name: 15 s, five times what a
    /// question may take. Then the next server is asked, or what was heard before stays.
    static let dnsLookupTime: Nanoseconds = 15_000_000_000
    /// Questions that one name server is asked at once: 16, which every server has room for. The others wait.
    static let dnsQuestionsMax = 16
    /// Hosts and ports of one service: 200, each a question. An answer with more is refused, and what was heard before
    /// stays.
    static let dnsServicesMax = 200
    /// Targets of one name: 1,000. An answer with more is refused in the same way.
    static let dnsTargetsMax = 1000
    /// Time after which an answer that a name has no records is believed if it is given again: 5 s, in which a server
    /// that reads its zones anew has read them.
    static let dnsEmptyTime: Nanoseconds = 5_000_000_000
    /// Bytes of a name of a record in what we say: 128.
    static let dnsNameBytesShownMax = 128
    /// Bytes of what is said about one container: 1 MiB. What its health check has printed is most of it.
    static let containerBytesMax = 1 << 20
    /// Time in which a daemon must say what one container is: 2 s, as others wait for their turn. It is asked again.
    static let containerAnswerTime: Nanoseconds = 2_000_000_000
    /// Bytes of one event of Docker's: 64 KiB, since it holds all labels. A longer one is skipped, and all is listed
    /// anew after `containerRelistTime`.
    static let dockerEventBytesMax = 64 * 1024
    /// Time after which containers are listed anew when an event was skipped: 5 s, so that a container whose events are
    /// too long costs little.
    static let containerRelistTime: Nanoseconds = 5_000_000_000
    /// Containers of a source that are looked at: 1,000. The others are refused.
    static let containersMax = 1000
    /// Containers that are asked about at once: four, as each question is a connection.
    static let containerQuestionsMax = 4
    /// Containers of these that are asked about again, as the daemon has not said what they are: two.
    static let containerRetriesMax = 2
    /// Time until a connection to a Unix socket is tried again whose server has more to accept than it can hold: 20 ms.
    static let connectRetryTime: Nanoseconds = 20_000_000
    /// How often containers are listed though events tell of all changes: once a minute, should one be lost.
    static let containerListTime: Nanoseconds = 60_000_000_000
    /// Time for which the group and the rules of containers that are all gone are kept: a minute, in which an update
    /// stops one and starts the next.
    static let emptyClaimTime: Nanoseconds = 60_000_000_000
    /// Groups that are kept so: 1,000, as many as there may be containers. Of more those go that were first empty.
    static let emptyClaimsMax = 1000
    /// Bytes of a container's name, and of the value of a label, in what we say: 128.
    static let containerNameBytesMax = 128
    /// Bytes of an entity tag that is kept of a source: 256. One that is longer is as none.
    static let entityTagBytesMax = 256

    /// How often a rollout is looked at. Reason: what fails meanwhile fails in vain; a look takes some 0.1 ms.
    static let rolloutInterval = Nanoseconds(250_000_000)

    /// How long the targets of a new group may take to become healthy. Beyond it, if most are not: the rollout is
    /// aborted.
    static let rolloutHealthTime = Nanoseconds(60_000_000_000)

    /// Rollouts under way. Reason: each costs a look of control every 0.25 s, and some 100 KB. Beyond it:
    /// TooManyRollouts.
    static let rolloutsRunningMax = 100

    /// Rollouts that are over and kept, in memory and on disk. Beyond it: the oldest are forgotten.
    static let rolloutsKeptMax = 100

    /// How often a swap looks that waits for healthy targets.
    static let swapInterval = Nanoseconds(100_000_000)

    /// Bytes of the head of a request that is explained. Reason: requests of clients have no more than that. Beyond
    /// it: ValidationError.
    static let explainedHeadBytesMax = 65_536
}
