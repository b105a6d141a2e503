import Foundation
import Glibc

/// Two network namespaces joined by a cable, gone when let go. All that does not belong to one is routed to the other.
///
/// Source: ip-netns(8), veth(4).
final class Namespaces: Sendable {
    /// Where the program under test runs.
    let inner: String
    /// Where its clients come from.
    let outer: String
    /// The address of either end.
    static let innerAddress = "10.98.0.1"
    static let outerAddress = "10.98.0.2"

    /// Whether we may make some.
    static let arePermitted: Bool = (try? Namespaces()) != nil

    /// Makes them.
    init() throws {
        let name = "apus-\(getpid())-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        inner = name + "-in"
        outer = name + "-out"
        let commands = [
            "netns add \(inner)", "netns add \(outer)",
            "-n \(inner) link add cable type veth peer name cable netns \(outer)",
            "-n \(inner) link set lo up", "-n \(outer) link set lo up",
            "-n \(inner) address add \(Self.innerAddress)/24 dev cable", "-n \(inner) link set cable up",
            "-n \(outer) address add \(Self.outerAddress)/24 dev cable", "-n \(outer) link set cable up",
            "-n \(inner) route add default via \(Self.outerAddress)",
            "-n \(outer) route add default via \(Self.innerAddress)",
        ]
        do { for command in commands { try Self.run(command) } } catch {
            remove()
            throw error
        }
    }

    deinit { remove() }

    /// The cable goes with them.
    private func remove() { for name in [inner, outer] { try? Self.run("netns delete \(name)") } }

    private static func run(_ words: String) throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let child = try ChildProcess(
            ["ip"] + words.split(separator: " ").map(String.init), folder: folder, label: "ip")
        guard child.waitForExit() == .exited(0) else { throw SocketError(call: "ip \(words)", code: EPERM) }
    }
}
