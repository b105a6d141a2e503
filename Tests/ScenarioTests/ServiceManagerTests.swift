import Foundation
import Glibc
import TestRuns
import Testing

/// What a service manager such as systemd is told, and how its journal gets the log.
@Suite struct ServiceManagerTests {
    private func document(_ servers: [TargetServer]) -> Document {
        Document(
            listeners: [.init(defaultAction: Document.forward("blue"))], groups: [.init("blue", servers: servers)])
    }

    private func start(_ document: Document, _ receiver: NotifyReceiver, _ variables: String...) throws -> ApusProcess {
        try ApusProcess.start(document, until: .answering) { _ in
            [
                "/bin/sh", "-c",
                "export NOTIFY_SOCKET=\(receiver.address) \(variables.joined(separator: " ")); exec \"$@\"", "sh",
            ]
        }
    }

    @Test("It says when it is ready, reloads and stops", arguments: [false, true])
    func lifeOfAService(isAbstract: Bool) throws {
        let blue = try TargetServer("blue")
        let receiver = try NotifyReceiver(isAbstract: isAbstract)
        let apus = try start(document([blue]), receiver)
        let first = try #require(receiver.next())
        #expect(first.first == "READY=1" && first.count == 2, "\(first)")
        let healthy = "STATUS=Serving 1 listener; 1 of 1 targets healthy; generation 1"
        #expect(first.contains(healthy) || receiver.next(with: healthy) != nil)

        apus.process.signal(SIGHUP)
        let reloading = try #require(receiver.next(with: "RELOADING=1"))
        #expect(reloading.contains { $0.hasPrefix("MONOTONIC_USEC=") })
        #expect(receiver.next()?.first == "READY=1")

        try apus.write(text: "nonsense: 1\n")
        #expect(try apus.command("reload").status == .exited(1))
        #expect(receiver.next()?.first == "RELOADING=1")
        let ready = try #require(receiver.next())
        #expect(ready.first == "READY=1" && ready.last?.hasSuffix("; the last reload was refused, see the log") == true)

        #expect(apus.terminate() == .exited(0))
        #expect(receiver.next(with: "STOPPING=1") != nil)
        #expect(receiver.next(within: 0) == nil)
    }

    @Test("A start that is refused never says that it is ready")
    func refusedStart() throws {
        let receiver = try NotifyReceiver()
        let failure = #expect(throws: ApusFailure.self) {
            try start(Document(listeners: [.init(defaultAction: ["type": "no-such"])], groups: []), receiver)
        }
        #expect(failure?.status == .exited(1))
        #expect(receiver.next(within: 0) == nil)
    }

    @Test("The control thread feeds the watchdog, if that is this process's")
    func watchdog() throws {
        let receiver = try NotifyReceiver()
        let apus = try start(document([]), receiver, "WATCHDOG_USEC=200000 WATCHDOG_PID=$$")
        for _ in 1...5 { #expect(receiver.next(with: "WATCHDOG=1") != nil) }
        // A process that stands still feeds nothing.
        apus.process.signal(SIGSTOP)
        while receiver.next(within: 0.05) != nil {}
        #expect(receiver.next(within: 1) == nil)
        apus.process.signal(SIGCONT)
        #expect(receiver.next(with: "WATCHDOG=1") != nil)
        #expect(apus.terminate() == .exited(0))

        let other = try NotifyReceiver()
        let without = try start(document([]), other, "WATCHDOG_USEC=2000 WATCHDOG_PID=1")
        #expect(without.terminate() == .exited(0))
        while let lines = other.next(within: 0) { #expect(lines != ["WATCHDOG=1"]) }
    }

    @Test("A service manager that is gone changes nothing")
    func nobodyThere() throws {
        let path = TestRun.newPath()
        let words = ["env", "NOTIFY_SOCKET=\(path)", "WATCHDOG_USEC=10000"]
        let apus = try ApusProcess.start(document([]), until: .answering) { _ in words }
        #expect(eventually { apus.errors.contains("the service manager cannot be told") })
        #expect(try apus.command("reload").status == .exited(0))
        #expect(apus.terminate() == .exited(0))
        #expect(apus.errors.split(separator: "\n").filter { $0.contains("cannot be told") }.count == 1)
    }

    @Test("Where the journal reads the standard error, lines have priorities and no time")
    func journal() throws {
        let shell = "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); exec \"$@\""
        let apus = try ApusProcess.start(document([]), until: .answering) { _ in ["/bin/sh", "-c", shell, "sh"] }
        #expect(apus.terminate() == .exited(0))
        let lines = apus.errors.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("<5>level=notice msg=\"serving\" ") }, "\(apus.errors)")
        #expect(lines.allSatisfy { $0.wholeMatch(of: /<[2-7]>level=.*/) != nil }, "\(apus.errors)")

        let refused = #expect(throws: ApusFailure.self) {
            try ApusProcess.start(Document(listeners: [.init(defaultAction: ["type": "no-such"])], groups: [])) { _ in
                ["/bin/sh", "-c", shell, "sh"]
            }
        }
        #expect(refused?.errors.hasPrefix("<3>apus: ") == true, "\(refused?.errors ?? "")")

        let elsewhere = try ApusProcess.start(document([]), until: .answering) { _ in ["env", "JOURNAL_STREAM=1:1"] }
        #expect(elsewhere.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("ts=") }, "\(elsewhere.errors)")
    }
}
