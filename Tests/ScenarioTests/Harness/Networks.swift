import Foundation
import TestRuns
import Testing

/// Three networks in namespaces: clients at 10.1.0.2 and fd01::2; targets at 10.2.0.2 and fd02::2, whose way to
/// everywhere is Apus's host; and this between them, at the .1 and ::1 of both.
///
/// Shape:  network namespaces with names of their own, gone when let go.
/// Source: ip-netns(8), veth(4).
final class Networks: Sendable {
    /// One of the three.
    enum Place: String, CaseIterable { case client, apus, target }

    /// A folder for what runs there.
    let folder: String
    private let name: String

    /// Whether this process may create network namespaces.
    static let areAllowed: Bool = {
        guard FileManager.default.isExecutableFile(atPath: Tool.python) else { return false }
        return (try? Networks())?.isComplete ?? false
    }()

    private let isComplete: Bool

    init() throws {
        let name = "\(TestRun.name)-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        let folder = try temporaryFolder()
        (self.name, self.folder) = (name, folder)
        var lines = Place.allCases.map { "netns add \(name)-\($0)" }
        for (end, place, number) in [("c0", Place.client, 1), ("t0", Place.target, 2)] {
            lines += [
                "-n \(name)-apus link add \(end) type veth peer name e0 netns \(name)-\(place)",
                "-n \(name)-apus addr add 10.\(number).0.1/24 dev \(end)",
                "-n \(name)-apus addr add fd0\(number)::1/64 dev \(end) nodad",
                "-n \(name)-apus link set \(end) up",
                "-n \(name)-\(place) addr add 10.\(number).0.2/24 dev e0",
                "-n \(name)-\(place) addr add fd0\(number)::2/64 dev e0 nodad",
                "-n \(name)-\(place) link set e0 up",
                "-n \(name)-\(place) route add default via 10.\(number).0.1",
                "-n \(name)-\(place) -6 route add default via fd0\(number)::1",
            ]
        }
        lines += Place.allCases.map { "-n \(name)-\($0) link set lo up" }
        var isComplete = true
        for line in lines where isComplete {
            let words = ["ip"] + line.split(separator: " ").map(String.init)
            let child = try? ChildProcess(words, folder: folder, label: UUID().uuidString)
            isComplete = child?.waitForExit() == .exited(0)
        }
        self.isComplete = isComplete
    }

    deinit {
        for place in Place.allCases {
            let words = ["ip", "netns", "del", "\(name)-\(place)"]
            _ = try? ChildProcess(words, folder: folder, label: "del").waitForExit()
        }
        removeFolder(folder)
    }

    /// The namespace that is one of them.
    func namespace(_ place: Place) -> String { "\(name)-\(place)" }

    /// A command as it runs in one of them.
    func words(in place: Place, _ command: [String]) -> [String] {
        ["ip", "netns", "exec", namespace(place)] + command
    }

    /// Starts a command in one of them.
    func start(in place: Place, _ command: [String], label: String) throws -> ChildProcess {
        try ChildProcess(words(in: place, command), folder: folder, label: label)
    }

    /// Runs a command in one of them to its end, which must be good; what it wrote.
    func run(in place: Place, _ command: [String]) throws -> String {
        try Tool.run(words(in: place, command), in: folder)
    }
}
