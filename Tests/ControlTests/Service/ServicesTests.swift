import Core
import Foundation
import Model
import Proxy
import Routing
import TestCertificates
import Testing

@testable import Control

@Suite struct ServicesTests {
    /// The services on a real file and a real state folder, with two workers whose mail is answered by script.
    final class Scene {
        let folder: TemporaryFolder
        let loop = ControlLoop()
        let events = EventLog()
        private(set) var services: Services!
        let mailboxes = [Mailbox<WorkerMail>(), Mailbox<WorkerMail>()]
        private(set) var snapshots: [Snapshot] = []
        private(set) var cuts: [Int] = []
        private(set) var opened: [OpenedListener] = []
        private let port: UInt16

        static let groups = """
            targetGroups:
              - name: blue
                targetType: ip
                protocol: HTTP
                port: 8080
                targets: [ { id: 192.0.2.1 }, { id: 192.0.2.2 } ]
              - { name: green, targetType: ip, protocol: HTTP, port: 8080 }

            """

        init(groups: String = Scene.groups) throws {
            folder = try TemporaryFolder()
            port = try freePort()
            try write(groups: groups)
            try start()
            services.workers.attach(mailboxes: mailboxes)
            services.begin()
        }

        deinit { for listener in opened { listener.socket?.close() } }

        var file: String { folder.file("apus.yaml") }

        func write(groups: String, port: UInt16? = nil, runtime: String = "") throws {
            let text = """
                admin: { socket: \(folder.file("admin.sock")) }
                runtime: { stateDirectory: \(folder.file("state"))\(runtime) }
                loadBalancers:
                  - name: web
                    addresses: [127.0.0.1]
                    listeners:
                      - protocol: HTTP
                        port: \(port ?? self.port)
                        defaultActions:
                          - type: forward
                            forwardConfig:
                              targetGroups:
                                - { targetGroupName: blue, weight: 90 }
                                - { targetGroupName: green, weight: 10 }

                """
            try Data((text + groups).utf8).write(to: URL(fileURLWithPath: file))
        }

        /// Reads file and state as a new process would.
        func start(discardingChanges: Bool = false) throws {
            services?.preparation.sockets.abandonPrepared()
            services = nil
            collect()
            for listener in opened { listener.socket?.close() }
            opened = []
            let store = try DocumentStore(file: file, discardingChanges: discardingChanges) { _ in }
            // No check runs: the targets' addresses are documentation's, and tests say themselves how a check ends.
            services = Services(
                loop: loop, store: store, workerCount: 2, runningChecksMax: 0, events: events, logger: quiet)
            try services.preparation.openListeners()
        }

        /// Lets the loop do all that was asked for, and takes what it told the workers.
        func pass() {
            var hasPassed = false
            loop.afterBatch { hasPassed = true }
            #expect(run(loop) { hasPassed && services.queue.isIdle })
            collect()
        }

        func collect() {
            for (worker, mailbox) in mailboxes.enumerated() {
                for mail in mailbox.takeAll() {
                    switch mail {
                    case .adopt(let snapshot, let opened):
                        if worker == 0 { snapshots.append(snapshot) }
                        self.opened += opened
                    case .cut(let target): if worker == 0 { cuts.append(target) }
                    case .ticketKeys, .cookieKeys, .finish, .handOver, .copyFlows, .endFlowCopy, .adoptFlows,
                        .confirmFlows, .adoptFlowChanges, .returnMemory, .leave, .terminate,
                        .unhealthy, .freeSlot,
                        .freeSlots:
                        break
                    }
                }
            }
        }

        func apply(_ change: Change) -> Outcome {
            let outcome = Outcome()
            services.changes.apply(change, by: 1000) { outcome.result = $0 }
            return outcome
        }

        /// Has the disk of the state answer nothing until what is returned rings.
        func stopDisk() -> EventDescriptor {
            let gate = EventDescriptor()
            services.stateDisk.run({ gate.wait(timeoutMilliseconds: 60_000) }) { _ in }
            return gate
        }

