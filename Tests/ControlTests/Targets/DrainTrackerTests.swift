import Core
import Model
import Proxy
import Testing

@testable import Control

@Suite struct DrainTrackerTests {
    /// A registration of a group, and a tracker of two workers whose mail is recorded.
    private final class Scene: DrainObserver {
        let loop = ControlLoop()
        let registry = TargetRegistry(workerCount: 2, events: EventLog(), logger: quiet)
        let registration: Registration
        private let mailboxes = [Mailbox<WorkerMail>(), Mailbox<WorkerMail>()]
        private let workers = WorkerSet(count: 2)
        /// Targets that the first worker was told to cut.
        var cuts: [Int] {
            for case .cut(let target) in mailboxes[0].takeAll() { told.append(target) }
            return told
        }
        private var told: [Int] = []
        var ended: [DrainReport] = []
        let tracker: DrainTracker

        init() {
            let document = Document(
                loadBalancers: [loadBalancer("web", port: 80, forwardingTo: [("blue", 1)])],
                targetGroups: [group("blue", [TargetDescription(id: "10.0.0.1")])])
            registration = registry.reconcile(with: document, renewed: [:], now: Instant.now()).arrived[0]
            workers.attach(mailboxes: mailboxes)
            tracker = DrainTracker(loop: loop, workers: workers)
            tracker.observer = self
        }

        func drained(_ registration: Registration, _ report: DrainReport) { ended.append(report) }
    }

    @Test func endsWhenEveryWorkerHasReported() {
        let scene = Scene(), start = Instant(nanoseconds: 1_000_000_000)
        var reports: [DrainReport] = []
        scene.tracker.begin(scene.registration, delay: .max, now: start)
        #expect(scene.tracker.wait(for: scene.registration, by: scene) { reports.append($0) })
        let id = scene.registration.id
        scene.tracker.received(worker: 1, target: id, finished: 3, cut: 0, now: start)
        scene.tracker.received(worker: 1, target: id, finished: 9, cut: 9, now: start)
        #expect(scene.ended.isEmpty, "worker 0 has not reported, and worker 1 counts once")
        scene.tracker.received(worker: 0, target: id, finished: 2, cut: 1, now: Instant(nanoseconds: 3_500_000_000))
        let expected = DrainReport(id: "10.0.0.1", port: 8080, finished: 5, cut: 1, seconds: 2.5)
        #expect(scene.ended == [expected])
        #expect(reports == [expected])
        #expect(scene.tracker.count == 0)
        #expect(scene.cuts.isEmpty)
        #expect(!scene.tracker.wait(for: scene.registration, by: scene) { _ in })
    }

    @Test func aForgottenOwnerGetsNoReport() {
        let scene = Scene(), other = Scene(), start = Instant(nanoseconds: 1_000_000_000)
        var told: [String] = []
        scene.tracker.begin(scene.registration, delay: .max, now: start)
        #expect(scene.tracker.wait(for: scene.registration, by: scene) { _ in told.append("one") })
        #expect(scene.tracker.wait(for: scene.registration, by: other) { _ in told.append("other") })
        scene.tracker.forget(scene)
        for worker in 0..<2 {
            scene.tracker.received(worker: worker, target: scene.registration.id, finished: 0, cut: 0, now: start)
        }
        #expect(told == ["other"])
    }

    @Test func cutsWhenTheDelayIsOver() {
        let scene = Scene()
        scene.tracker.begin(scene.registration, delay: 1_000_000, now: scene.loop.now)
        #expect(run(scene.loop) { !scene.cuts.isEmpty })
        #expect(scene.cuts == [scene.registration.id])
        #expect(scene.ended.isEmpty, "the workers say when they have cut")
        for worker in 0..<2 {
            scene.tracker.received(
                worker: worker, target: scene.registration.id, finished: 0, cut: 4, now: scene.loop.now)
        }
        #expect(scene.ended.map(\.cut) == [8])
    }

    @Test func aReportForATargetThatDoesNotDrainIsStale() {
        let scene = Scene()
        scene.tracker.received(worker: 0, target: 7, finished: 1, cut: 1, now: scene.loop.now)
        #expect(scene.ended.isEmpty)
    }
}
