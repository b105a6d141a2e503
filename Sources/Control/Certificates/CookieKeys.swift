import Core
import Logging
import Model
import TLS

/// The keys of the cookies by which clients stay with a target or a group, replaced from time to time.
///
/// Old keys are kept until the last cookie that was made with them has expired. The keys are on disk from when the
/// document first has stickiness, so that cookies outlive a restart; a new key is used once it is there.
///
/// Shape: one object of the control thread. What has to be written is written by the state's thread.
final class CookieKeys: PollHandler {
    private let loop: ControlLoop
    private let workers: WorkerSet
    private let file: CookieKeyFile
    private let disk: DiskThread
    private let logger: Logger
    /// The time of day in seconds since 1970.
    private let clock: () -> UInt64
    private var token = Token.none
    /// Seconds after which a key is replaced.
    private var interval: UInt64
    /// Whether the document has stickiness, or had it once.
    private var isInUse = false
    private var isOnDisk: Bool
    private var isWriting = false
    /// Whether no key is replaced, since another process reads them, or has them by now.
    var isPaused = false {
        didSet { if oldValue && !isPaused && isInUse { proceed() } }
    }
    /// The keys that workers have, the newest first.
    private(set) var current: [CookieKey]

    /// Reads the keys of `file`, if there are any. `workers` are told new ones every `interval` seconds, once `follow`
    /// was told of a document that needs them. Waits for the disk.
    init(
        loop: ControlLoop, interval: Double, file: CookieKeyFile, workers: WorkerSet, disk: DiskThread, logger: Logger,
        clock: @escaping () -> UInt64 = { WallClock.now() / 1_000_000_000 }
    ) {
        self.loop = loop
        self.workers = workers
        self.file = file
        self.disk = disk
        self.logger = logger
        self.clock = clock
        self.interval = UInt64(interval)
        var kept: [CookieKey] = []
        do throws(CookieKeyFile.Damage) { kept = try file.load() } catch {
            logger.error(
                "the keys of cookies cannot be read: sticky clients are balanced anew, and the file is put aside",
                metadata: [
                    "file": "\(file.path)", "aside": "\(file.setAside() ?? "-")", "error": "\(error.reason)",
                ])
        }
        isOnDisk = !kept.isEmpty
        current = kept.isEmpty ? [.random(createdAt: clock())] : kept
        token = loop.add(self, descriptor: nil)
    }

    /// `document` is in force.
    func follow(_ document: Document) {
        interval = UInt64(document.runtime.cookieKeyRotationSeconds)
        if document.hasCookieStickiness { isInUse = true }
        if isInUse { proceed() }
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) { proceed() }

    /// Writes keys that are not on disk, replaces the newest one when that is due, and sets the time of the next look.
    private func proceed() {
        guard !isWriting && !isPaused else { return }
        let now = clock()
        let createdAt = current[0].createdAt
        let age = now > createdAt ? now - createdAt : 0
        // A key from further ahead was made before the clock was set back.
        if age >= interval || createdAt > now + interval {
            let key = CookieKey.random(createdAt: now, besides: current)
            return store(Self.kept([key] + current, now: now))
        }
        guard isOnDisk else { return store(current) }
        loop.schedule(token, at: Instant.now() + (interval - age) * 1_000_000_000)
    }

    /// Has `keys` written, and then used.
    private func store(_ keys: [CookieKey]) {
        isWriting = true
        let file = file
        disk.run({
            do throws(SystemError) {
                try file.save(keys)
                return nil
            } catch { return error as SystemError? }
        }) { [self] (error: SystemError??) in
            isWriting = false
            guard let error = error ?? nil else { return stored(keys) }
            logger.error(
                "the keys of cookies cannot be written: those in use stay, and are lost with this process",
                metadata: ["file": "\(file.path)", "error": "\(error)"])
            loop.schedule(token, at: Instant.now() + Limits.cookieKeyRetryTime)
        }
    }

    private func stored(_ keys: [CookieKey]) {
        isOnDisk = true
        if keys != current {
            current = keys
            workers.sendToAll(.cookieKeys(keys))
            logger.info("the key of cookies was replaced", metadata: ["keys": "\(keys.count)"])
        }
        proceed()
    }

    /// Those of `keys`, the newest first, with which there may be cookies that have not expired.
    static func kept(_ keys: [CookieKey], now: UInt64) -> [CookieKey] {
        let newer = keys.first.map { [$0] } ?? []
        // A key is kept as long after the next one was made; one from a time to come was made now at the latest.
        let older = zip(keys, keys.dropFirst()).filter { next, _ in
            min(next.createdAt, now) + UInt64(Limits.cookieLifetimeSeconds) >= now
        }.map(\.1)
        return Array((newer + older).prefix(Limits.cookieKeysMax))
    }
}

extension Document {
    /// Whether clients stay with a target or a group by a cookie.
    fileprivate var hasCookieStickiness: Bool {
        targetGroups.contains { $0.protocol.kind == .application && $0.attributes.stickiness.isEnabled }
            || loadBalancers.contains { loadBalancer in
                loadBalancer.type == .application && loadBalancer.listeners.contains(where: \.hasGroupStickiness)
            }
    }
}

extension Listener {
    fileprivate var hasGroupStickiness: Bool {
        (defaultActions + rules.flatMap(\.actions)).contains { action in
            guard case .forward(let forward) = action else { return false }
            return forward.stickiness.isEnabled
        }
    }
}
