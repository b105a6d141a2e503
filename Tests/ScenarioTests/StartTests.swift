import Foundation
import Testing

/// Starts that fail, and their messages.
@Suite struct StartTests {
    /// Runs `apus run` on a file's text to its end.
    private func run(_ text: String, in folder: String) throws -> ApusProcess.CommandResult {
        let path = "\(folder)/apus.yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return try ApusProcess.command(["run", path], socket: "\(folder)/admin.sock", folder: folder)
    }

    private func document() throws -> (Document, UInt16) {
        let action: JSON = ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "200"]]
        return (Document(listeners: [.init(defaultAction: action)], groups: []), try PortAllocator.port())
    }

    @Test("A port in use: exit 1, naming the port")
    func portInUse() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let taken = try Socket.listening()
        let port = try taken.localPort()
        let result = try run(try document().0.text(ports: [port], folder: folder), in: folder)
        #expect(result.status == .exited(1))
        #expect(result.errors.contains("\(port)") && result.errors.contains("in use"), "\(result.errors)")
        #expect(result.errors.contains("apus.yaml:1:"), "it names file, line and column: \(result.errors)")
    }

    @Test("A port that another Apus listens on is in use as well")
    func portOfAnotherApus() throws {
        let (document, _) = try document()
        let apus = try ApusProcess.start(document)
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let result = try run(document.text(ports: apus.ports, folder: folder), in: folder)
        #expect(result.status == .exited(1))
        #expect(result.errors.contains("\(apus.port)"), "\(result.errors)")
        expectServes(apus)
        expectLogged(by: apus, "/still-serving", status: 200, target: "-")
    }

    @Test("A second process on the same socket fails, and the first is not affected")
    func sameSocket() throws {
        let (document, port) = try document()
        let apus = try ApusProcess.start(document)
        let path = "\(apus.folder)/second.yaml"
        let text = document.text(ports: [port], folder: apus.folder)
        // With the same state directory the error names it; with another one, the socket.
        for (text, named) in [(text, "/state"), (text.replacing("/state", with: "/state-2"), "/admin.sock")] {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let result = try apus.command("run", path)
            #expect(result.status == .exited(1))
            #expect(result.errors.contains("\(apus.folder)\(named)"), "\(result.errors)")
        }
        #expect(try apus.admin("GET", "/v1/status").status == 200)
        expectServes(apus)
    }

    @Test("A socket left behind by a crash is taken over")
    func socketLeftBehind() throws {
        let (document, _) = try document()
        let apus = try ApusProcess.start(document)
        apus.kill()
        #expect(FileManager.default.fileExists(atPath: apus.socketPath))
        try apus.restart()
        expectServes(apus)
        expectLogged(by: apus, "/still-serving", status: 200)
    }

    @Test("A socket path that is a regular file: exit 1, and the file is kept")
    func socketPathIsAFile() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        try "precious".write(toFile: "\(folder)/admin.sock", atomically: true, encoding: .utf8)
        let (document, port) = try document()
        let result = try run(document.text(ports: [port], folder: folder), in: folder)
        #expect(result.status == .exited(1))
        #expect(result.errors.contains("admin.sock"), "\(result.errors)")
        #expect(try String(contentsOfFile: "\(folder)/admin.sock", encoding: .utf8) == "precious")
    }

    @Test(
        "Mistakes in the file: exit 1 with file, line and remedy, from `run` and `check` alike",
        arguments: [
            ("loadBalancers:\n  - nmae: web\n", "2:", "name"),
            ("targetGroups:\n  - name: blue\n    protocol: HTTP\n    port: http\n", "4:", "port"),
            (
                "targetGroups:\n  - name: blue\n    protocol: HTTP\n    port: 80\n"
                    + "    attributes: { deregistration_delay.timeout: 3 }\n",
                "5:", "deregistration_delay.timeout_seconds"
            ),
            (
                "loadBalancers:\n  - name: web\n    listeners:\n      - port: 8080\n        protocol: HTTP\n"
                    + "        defaultActions: [ { type: forward, targetGroupName: nowhere } ]\n",
                "6:", "nowhere"
            ),
            ("a: [b\n", "", ""),
        ])
    func mistakes(text: String, place: String, word: String) throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let ran = try run("admin: { socket: \(folder)/admin.sock }\n" + text, in: folder)
        #expect(ran.status == .exited(1))
        let line = place.isEmpty ? "" : "\(Int(place.dropLast())! + 1):"
        #expect(ran.errors.contains("apus.yaml:\(line)"), "\(ran.errors)")
        #expect(word.isEmpty || ran.errors.contains(word), "\(ran.errors)")
        let checked = try ApusProcess.command(["check", "\(folder)/apus.yaml"], socket: "", folder: folder)
        #expect(checked.status == .exited(1))
        #expect(checked.errors.contains("apus.yaml:\(line)"), "\(checked.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/admin.sock"))
    }

    @Test("A missing file: exit 1, naming it")
    func noFile() throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let result = try ApusProcess.command(["run", "\(folder)/none.yaml"], socket: "", folder: folder)
        #expect(result.status == .exited(1))
        #expect(result.errors.contains("none.yaml"))
    }
}
