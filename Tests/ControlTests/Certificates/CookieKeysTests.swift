import Core
import Foundation
import Logging
import Model
import Proxy
import TLS
import Testing

@testable import Control

@Suite struct CookieKeysTests {
    private static let day: UInt64 = 86_400

    /// Control's part, with a clock that the test moves.
    private final class Bench {
        let folder: TemporaryFolder
        let loop = ControlLoop()
        let mailbox = Mailbox<WorkerMail>()
        let disk: DiskThread
        let file: CookieKeyFile
        var now: UInt64 = 1_800_000_000
        private(set) var told: [[CookieKey]] = []

        init() throws {
            folder = try TemporaryFolder()
            disk = DiskThread(name: "state", loop: loop)
            file = CookieKeyFile(inFolder: folder.path)
        }

        func keys() -> CookieKeys {
            let workers = WorkerSet(count: 1)
            workers.attach(mailboxes: [mailbox])
            return CookieKeys(
                loop: loop, interval: Double(CookieKeysTests.day), file: file, workers: workers, disk: disk,
                logger: Logger(label: "test")
            ) { [unowned self] in now }
        }

        /// Lets the disk and the loop do their work until `condition` holds.
        func wait(until condition: () -> Bool) -> Bool {
            run(loop) {
                for case .cookieKeys(let keys) in mailbox.takeAll() { told.append(keys) }
                return condition()
            }
        }

        var saved: [CookieKey] { (try? file.load()) ?? [] }
    }

    private static func document(isSticky: Bool, interval: Double = 86_400) -> Document {
        var group = TargetGroup(name: "blue", port: 80)
        group.attributes.stickiness.isEnabled = isSticky
        var document = Document(targetGroups: [group])
        document.runtime.cookieKeyRotationSeconds = interval
        return document
    }

    @Test func withoutStickinessNothingIsWritten() throws {
        let bench = try Bench()
        let keys = bench.keys()
        keys.follow(Self.document(isSticky: false))
        bench.now += 30 * Self.day
        keys.follow(Self.document(isSticky: false))
        #expect(keys.current.count == 1 && bench.saved == [])
        bench.disk.close()
    }

    @Test func keysAreWrittenOnceTheyAreNeededAndReadAgain() throws {
        let bench = try Bench()
        let keys = bench.keys()
        let first = keys.current
        keys.follow(Self.document(isSticky: true))
        #expect(bench.wait { bench.saved == first })
        #expect(keys.current == first && bench.told.isEmpty, "workers have them already")
        #expect(bench.keys().current == first, "the next process")
        bench.disk.close()
    }

