import Foundation
import Testing

/// Settings of the file that a change at run time overrides are reported, with the time of the change.
@Suite struct OverrideTests {
    private func document(_ servers: [TargetServer], blue: Int, green: Int) -> Document {
        Document(
            listeners: [.init(defaultAction: Document.forward(["blue": blue, "green": green]))],
            groups: [.init("blue", servers: [servers[0]]), .init("green", servers: [servers[1]])])
    }

    @Test(
        "A weight in the file that `apus weights` overrides is reported by reload, status, log and the next start"
    )
    func editedWeight() throws {
        let servers = [try TargetServer("blue"), try TargetServer("green")]
        let apus = try ApusProcess.start(document(servers, blue: 90, green: 10))
        #expect(try apus.admin("GET", "/v1/status").json["overridden"] == [])
        #expect(try apus.command("weights", "web:\(apus.port)", "blue=50", "green=50").status == .exited(0))
        let before = try apus.admin("GET", "/v1/status").json["overridden"][0]
        let object = "weights of web:\(apus.port)"
        #expect(before["object"] == .string(object) && before["edited"] == false)
        let since = try #require(before["since"].string)

        try apus.write(document(servers, blue: 0, green: 100))
        let checked = try apus.command("check", apus.configurationPath)
        let reload = try apus.command("reload")
        #expect(reload.status == .exited(0))
        var line = "  \(object): blue=50 green=50, where the file says blue=0 green=100; since \(since)"
        #expect(reload.output.contains("\(line); the file was edited since\n"), "\(reload.output)")
        #expect(
            checked.output.contains("\(line); the file was edited since\n"), "check says it before: \(checked.output)")
        #expect(
            eventually { apus.errors.contains("what was edited in the file is hidden by a change made at run time") })
        #expect(try apus.command("status").output.contains("\(line); the file was edited since\n"))

        // It stays so until both agree, or the change is made again.
        let again = try apus.command("reload")
        #expect(again.output.contains("\(line); the file was edited since\n"), "\(again.output)")
        #expect(try apus.command("targets", "register", "blue", "127.0.0.1:9").status == .exited(0))
        #expect(try apus.command("status").output.contains("\(line); the file was edited since\n"))
        #expect(try apus.command("weights", "web:\(apus.port)", "blue=51", "green=49").status == .exited(0))
        let anew = try apus.admin("POST", "/v1/reload").json["overridden"][0]
        #expect(
            anew["edited"] == false && anew["inForce"] == "blue=51 green=49" && anew["inFile"] == "blue=0 green=100")
        #expect(try apus.command("weights", "web:\(apus.port)", "blue=50", "green=50").status == .exited(0))
        let last = try apus.admin("GET", "/v1/status").json["overridden"][0]["since"].string ?? ""
        line = line.replacing(since, with: last)

        apus.kill()
        let words = ["check", apus.configurationPath]
        let alone = try ApusProcess.command(words, socket: "", folder: apus.folder)
        #expect(alone.status == .exited(0) && alone.output.contains("\(line)\n"), "\(alone.output)")
        let json = try ApusProcess.command(words + ["--json"], socket: "", folder: apus.folder).json
        #expect(json["overridden"][0]["object"] == .string(object) && json["overridden"][0]["since"] == .string(last))
        try apus.restart()
        #expect(try apus.command("status").output.contains("\(line)\n"), "the time survives a crash")
        #expect(apus.errors.contains("objects of the file are not in force as it says"))

        #expect(try apus.command("reload", "--discard-changes").status == .exited(0))
        #expect(try apus.admin("GET", "/v1/status").json["overridden"] == [])
        for _ in 0..<3 { #expect(try apus.client().get("/now").text == "green\n") }
        expectLogged(by: apus, "/now", status: 200, target: "127.0.0.1:\(servers[1].port)")
    }

    @Test("The state file of an earlier version is read, and its changes are reported without a time")
    func earlierState() throws {
        let servers = [try TargetServer("blue"), try TargetServer("green")]
        let apus = try ApusProcess.start(document(servers, blue: 90, green: 10))
        #expect(apus.terminate() == .exited(0))
        let weights = #"{"loadBalancer":"web","port":\#(apus.port),"weights":{"blue":0}}"#
        try #"{"version":1,"weights":[\#(weights)]}"#
            .write(toFile: "\(apus.statePath)/state.json", atomically: true, encoding: .utf8)
        try apus.restart()
        let overridden = try apus.admin("GET", "/v1/status").json["overridden"][0]
        #expect(overridden["inForce"] == "blue=0 green=10" && overridden["inFile"] == "blue=90 green=10")
        #expect(overridden["since"] == .null)
        #expect(try apus.command("status").output.contains("; since an earlier version of apus\n"))
    }
}
