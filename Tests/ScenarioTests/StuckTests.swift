import Foundation
import Glibc
import TestCertificates
import Testing

/// The control thread never blocks: not on a pipe without a reader, not on a FIFO in place of a file, not on a stuck
/// disk.
@Suite struct StuckTests {
    private func ruleChange(_ apus: ApusProcess, _ priority: Int) -> (path: String, body: JSON) {
        let action: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "204"]]
        return (
            "/v1/load-balancers/web/listeners/\(apus.port)/rules/\(priority)",
            Document.rule(priority, "path-pattern", ["/\(priority)"], action)
        )
    }

    /// Makes `count` changes, all of which have to be acknowledged.
    private func change(_ apus: ApusProcess, _ count: Int) throws {
        let client = try AdminClient(path: apus.socketPath)
        for index in 1...count {
            let change = ruleChange(apus, index % 20 + 1)
            #expect(try client.ask("PUT", change.path, change.body).status == 200)
        }
    }

    @Test("Standard error is not read: a thousand changes are acknowledged, and health checks and SIGTERM work")
    func standardErrorIsNotRead() throws {
        let target = try TargetServer()
        let errors = Locked<Fifo?>(nil)
        let apus = try ApusProcess.start(Document(target)) { try unreadStandardError($0, errors) }
        try change(apus, 1000)
        #expect(try apus.metric("apus_changes_total", "done") == 1000)
        let lost = try apus.metric("apus_own_log_lines_dropped_total")
        #expect(lost > 0, "a pipe and a ring hold some 1,200 lines, and here are 2,000 and more")
        target.stop()
        #expect(apus.target(target.address, becomes: "unhealthy"), "health checks go on")

        // Once it is read, the log continues and reports the lost lines.
        let text = Locked("")
        let isTold = eventually(within: 40) {
            let more = errors.value?.take() ?? ""
            return text.withLock { text in
                text += more
                return text.contains("lines of this log were lost")
            }
        }
        #expect(isTold)
        #expect(apus.terminate() == .exited(0))
    }

    @Test("A process whose standard error is full ends on SIGTERM")
    func endsWithFullStandardError() throws {
        let errors = Locked<Fifo?>(nil)
        let apus = try ApusProcess.start(Document(try TargetServer())) { try unreadStandardError($0, errors) }
        try change(apus, 400)
        #expect(apus.terminate() == .exited(0))
    }

    @Test("The access log is a FIFO: it is written once it has a reader, and nothing waits for that")
    func theLogIsAFIFO() throws {
        let apus = try ApusProcess.start(Document(try TargetServer())) { folder in
            _ = try Fifo(at: "\(folder)/access.log")
            return []
        }
        expectServes(apus)
        let isCounted = eventually { ((try? apus.metric("apus_log_lines_dropped_total")) ?? 0) > 0 }
        #expect(isCounted, "lines without a reader are dropped")
        let reader = Fifo.reader(of: apus.accessLogPath)
        #expect(try apus.client().get("/read").status == 200)
        let text = Locked("")
        #expect(
            eventually {
                let more = Fifo.take(from: reader.fileDescriptor)
                return text.withLock { text in
                    text += more
                    return text.contains("/read")
                }
            })
        #expect(apus.terminate() == .exited(0))
    }

    @Test("A certificate's path becomes a FIFO: reload and watch report it, and everything continues")
    func aCertificateIsAFIFO() throws {
        let pair = TestAuthority().issue(["localhost"])
        var document = Document(try TargetServer())
        document.listeners[0].certificates = [pair]
        let apus = try ApusProcess.start(document)
        try FileManager.default.removeItem(atPath: pair.certificatePath)
        _ = try Fifo(at: pair.certificatePath)

        let reload = try apus.admin("POST", "/v1/reload")
        #expect(reload.status == 400)
        #expect(reload.text.contains("a FIFO, not a regular file"))
        #expect(
            eventually { apus.errors.contains("changed certificate files are not good") }, "the watch has reported it")
        #expect(try apus.admin("GET", "/v1/status").status == 200)
        #expect(apus.terminate() == .exited(0))
    }

    @Test("apus check rejects a FIFO at once, as the configuration and as a file in it")
    func checkRefusesAFIFO() throws {
        let apus = try ApusProcess.start(Document(try TargetServer()))
        let fifo = try Fifo(at: "\(apus.folder)/fifo")
        let configuration = try apus.command("check", fifo.path)
        #expect(configuration.status == .exited(1))
        #expect(configuration.errors.contains("\(fifo.path): the configuration must be a regular file"))
        #expect(configuration.errors.contains("a FIFO, not a regular file"))

        let pair = TestAuthority().issue(["localhost"])
        try FileManager.default.removeItem(atPath: pair.privateKeyPath)
        _ = try Fifo(at: pair.privateKeyPath)
        var document = Document(try TargetServer())
        document.listeners[0].certificates = [pair]
        try apus.write(document)
        let certificate = try apus.command("check", apus.configurationPath)
        #expect(certificate.status == .exited(1))
        #expect(certificate.errors.contains("privateKeyFile \(pair.privateKeyPath) cannot be used"))
        #expect(certificate.errors.contains("a FIFO, not a regular file"))
    }

    @Test("apus check reads a pipe of the shell once")
    func checkReadsAPipe() throws {
        let apus = try ApusProcess.start(Document(try TargetServer()))
        let line = "cat \"$1\" | \"$0\" check /dev/stdin"
        let words = ["/bin/sh", "-c", line, ApusProcess.binary, apus.configurationPath]
        let check = try ChildProcess(words, folder: apus.folder, label: "check")
        #expect(check.waitForExit() == .exited(0), "\(check.standardError)")
        #expect(check.standardOutput.contains("/dev/stdin: good"))
    }

    /// The median response time of the admin socket for a request that needs no disk. A control thread that waits for
    /// the disk would not respond at all.
    private func answerTime(_ apus: ApusProcess) throws -> Double {
        var times: [Double] = []
        for path in ["/v1/status", "/metrics", "/v1/config"] {
            for _ in 0..<11 {
                let began = ContinuousClock.now
                #expect(try apus.admin("GET", path).status == 200)
                let took = ContinuousClock.now - began
                times.append(Double(took.components.attoseconds) / 1e18 + Double(took.components.seconds))
            }
        }
        return times.sorted()[times.count / 2]
    }

    /// Starts Apus with its state on a disk that can be stopped, its access log in a FIFO without a reader, and its
    /// standard error in a full pipe.
    private func startOnDisk(_ document: Document, _ errors: Locked<Fifo?>) throws -> ApusProcess {
        let apus = try ApusProcess.start(document) { folder in
            _ = try Fifo(at: "\(folder)/access.log")
            return StuckDisk.words(in: folder) + (try unreadStandardError(folder, errors))
        }
        try change(apus, 500)
        return apus
    }

    @Test(
        "The admin socket answers within 100 ms while disk and logs are stuck",
        .enabled(if: StuckDisk.isPossible, "no file system can be mounted here"))
    func answersWhileTheDiskIsStuck() throws {
        let errors = Locked<Fifo?>(nil)
        let target = try TargetServer()
        let pair = TestAuthority().issue(["localhost"])
        var document = Document(target)
        document.listeners.append(.init(defaultAction: Document.forward("blue"), certificates: [pair]))
        let apus = try startOnDisk(document, errors)
        let disk = try StuckDisk(of: apus)
        disk.stop()
        try FileManager.default.removeItem(atPath: pair.certificatePath)
        _ = try Fifo(at: pair.certificatePath)

        let first = ruleChange(apus, 501), second = ruleChange(apus, 502)
        let changes = [first, second].map { change in
            Background { try apus.admin("PUT", change.path, change.body, timeout: 60).status }
        }
        let reload = Background { try apus.admin("POST", "/v1/reload", timeout: 60).status }
        let answers = try answerTime(apus)
        #expect(answers < 0.1)
        target.stop()
        #expect(apus.target(target.address, becomes: "unhealthy"), "health checks go on")
        let laterAnswers = try answerTime(apus)
        #expect(laterAnswers < 0.1)
        #expect(changes.allSatisfy { !$0.isDone }, "what is not durable is not acknowledged")
        let before = try apus.admin("GET", "/v1/config").text
        #expect(!before.contains("/501"), "nor applied")

        disk.goOn()
        for change in changes { #expect(try change.value() == 200) }
        #expect(try reload.value() == 400, "its certificate is a FIFO")
        let config = try apus.admin("GET", "/v1/config").text
        #expect(config.contains("/501") && config.contains("/502"))
        #expect(apus.terminate() == .exited(0))
    }

    @Test(
        "SIGTERM ends a process whose disk is stuck",
        .enabled(if: StuckDisk.isPossible, "no file system can be mounted here"))
    func endsWhileTheDiskIsStuck() throws {
        let errors = Locked<Fifo?>(nil)
        let apus = try startOnDisk(Document(try TargetServer()), errors)
        try StuckDisk(of: apus).stop()
        let change = ruleChange(apus, 501)
        let unanswered = Background { try apus.admin("PUT", change.path, change.body, timeout: 60).status }
        let answers = try answerTime(apus)
        #expect(answers < 0.1)
        #expect(apus.terminate() == .exited(0))
        #expect(throws: (any Error).self) { try unanswered.value() }
    }

    private func unreadStandardError(_ folder: String, _ errors: Locked<Fifo?>) throws -> [String] {
        let fifo = try Fifo(at: "\(folder)/stderr", open: true)
        errors.withLock { $0 = fifo }
        return ["/bin/sh", "-c", "exec \"$0\" \"$@\" 2>\"\(fifo.path)\""]
    }
}
