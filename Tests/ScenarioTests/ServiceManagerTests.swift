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
        try ApusProcess.start(document, until: .answering) { _ in words(receiver, variables) }
    }

    /// What starts a program as this receiver's service; `$$` is the id of its process.
    private func words(_ receiver: NotifyReceiver, _ variables: [String]) -> [String] {
        let all = ["NOTIFY_SOCKET=\(receiver.address)"] + variables
        return ["/bin/sh", "-c", "export \(all.joined(separator: " ")); exec \"$@\"", "sh"]
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

    @Test("After an upgrade the new process is the main one, and the only one that tells")
    func upgrade() throws {
        let receiver = try NotifyReceiver()
        let site = try UpgradingApus(document([]), until: .answering) { _ in
            words(receiver, ["WATCHDOG_USEC=400000", "WATCHDOG_PID=$$", "SYSTEMD_EXEC_PID=$$"])
        }
        #expect(receiver.next()?.first == "READY=1")
        for _ in 0..<2 {
            // Keeps the old process.
            let client = try site.apus.client()
            #expect(try client.get("/").status == 503)
            let old = site.id
            #expect(try site.upgrade("--grace", "100").status == .exited(0))
            #expect(site.id != old)
            // The old one may end before the new one tells.
            let main = "MAINPID=\(site.id)"
            #expect(receiver.next(with: main) == [main])
            let ready = try #require(receiver.next(with: main))
            #expect(ready.first == "READY=1" && ready.last?.hasPrefix("STATUS=Serving") == true, "\(ready)")
            #expect(receiver.next(with: "WATCHDOG=1") != nil)
            // While the new one stands still, nobody tells anything.
            kill(site.id, SIGSTOP)
            while receiver.next(within: 0.05) != nil {}
            #expect(receiver.next(within: 1) == nil)
            #expect(site.isRunning(old))
            kill(site.id, SIGCONT)
            #expect(receiver.next(with: "WATCHDOG=1") != nil)
            // The end of the old one is not the service's.
            #expect(try client.get("/").status == 503)
            #expect(eventually { !site.isRunning(old) || site.apus.process.exitStatus == .exited(0) })
            while let lines = receiver.next(within: 0.05) { #expect(!lines.contains("STOPPING=1")) }
        }
        kill(site.id, SIGHUP)
        #expect(receiver.next(with: "RELOADING=1") != nil)
        #expect(receiver.next(with: "READY=1")?.contains { $0.hasPrefix("MAINPID=") } == false)
        #expect(site.terminate())
        #expect(receiver.next(with: "STOPPING=1") != nil)
    }

    @Test("A service whose manager is not told of the new process is not upgraded")
    func upgradeIsRefused() throws {
        let site = try UpgradingApus(document([]), until: .answering) { _ in
            ["/bin/sh", "-c", "export SYSTEMD_EXEC_PID=$$; exec \"$@\"", "sh"]
        }
        let result = try site.upgrade()
        #expect(result.status == .exited(1) && result.errors.contains("NotifyAccess=all"), "\(result)")
        #expect(site.ids.count == 1)
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