        /// Lets the loop do one pass, and no more.
        func passOnce() {
            var hasPassed = false
            loop.afterBatch { hasPassed = true }
            #expect(run(loop) { hasPassed })
            collect()
        }

        /// As workers do that have nothing in flight.
        func reportDrained(_ target: Int, finished: Int = 0, cut: Int = 0) {
            for worker in 0..<2 {
                services.received(
                    .drained(worker: worker, target: target, finished: finished, cut: cut, left: 0), now: Instant.now())
            }
        }
    }

    final class Outcome {
        var result: Result<Void, AdminError>?
        var isSuccess: Bool { if case .success? = result { true } else { false } }
        var error: AdminError? { if case .failure(let error)? = result { error } else { nil } }
    }

    @Test func theFirstSnapshotOpensTheListenersOfEveryWorker() throws {
        let scene = try Scene()
        scene.collect()
        #expect(scene.snapshots.map(\.generation) == [1])
        #expect(scene.opened.count == 2)
        #expect(Set(scene.opened.map(\.id)) == Set(scene.snapshots[0].listeners.map(\.id)))
        let names = posted(scene.events).map(\.name)
        #expect(names.contains("listener-opened") && names.contains("targets-registered"))
    }

    @Test func changesOfOnePassAreOneWriteAndOneSnapshot() throws {
        let scene = try Scene()
        scene.collect()
        let outcomes = (1...100).map {
            scene.apply(.registerTargets(group: "green", [TargetDescription(id: "198.51.100.\($0)")]))
        }
        #expect(outcomes.allSatisfy { $0.result == nil }, "nothing is acknowledged before it is durable")
        #expect(scene.services.status.document.targetGroups[1].targets.isEmpty, "nor is it to be seen")
        scene.pass()
        #expect(outcomes.allSatisfy { $0.isSuccess })
        #expect(scene.services.status.tally.stateWrites == 1)
        #expect(scene.services.status.tally.changes == 100)
        #expect(scene.snapshots.map(\.generation) == [1, 2])
        #expect(scene.snapshots[1].groups.first { $0.name == "green" }?.targets.count == 100)
    }

    @Test func tenThousandChangesInAHundredPassesAreWrittenAHundredTimes() throws {
        let scene = try Scene()
        let port = scene.services.status.document.loadBalancers[0].listeners[0].port
        var doneCount = 0
        for round in 0..<100 {
            for index in 0..<100 {
                let target = TargetDescription(id: "198.51.100.\(index)")
                let change: Change =
                    switch round % 3 {
                    case 0: .registerTargets(group: "green", [target])
                    case 1: .setWeights(loadBalancer: "web", port: port, priority: nil, ["blue": round + index])
                    default: .deregisterTargets(group: "green", [target])
                    }
                scene.services.changes.apply(change, by: nil) { if case .success = $0 { doneCount += 1 } }
            }
            scene.pass()
        }
        #expect(doneCount == 10_000)
        #expect(scene.services.status.tally.changes == 10_000)
        #expect(scene.services.status.tally.stateWrites == 100)
        #expect(scene.snapshots.last?.generation == 101)
    }

