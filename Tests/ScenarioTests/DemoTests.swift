import Foundation
import Glibc
import Testing

/// `apus demo`: from any folder, and more than one at once.
@Suite struct DemoTests {
    private let folder: String

    init() throws { folder = try temporaryFolder() }

    /// A demo, and what it told.
    private struct Demo {
        let process: ChildProcess

        private func told(after words: String) -> String? {
            process.standardOutput.split(separator: "\n").lazy
                .compactMap {
                    $0.split(separator: words, maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
                }
                .first.map { String($0.prefix { $0 != " " }) }
        }

        var socket: String? { told(after: "export APUS_SOCKET=") }
        var port: UInt16? { told(after: "curl localhost:").flatMap { UInt16($0) } }
        var begins: Bool { process.standardOutput.contains("What happens:") || process.exitStatus != nil }
    }

    /// Starts one in a folder in which nobody can write, not even root.
    private func start(_ label: String, _ words: String...) throws -> Demo {
        Demo(
            process: try ChildProcess(
                ["env", "-C", "/proc", ApusProcess.binary, "demo"] + words, folder: folder, label: label))
    }

    @Test("Two at once serve side by side, from a folder that is read-only, and leave nothing behind")
    func twoAtOnce() throws {
        defer { removeFolder(folder) }
        let demos = [try start("first"), try start("second")]
        for demo in demos {
            let begins = eventually(within: 20) { demo.begins }
            let told = demo.process.standardOutput + demo.process.standardError
            #expect(begins && demo.process.exitStatus == nil, "\(told)")
            #expect(
                told.contains("Apus balances 4 sample targets") && told.contains("leaves nothing behind"), "\(told)")
        }
        let sockets = try demos.map { try #require($0.socket) }
        #expect(Set(sockets).count == 2 && sockets.allSatisfy { $0.hasPrefix("/tmp/apus-demo") }, "\(sockets)")
        for demo in demos {
            let client = try RawClient(port: try #require(demo.port))
            let answers = try (0..<20).map { _ in try client.get("/").text.prefix { $0 != " " } }
            #expect(answers.count { $0 == "blue" } == 18 && answers.count { $0 == "green" } == 2, "\(answers)")
            let list = try ApusProcess.command(
                ["targets", "list", "blue", "--json"], socket: try #require(demo.socket), folder: folder)
            #expect(list.json["targetHealthDescriptions"].elements.count == 2, "\(list.errors)")
        }
        demos[0].process.signal(SIGINT)
        #expect(demos[0].process.waitForExit() == .exited(0))
        // The other one has its own targets and its own folder.
        #expect(try RawClient(port: try #require(demos[1].port)).get("/hello").status == 200)
        demos[1].process.signal(SIGTERM)
        #expect(demos[1].process.waitForExit() == .exited(0))
        for socket in sockets {
            let itsFolder = (socket as NSString).deletingLastPathComponent
            #expect(!FileManager.default.fileExists(atPath: itsFolder), "\(itsFolder)")
        }
    }

    @Test("A file of the user's is served as it is, with sample targets for its addresses")
    func ownFile() throws {
        defer { removeFolder(folder) }
        let ports = [try PortAllocator.port(), try PortAllocator.port()]
        let text = """
            admin: { socket: \(folder)/demo.sock }
            runtime: { stateDirectory: \(folder)/state }
            logs: { access: { path: off } }
            loadBalancers:
              - name: web
                addresses: [127.0.0.1]
                listeners:
                  - { protocol: HTTP, port: \(ports[0]), defaultActions: [ { type: forward, targetGroupName: one } ] }
            targetGroups:
              - { name: one, targetType: ip, protocol: HTTP, port: \(ports[1]), targets: [ { id: 127.0.0.1 } ] }
            """
        try text.write(toFile: "\(folder)/apus.yaml", atomically: true, encoding: .utf8)
        let demo = try start("own", "\(folder)/apus.yaml")
        let begins = eventually(within: 20) { demo.begins }
        #expect(
            begins && demo.socket == "\(folder)/demo.sock" && demo.port == ports[0], "\(demo.process.standardError)")
        #expect(!demo.process.standardOutput.contains("leaves nothing behind"))
        #expect(try RawClient(port: ports[0]).get("/").text == "one \(ports[1])\n")
        let second = try start("again", "\(folder)/apus.yaml")
        #expect(second.process.waitForExit() == .exited(1))
        #expect(second.process.standardError.contains("Another apus answers at \(folder)/demo.sock"))
        demo.process.signal(SIGINT)
        #expect(demo.process.waitForExit() == .exited(0))
    }
}