    /// Also for actions whose groups are not sticky themselves, and not for connections.
    @Test func stickinessOfActionsNeedsThem() throws {
        for (type, isNeeded) in [(LoadBalancer.Kind.application, true), (.network, false)] {
            let bench = try Bench()
            let keys = bench.keys()
            let action = ForwardAction(
                targetGroups: [WeightedTargetGroup(targetGroupName: "blue")],
                stickiness: TargetGroupStickiness(isEnabled: true, durationSeconds: 60))
            let listener = Listener(
                protocol: type == .network ? .tcp : .http, port: 80, defaultActions: [.forward(action)])
            keys.follow(
                Document(loadBalancers: [LoadBalancer(name: "web", type: type, listeners: [listener])]))
            if isNeeded { #expect(bench.wait { bench.saved == keys.current }) } else { #expect(bench.saved == []) }
            bench.disk.close()
        }
    }

    @Test func aKeyIsReplacedWhenItIsDueAndOldOnesAreKept() throws {
        let bench = try Bench()
        let keys = bench.keys()
        keys.follow(Self.document(isSticky: true))
        #expect(bench.wait { !bench.saved.isEmpty })
        for number in 1...12 {
            let before = keys.current
            bench.now += Self.day
            keys.follow(Self.document(isSticky: true))
            #expect(bench.wait { bench.told.count == number })
            #expect(keys.current == bench.told.last && keys.current == bench.saved)
            #expect(Array(keys.current.dropFirst()) == Array(before.prefix(8)), "one for each day that a cookie lives")
        }
        #expect(keys.current.count == 9)
        bench.disk.close()
    }

    /// It is in use for longer than it is made with: until what it has sealed last has expired.
    @Test func anOldKeyIsForgottenWhenItsLastCookieHasExpired() {
        let keys = [300, 200, 100].map { CookieKey.random(createdAt: $0 * Self.day) }
        #expect(CookieKeys.kept(keys, now: 300 * Self.day) == [keys[0], keys[1]])
        #expect(CookieKeys.kept(keys, now: 307 * Self.day) == [keys[0], keys[1]])
        #expect(CookieKeys.kept(keys, now: 307 * Self.day + 1) == [keys[0]])
        #expect(CookieKeys.kept(keys, now: 900 * Self.day) == [keys[0]], "the newest seals")
        let many = (0..<300).map { CookieKey.random(createdAt: UInt64(1000 - $0)) }
        #expect(CookieKeys.kept(many, now: 1000) == Array(many.prefix(Limits.cookieKeysMax)))
    }

    /// What comes due while no process runs is done at the start; a shorter interval counts at once.
    @Test func aKeyThatIsOverdueIsReplacedAtTheStart() throws {
        let bench = try Bench()
        let old = CookieKey.random(createdAt: bench.now - 3 * Self.day)
        try bench.file.save([old])
        let keys = bench.keys()
        #expect(keys.current == [old])
        keys.follow(Self.document(isSticky: true, interval: 604_800))
        #expect(keys.current == [old] && bench.saved == [old])
        keys.follow(Self.document(isSticky: true, interval: 3600))
        #expect(bench.wait { bench.told.count == 1 })
        #expect(keys.current.count == 2 && keys.current[1] == old && bench.saved == keys.current)
        bench.disk.close()
    }

    /// A key that no disk has is not used; the process goes on with those that it has.
    @Test func aDiskThatRefusesKeepsTheOldKey() throws {
        let bench = try Bench()
        let old = CookieKey.random(createdAt: bench.now - 3 * Self.day)
        try bench.file.save([old])
        let keys = bench.keys()
        // Something else has the name under which the file is written first.
        let inTheWay = bench.file.path + ".new"
        try FileManager.default.createDirectory(atPath: inTheWay, withIntermediateDirectories: false)
        keys.follow(Self.document(isSticky: true))
        var isDone = false
        bench.disk.run({ true }) { _ in isDone = true }
        #expect(bench.wait { isDone })
        #expect(keys.current == [old] && bench.told.isEmpty && bench.saved == [old])
        try FileManager.default.removeItem(atPath: inTheWay)
        keys.follow(Self.document(isSticky: true))
        #expect(bench.wait { bench.told.count == 1 })
        #expect(keys.current.count == 2)
        bench.disk.close()
    }

    /// The clock was years ahead when the key was made.
    @Test func aKeyFromTheFutureIsReplaced() throws {
        let bench = try Bench()
        let ahead = CookieKey.random(createdAt: bench.now + 3000 * Self.day)
        try bench.file.save([ahead])
        let keys = bench.keys()
        keys.follow(Self.document(isSticky: true))
        #expect(bench.wait { bench.told.count == 1 })
        #expect(keys.current[0].createdAt == bench.now && keys.current[1] == ahead)
        #expect(bench.keys().current == keys.current, "the next process seals with the new one")
        bench.now += 8 * Self.day
        #expect(CookieKeys.kept(keys.current, now: bench.now) == [keys.current[0]])
        bench.disk.close()
    }

    @Test func aDamagedFileIsReplacedAndKeptAside() throws {
        let bench = try Bench()
        try Data("{".utf8).write(to: URL(fileURLWithPath: bench.file.path))
        let keys = bench.keys()
        #expect(try String(contentsOfFile: bench.file.path + ".damaged", encoding: .utf8) == "{")
        #expect(keys.current.count == 1)
        keys.follow(Self.document(isSticky: true))
        #expect(bench.wait { bench.saved == keys.current })
        bench.disk.close()
    }
}