    @Test func aChangeIsThereAfterARestart() throws {
        let scene = try Scene()
        let outcome = scene.apply(.registerTargets(group: "green", [TargetDescription(id: "192.0.2.9", port: 81)]))
        scene.pass()
        #expect(outcome.isSuccess)
        try scene.start()
        #expect(
            scene.services.status.document.targetGroups[1].targets == [TargetDescription(id: "192.0.2.9", port: 81)])
        try scene.start(discardingChanges: true)
        #expect(scene.services.status.document.targetGroups[1].targets.isEmpty)
        try scene.start()
        #expect(scene.services.status.document.targetGroups[1].targets.isEmpty, "they are gone for good")
    }

    @Test func aWrongChangeIsRefusedAndTheOthersOfThePassAreNot() throws {
        let scene = try Scene()
        let wrong = scene.apply(.registerTargets(group: "purple", [TargetDescription(id: "192.0.2.9")]))
        let right = scene.apply(.registerTargets(group: "green", [TargetDescription(id: "192.0.2.9")]))
        #expect(wrong.result == nil, "not before the pass is over")
        scene.pass()
        #expect(wrong.error?.code == "TargetGroupNotFound")
        #expect(right.isSuccess)
        #expect(scene.services.status.tally.changesRefused == 1)
    }

    @Test func nothingChangesWhenTheDiskRefuses() throws {
        let scene = try Scene()
        scene.collect()
        let before = scene.services.status.document
        // A folder where the new state would be written stands in for a disk that is full: it refuses root, too.
        try FileManager.default.createDirectory(
            atPath: scene.folder.file("state/state.json.new"), withIntermediateDirectories: true)
        let port = Int(try freePort())
        let outcomes = [
            scene.apply(.registerTargets(group: "green", [TargetDescription(id: "192.0.2.9")])),
            scene.apply(
                .putListener(
                    loadBalancer: "web", Listener(port: port, defaultActions: [forward([("blue", 1)])]))),
        ]
        scene.pass()
        #expect(outcomes.map(\.error?.code) == ["InternalFailure", "InternalFailure"])
        #expect(scene.services.status.document == before)
        #expect(scene.snapshots.count == 1)
        try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: UInt16(port))!, sharesPort: false).close()
        try FileManager.default.removeItem(atPath: scene.folder.file("state/state.json.new"))
        let again = scene.apply(.registerTargets(group: "green", [TargetDescription(id: "192.0.2.9")]))
        scene.pass()
        #expect(again.isSuccess)
    }

    @Test func aListenerWhosePortIsTakenIsRefused() throws {
        let scene = try Scene()
        let other = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: false)
        defer { other.close() }
        let before = scene.services.status.document
        let outcome = scene.apply(
            .putListener(
                loadBalancer: "web",
                Listener(port: Int(other.localAddress!.port), defaultActions: [forward([("blue", 1)])])))
        scene.pass()
        #expect(outcome.error?.code == "InvalidConfigurationRequest")
        #expect(scene.services.status.document == before)
    }

    /// A listener with a certificate, on a port that is free.
    private func secureListener(_ pair: TestAuthority.Pair, port: UInt16) -> Listener {
        Listener(
            protocol: .https, port: Int(port),
            certificates: [
                CertificateFiles(certificateFile: pair.certificatePath, privateKeyFile: pair.privateKeyPath)
            ], defaultActions: [forward([("blue", 1)])])
    }

    /// Certificate files that change in the pass of a change do not take its certificates away.
    @Test func certificatesThatChangeMeanwhileDisturbNoChange() throws {
        let scene = try Scene()
        let listener = secureListener(TestAuthority().issue(["localhost"]), port: try freePort())
        let outcome = scene.apply(.putListener(loadBalancer: "web", listener))
        scene.services.certificateRefresh.certificateFilesChanged()
        scene.pass()
        #expect(outcome.isSuccess)
        #expect(scene.services.preparation.certificates.certificates.count == 1)
        let plan = scene.snapshots.last?.listeners.first { $0.port == UInt16(listener.port) }
        #expect(plan?.tls?.certificates.count == 1)
    }

    /// A change that is refused for its certificate leaves no port open, and one refused for its port no certificate.
    @Test func aRefusedListenerLeavesNothingOpen() throws {
        let scene = try Scene()
        let pair = TestAuthority().issue(["localhost"])
        let port = try freePort()
        var listener = secureListener(pair, port: port)
        listener.certificates[0].privateKeyFile = "/nowhere/a.key"
        let bad = scene.apply(.putListener(loadBalancer: "web", listener))
        scene.pass()
        #expect(bad.error != nil)
        #expect(throws: Never.self) {
            try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: port)!, sharesPort: false).close()
        }
        let good = scene.apply(.putListener(loadBalancer: "web", secureListener(pair, port: port)))
        let taken = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: false)
        defer { taken.close() }
        let other = secureListener(TestAuthority().issue(["localhost"]), port: taken.localAddress!.port)
        let refused = scene.apply(.putListener(loadBalancer: "web", other))
        scene.pass()
        #expect(good.isSuccess && refused.error != nil)
        #expect(scene.services.preparation.certificates.certificates.map(\.file) == [pair.certificatePath])
    }

    @Test func aTargetThatComesBackInTheSamePassStillDrains() throws {
        let scene = try Scene()
        scene.collect()
        let plan = { (snapshot: Snapshot?) in snapshot?.groups.first { $0.name == "blue" }?.targets.map(\.id) }
        let before = try #require(plan(scene.snapshots.last))
        var reports: [Deregistration]?
        let target = TargetDescription(id: "192.0.2.1")
        scene.services.targets.deregister(group: "blue", targets: [target], wait: true, by: nil, if: nil, for: nil) {
            reports = try? $0.get().targets
        }
        _ = scene.apply(.registerTargets(group: "blue", [target]))
        scene.pass()
        let after = try #require(plan(scene.snapshots.last))
        #expect(after.count == 2)
        #expect(!after.contains(before[0]) && after.contains(before[1]))
        #expect(reports == nil)
        let health = try scene.services.status.targetHealth(group: "blue", targets: [target])
        #expect(health.map(\.state) == [.initial, .draining])
        scene.reportDrained(before[0])
        #expect(reports?.count == 1)
    }

    @Test func instancesAreNamedWhenTheyAreMissing() throws {
        let scene = try Scene(
            groups: """
                targetGroups:
                  - { name: blue, targetType: instance, protocol: HTTP, port: 8080, targets: [ { id: i-0a1b2c3d } ] }
                  - { name: green, targetType: ip, protocol: HTTP, port: 8080 }
                """)
        let health = try scene.services.status.targetHealth(group: "blue", targets: nil)
        #expect(health.map(\.reason) == ["Target.InvalidState"])
        #expect(health.first?.description?.contains("i-0a1b2c3d") == true)
        _ = scene.apply(.putInstance(Instance(id: "i-0a1b2c3d", address: "192.0.2.7")))
        scene.pass()
        #expect(try scene.services.status.targetHealth(group: "blue", targets: nil).map(\.state) == [.initial])
        let addresses = scene.snapshots.last?.groups.flatMap(\.targets).map(\.address.description)
        #expect(addresses == ["192.0.2.7:8080"])
    }

    @Test func aReloadKeepsWhatWasChangedAndSaysWhatDoesNotFit() throws {
        let scene = try Scene()
        _ = scene.apply(.registerTargets(group: "green", [TargetDescription(id: "192.0.2.9")]))
        _ = scene.apply(.putTargetGroup(group("extra")))
        scene.pass()
        try scene.write(
            groups: """
                targetGroups:
                  - name: blue
                    targetType: ip
                    protocol: HTTP
                    port: 8080
                    targets: [ { id: 192.0.2.1 }, { id: 192.0.2.3 } ]
                  - { name: green, targetType: instance, protocol: HTTP, port: 8080 }
                """, runtime: ", workers: 7")
        var report: ReloadReport?
        scene.services.reloads.reload(discardingChanges: false, if: nil) { report = try? $0.get() }
        scene.pass()
        #expect(report?.generation == scene.services.status.generation)
        #expect(report?.needsRestart == ["runtime.workers"])
        #expect(report?.changes.contains("Target group blue: 1 target was registered.") == true)
        #expect(report?.changes.contains("Target group blue: 1 target was deregistered.") == true)
        #expect(report?.changesNotApplied.count == 1, "an address is no instance id")
        #expect(scene.services.status.changesNotApplied == report?.changesNotApplied)
        #expect(scene.services.status.document.targetGroups.map(\.name) == ["blue", "green", "extra"])
        let states = try scene.services.status.targetHealth(group: "blue", targets: nil).map(\.state)
        #expect(states == [.initial, .initial, .draining])

        #expect(report?.putAside == nil)
        let changes = try readFile(scene.folder.file("state/state.json"))
        scene.services.reloads.reload(discardingChanges: true, if: nil) { report = try? $0.get() }
        scene.pass()
        #expect(report?.changesNotApplied == [])
        let aside = try #require(report?.putAside)
        #expect(aside.hasPrefix(scene.folder.file("state/state.json.discarded-")))
        #expect(try readFile(aside) == changes)
        scene.services.reloads.reload(discardingChanges: true, if: nil) { report = try? $0.get() }
        scene.pass()
        #expect(report?.putAside == nil, "there was nothing to discard")
        #expect(scene.services.status.document.targetGroups.map(\.name) == ["blue", "green"])
        try scene.start()
        #expect(scene.services.status.document.targetGroups.map(\.name) == ["blue", "green"])
    }

    @Test(arguments: ["targetGroups: [", "targetGroups: []", "surprise: 1", ""])
    func aBadFileChangesNothing(groups: String) throws {
        let scene = try Scene()
        scene.collect()
        let before = scene.services.status.document
        try scene.write(groups: groups)
        var errors: ConfigErrors?
        scene.services.reloads.reload(discardingChanges: true, if: nil) {
            if case .failure(let error) = $0 { errors = error }
        }
        scene.pass()
        #expect(errors?.first.file == scene.file)
        #expect(scene.services.status.document == before)
        #expect(scene.snapshots.count == 1)
        #expect(scene.services.status.tally.reloadsRefused == 1)
    }

    @Test func aReloadWhosePortIsTakenChangesNothing() throws {
        let scene = try Scene()
        let before = scene.services.status.document
        let other = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: false)
        defer { other.close() }
        try scene.write(groups: Scene.groups, port: other.localAddress!.port)
        var errors: ConfigErrors?
        scene.services.reloads.reload(discardingChanges: false, if: nil) {
            if case .failure(let error) = $0 { errors = error }
        }
        scene.pass()
        #expect(errors?.first.message.contains("\(other.localAddress!.port)") == true)
        #expect(errors?.first.file == scene.file)
        #expect(errors?.first.location == Location(line: 8, column: 15), "the file's port, not the listener's start")
        #expect(scene.services.status.document == before)
    }

    @Test func nothingIsChangedWhileStopping() throws {
        let scene = try Scene()
        scene.services.stop()
        let outcome = scene.apply(.registerTargets(group: "green", [TargetDescription(id: "192.0.2.9")]))
        var reloadError: ConfigErrors?
        scene.services.reloads.reload(discardingChanges: false, if: nil) {
            if case .failure(let error) = $0 { reloadError = error }
        }
        scene.pass()
        scene.pass()
        #expect(outcome.error?.code == "OperationNotPermitted")
        #expect(outcome.error?.status == 503)
        #expect(reloadError?.first.code == .operationNotPermitted)
        #expect(scene.snapshots.count == 1)
    }

    @Test func aRemovedGroupIsLetGoOnceAllWorkersHaveAdoptedAndDrained() throws {
        let scene = try Scene()
        _ = scene.apply(.putTargetGroup(group("extra", [TargetDescription(id: "192.0.2.50")])))
        scene.pass()
        let plan = try #require(scene.snapshots.last?.groups.first { $0.name == "extra" })
        _ = scene.apply(.deleteTargetGroup(name: "extra"))
        scene.pass()
        let registry = scene.services.registry
        #expect(registry.withdrawn.map(\.name) == ["extra"])
        scene.reportDrained(plan.targets[0].id)
        #expect(registry.withdrawn.count == 1, "no worker has said that it works without it")
        for worker in 0..<2 {
            scene.services.received(
                .adopted(worker: worker, generation: scene.services.status.generation), now: Instant.now())
        }
        #expect(registry.withdrawn.isEmpty)
        #expect(posted(scene.events).contains { $0.name == "target-drained" })
    }
}
