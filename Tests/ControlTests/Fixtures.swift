import Core
import Foundation
import Logging
import Model
import Synchronization
import TestRuns

@testable import Control

/// A logger that says nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs `loop` until `isDone`, or gives up after `seconds`. Returns whether it was done.
func run(_ loop: ControlLoop, within seconds: Double = 20, until isDone: () -> Bool) -> Bool {
    let alarm = Alarm()
    let token = loop.add(alarm, descriptor: nil)
    loop.schedule(token, at: Instant.now() + Nanoseconds(seconds: seconds))
    defer { loop.remove(token) }
    loop.run { isDone() || alarm.hasRung }
    return isDone()
}

/// A timer that remembers that it fired.
final class Alarm: PollHandler {
    private(set) var hasRung = false

    func ready(_ ready: Poller.Ready, now: Instant) {}
    func timerFired(now: Instant) { hasRung = true }
}

/// A folder that is gone with its last owner.
final class TemporaryFolder {
    let path: String

    init() throws { path = try TestRun.makeFolder() }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
}

/// A port of 127.0.0.1 that nobody listens on now: none twice, and below those that the kernel and the scenarios take.
func freePort() throws -> UInt16 {
    var failure: SystemError?
    for _ in freePorts {
        let port = nextFreePort.withLock { next in
            next = next == freePorts.upperBound ? freePorts.lowerBound : next + 1
            return next
        }
        do throws(SystemError) {
            try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: port)!, sharesPort: false).close()
            return port
        } catch { failure = error }
    }
    throw failure!
}

private let freePorts: ClosedRange<UInt16> = 7_000...9_999
private let nextFreePort = Mutex<UInt16>(.random(in: freePorts))

/// A load balancer on 127.0.0.1 whose one listener forwards to `groups` by weight.
func loadBalancer(_ name: String, port: Int, forwardingTo groups: [(String, Int)], rules: [Rule] = []) -> LoadBalancer {
    LoadBalancer(
        name: name, addresses: ["127.0.0.1"],
        listeners: [Listener(port: port, defaultActions: [forward(groups)], rules: rules)])
}

/// A forward action.
func forward(_ groups: [(String, Int)]) -> Action {
    .forward(ForwardAction(targetGroups: groups.map { WeightedTargetGroup(targetGroupName: $0.0, weight: $0.1) }))
}

/// A group of type `ip` with these targets.
func group(
    _ name: String, _ targets: [TargetDescription] = [], healthCheck: HealthCheck = HealthCheck(),
    attributes: TargetGroupAttributes = TargetGroupAttributes()
) -> TargetGroup {
    TargetGroup(
        name: name, targetType: .ip, port: 8080, healthCheck: healthCheck, attributes: attributes, targets: targets)
}

/// What `value` says in words; a dash for nothing.
func text(_ value: Value?) -> String { value.map { $0.string ?? $0.json() } ?? "-" }

/// The event log's events so far.
func posted(_ events: EventLog) -> [Event] { events.remembered.map(\.event) }
