import Core
import Logging

/// What a service manager such as systemd says to a service that it starts, by variables of the environment.
///
/// Source: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).
struct ServiceEnvironment: Equatable {
    /// Where it wants to be told how the service is doing; nil if it does not.
    var notifySocket: String?
    /// The time within which it wants to be told each time that the service is alive; nil if it does not.
    var watchdogTime: Nanoseconds?
    /// How many sockets it has opened for this process.
    var passedCount: Int32 = 0
    /// What it calls them, in their order; may be fewer.
    var passedNames: [String] = []
    /// Those that can be a listener's.
    var passedSockets: [PassedSocket] = []
    /// What is wrong with the variables, in sentences; they are left aside.
    var mistakes: [String] = []

    private static let names = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
    ]

    /// Says nothing.
    init() {}

    /// Reads `variables`, which are for the process with the id `processID`, or for another one.
    init(_ variables: [String: String], processID: Int32 = SystemProcess.id) {
        notifySocket = variables["NOTIFY_SOCKET"]
        // A variable that was inherited is meant for the process that inherited it first.
        let own = "\(processID)"
        if variables["WATCHDOG_PID"] ?? own == own { readWatchdog(variables) }
        if variables["LISTEN_PID"] == own { readPassed(variables) }
    }

    private mutating func readWatchdog(_ variables: [String: String]) {
        guard let text = variables["WATCHDOG_USEC"] else { return }
        guard let microseconds = UInt64(text), (1...Limits.watchdogMicrosecondsMax).contains(microseconds) else {
            mistakes.append("WATCHDOG_USEC is \(text), which is no number of microseconds.")
            return
        }
        watchdogTime = microseconds * 1000
    }

    private mutating func readPassed(_ variables: [String: String]) {
        guard let text = variables["LISTEN_FDS"] else { return }
        guard let count = Int32(text), (0...Limits.passedSocketsMax).contains(count) else {
            mistakes.append("LISTEN_FDS is \(text), which is no number from 0 to \(Limits.passedSocketsMax).")
            return
        }
        passedCount = count
        let names = variables["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        passedNames = names.map(String.init)
    }

    /// The variables, as `NAME=value`, that a process which takes the place of this one gets, so that it tells the
    /// service manager from then on. None names this process.
    var variablesOfSuccessor: [String] {
        [notifySocket.map { "NOTIFY_SOCKET=\($0)" }, watchdogTime.map { "WATCHDOG_USEC=\($0 / 1000)" }]
            .compactMap(\.self)
    }

    /// Says what of it is not used: `mistakes`, and the sockets `unused`.
    func warn(of unused: [PassedSocket], _ logger: Logger) {
        for mistake in mistakes {
            logger.warning("something of the service manager is left aside", metadata: ["reason": "\(mistake)"])
        }
        for socket in unused {
            logger.warning(
                "a socket that was passed is not used: no listener has its address, port and protocol",
                metadata: [
                    "address": "\(socket.address)", "carries": "\(socket.carries)", "name": "\(socket.name)",
                ])
        }
    }

    /// Looks at the sockets that were passed.
    private mutating func openPassed() {
        for index in 0..<passedCount {
            let name = passedNames.indices.contains(Int(index)) ? passedNames[Int(index)] : "unknown"
            do throws(SystemError) {
                passedSockets.append(
                    try PassedSocket(descriptor: PassedSocket.firstDescriptor + index, name: name))
            } catch {
                mistakes.append("A socket is left aside: \(error).")
            }
        }
    }

    /// Reads the variables of this process and removes them, so that programs which it starts do not take them for
    /// their own, and looks at the sockets that were passed. Call before other threads exist.
    static func take() -> ServiceEnvironment {
        var variables: [String: String] = [:]
        for name in names { variables[name] = SystemProcess.takeEnvironment(name) }
        var environment = ServiceEnvironment(variables)
        environment.openPassed()
        return environment
    }
}
