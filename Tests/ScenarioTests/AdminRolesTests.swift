import Foundation
import Glibc
import Testing

/// Who may do what over the admin sockets, tried by other users than the one that Apus runs as.
@Suite(.enabled(if: geteuid() == 0, "only root can become other users"))
struct AdminRolesTests {
    /// A client of `socket` as this user, with these groups, that does `steps` one after the other.
    private static func start(
        _ apus: ApusProcess, user: Int, groups: String = "-", socket: String = "admin.sock", _ steps: [String]
    ) throws -> ChildProcess {
        try ChildProcess(
            [Tool.python, Tool.script("admin_client"), "\(apus.folder)/\(socket)", "\(user)", "4999", groups] + steps,
            folder: apus.folder, label: UUID().uuidString)
    }

    /// What such a client was answered, line by line.
    private static func ask(
        _ apus: ApusProcess, user: Int, groups: String = "-", socket: String = "admin.sock", _ steps: [String]
    ) throws -> [String] {
        let client = try start(apus, user: user, groups: groups, socket: socket, steps)
        #expect(client.waitForExit(within: 60) == .exited(0), "\(client.standardError)")
        return client.standardOutput.split(separator: "\n").map(String.init)
    }

    private static let roles: JSON = ["read": ["user:4001"], "targets": ["group:5001"], "all": ["user:4003"]]

    private static func document(_ roles: JSON) throws -> Document {
        var document = Document(try TargetServer())
        document.admin = ["mode": "0666", "roles": roles]
        return document
    }

    @Test("A user does what its role allows and nothing else; each change and each refusal is in the log")
    func roles() throws {
        let apus = try ApusProcess.start(try Self.document(Self.roles))
        let steps = [
            "GET /v1/config", #"POST /v1/target-groups/blue/targets {"targets": [{"id": "127.0.0.9", "port": 9}]}"#,
            #"POST /v1/target-groups/blue/deregister {"targets": [{"id": "127.0.0.9", "port": 9}]}"#,
            #"PUT /v1/instances/i-1 {"address": "127.0.0.1"}"#,
            #"PUT /v1/load-balancers/web/listeners/\#(apus.port)/weights {"blue": 1}"#,
            #"PUT /v1/target-groups/green {"targetType": "ip", "protocol": "HTTP", "port": 80}"#,
            "DELETE /v1/target-groups/green", "POST /v1/reload", "POST /v1/check {}", "GET /metrics",
        ]
        func statuses(_ user: Int, _ groups: String = "-") throws -> String {
            try Self.ask(apus, user: user, groups: groups, steps).map { $0.prefix { $0 != " " } }.joined(separator: " ")
        }
        #expect(try statuses(4001) == "200 403 403 403 403 403 403 403 403 200")
        #expect(try statuses(4002, "7,5001") == "200 200 200 200 200 403 403 403 403 200")
        #expect(try statuses(4003) == "200 200 200 200 200 200 200 200 200 200")
        #expect(try statuses(0) == "200 200 200 200 200 200 200 200 200 200")
        let none = try Self.ask(apus, user: 4009, Array(steps.prefix(2)))
        #expect(none.count == 2 && none[0].hasPrefix("403 ") && none[1].hasPrefix("broken"), "\(none)")
        #expect(none[0].contains(#""code": "AccessDenied""#))
        #expect(
            none[0].contains("GET /v1/config needs the role read, and user 4009 of group 4999 has no role."), "\(none)")
        #expect(none[0].contains("add user:4009 or a group of its to admin.roles.read"), "\(none)")
        #expect(try apus.metric("apus_admin_requests_refused_total") == 13)

        func isLogged(_ words: String...) -> Bool {
            eventually {
                apus.errors.split(separator: "\n").contains { line in words.allSatisfy { line.contains($0) } }
            }
        }
        #expect(isLogged("refused an admin request", "uid=4009", "gid=4999", "pid=", "role=none", "path=/v1/config"))
        #expect(isLogged("refused an admin request", "uid=4001", "role=read", "method=POST", "path=/v1/reload"))
        #expect(
            isLogged("answered an admin request", "uid=4002", "role=targets", "path=/v1/instances/i-1", "status=200"))
        #expect(isLogged("answered an admin request", "uid=0", "role=all", "path=/v1/check"))
        expectServes(apus)
    }

    @Test("Other roles act at once, on connections that are open and on streams of events as well")
    func otherRoles() throws {
        let apus = try ApusProcess.start(try Self.document(Self.roles))
        let go = "\(apus.folder)/go"
        let asking = try Self.start(apus, user: 4001, ["GET /v1/status", "wait \(go)", "GET /v1/status"])
        let watching = try Self.start(apus, user: 4001, ["GET /v1/events"])
        let staying = try Self.start(apus, user: 4003, ["GET /v1/events"])
        #expect(eventually { asking.standardOutput.hasPrefix("200 ") })
        #expect(eventually { watching.standardOutput.hasPrefix("200 stream") })
        #expect(eventually { staying.standardOutput.hasPrefix("200 stream") })
        try apus.write(try Self.document(["all": ["user:4003"]]))
        let reload = try apus.command("reload")
        #expect(reload.status == .exited(0) && reload.output.contains("The roles of the admin socket changed."))
        #expect(watching.waitForExit(within: 30) == .exited(0), "its stream has ended")
        #expect(eventually { staying.standardOutput.contains("configuration-reloaded") })
        try "".write(toFile: go, atomically: true, encoding: .utf8)
        #expect(asking.waitForExit(within: 30) == .exited(0))
        #expect(asking.standardOutput.split(separator: "\n").last?.hasPrefix("403 ") == true)
        #expect(staying.exitStatus == nil)
        // A file without roles would leave the socket, which is open to everybody, without any.
        var without = try Self.document([:])
        without.admin = [:]
        try apus.write(without)
        #expect(try apus.command("reload").status == .exited(0))
        #expect(try Self.ask(apus, user: 4001, ["GET /v1/status"]).first?.hasPrefix("403 ") == true)
        #expect(try Self.ask(apus, user: 4003, ["GET /v1/status"]).first?.hasPrefix("200 ") == true)
        expectServes(apus)
    }

    @Test("A name that the system does not know is refused with its place, and what was in force stays")
    func unknownNames() throws {
        let apus = try ApusProcess.start(try Self.document(Self.roles))
        try apus.write(try Self.document(["read": ["group:no-such-group"], "all": ["user:no-such-user"]]))
        for command in [["reload"], ["check", apus.configurationPath]] {
            let result = try ApusProcess.command(command, socket: apus.socketPath, folder: apus.folder)
            #expect(result.status == .exited(1), "\(command)")
            #expect(
                result.errors.contains("apus.yaml:1:")
                    && result.errors.contains(
                        "admin.roles.read[0] names the group no-such-group, and this system has no such group. Make"),
                "\(result.errors)")
            #expect(result.errors.contains("admin.roles.all[0] names the user no-such-user"), "\(result.errors)")
        }
        let fileOnly = try apus.command("check", "--file-only", apus.configurationPath)
        #expect(fileOnly.status == .exited(0), "\(fileOnly.errors)")
        #expect(try Self.ask(apus, user: 4001, ["GET /v1/status"]).first?.hasPrefix("200 ") == true)
        #expect(try Self.ask(apus, user: 4009, ["GET /v1/status"]).first?.hasPrefix("403 ") == true)
        #expect(apus.terminate() == .exited(0))
        let start = try apus.command("run", apus.configurationPath)
        #expect(start.status == .exited(1) && start.errors.contains("no-such-user"), "\(start.errors)")
        let check = try apus.command("check", apus.configurationPath)
        #expect(check.status == .exited(1) && check.errors.contains("no-such-user"), "\(check.errors)")
    }

    @Test("Clients without a role cannot keep out one that has one")
    func crowd() throws {
        let apus = try ApusProcess.start(try Self.document(["read": ["user:4001"]]))
        // They say nothing, so that they are not refused either.
        let gate = "\(apus.folder)/gate"
        let crowd = try Self.start(apus, user: 4009, ["crowd 70", "wait \(gate)"])
        #expect(eventually(within: 30) { crowd.standardOutput.contains("connected") })
        #expect(try Self.ask(apus, user: 4001, ["GET /v1/status"]).first?.hasPrefix("200 ") == true)
        #expect(try apus.admin("GET", "/v1/status").status == 200)
        try "".write(toFile: gate, atomically: true, encoding: .utf8)
        #expect(crowd.waitForExit(within: 30) == .exited(0))
    }

    // MARK: The sockets

    private static func sockets(_ more: [String: JSON] = [:]) throws -> Document {
        var document = Document(try TargetServer())
        document.admin = [
            "group": 5001, "mode": "0600", "readOnlySocket": ["path": "FOLDER/read.sock", "group": 5002],
        ].merging(more) { $1 }
        return document
    }

    /// Permissions and group of a socket, as `600 5001`; nil if there is nothing.
    private static func access(_ apus: ApusProcess, _ name: String) -> String? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(apus.folder)/\(name)")
        guard let mode = attributes?[.posixPermissions] as? Int, let group = attributes?[.groupOwnerAccountID] as? Int
        else { return nil }
        return "\(String(mode, radix: 8)) \(group)"
    }

    @Test("Each socket has its group and its mode; over the read-only one root changes nothing either")
    func readOnly() throws {
        let apus = try ApusProcess.start(try Self.sockets())
        #expect(Self.access(apus, "admin.sock") == "600 5001")
        #expect(Self.access(apus, "read.sock") == "660 5002")
        let path = "\(apus.folder)/read.sock"
        let status = try apus.command("status", "--socket", path)
        #expect(status.status == .exited(0), "\(status.errors)")
        let reload = try apus.command("reload", "--socket", path)
        #expect(reload.status == .exited(1))
        #expect(
            reload.errors.contains("POST /v1/reload needs the role all, and over this socket everything is read only."),
            "\(reload.errors)")
        let member = try Self.ask(
            apus, user: 4001, groups: "5002", socket: "read.sock",
            ["GET /v1/events?recent=x", "GET /v1/config", #"PUT /v1/instances/i-1 {"address": "127.0.0.1"}"#])
        #expect(member.map { $0.prefix(3) } == ["400", "200", "403"])
        let stranger = try Self.start(apus, user: 4001, socket: "read.sock", ["GET /v1/config"])
        #expect(stranger.waitForExit(within: 30) == .exited(1) && stranger.standardError.contains("cannot connect"))
        #expect(try apus.admin("GET", "/v1/instances").json["instances"].elements.isEmpty)
        #expect(apus.terminate() == .exited(0))
        #expect(Self.access(apus, "admin.sock") == nil && Self.access(apus, "read.sock") == nil)
    }

    @Test("An upgrade hands over both sockets, with their new groups and modes, and leaves none that is not wanted")
    func upgrade() throws {
        let site = try UpgradingApus(try Self.sockets())
        let apus = site.apus
        try apus.write(
            try Self.sockets(["mode": "0660", "readOnlySocket": ["path": "FOLDER/read.sock", "mode": "0666"]]))
        #expect(try site.upgrade().status == .exited(0))
        #expect(site.ids.count == 2)
        #expect(Self.access(apus, "admin.sock") == "660 5001" && Self.access(apus, "read.sock") == "666 0")
        func pid(_ socket: String) throws -> Int? {
            let answer = try AdminClient(path: "\(apus.folder)/\(socket)").ask("GET", "/v1/status")
            return answer.json["pid"].int
        }
        #expect(try pid("admin.sock") == Int(site.id) && pid("read.sock") == Int(site.id))

        var moved = try Self.sockets(["socket": "FOLDER/other.sock"])
        moved.admin["readOnlySocket"] = nil
        try apus.write(moved)
        #expect(try site.upgrade().status == .exited(0))
        #expect(eventually { Self.access(apus, "admin.sock") == nil && Self.access(apus, "read.sock") == nil })
        #expect(Self.access(apus, "other.sock") == "600 5001")

        // And back: what was the admin socket is read only from now on.
        try apus.write(try Self.sockets(["readOnlySocket": ["path": "FOLDER/other.sock"]]))
        let back = try ApusProcess.command(
            ["upgrade"], socket: "\(apus.folder)/other.sock", folder: apus.folder, within: 90)
        #expect(back.status == .exited(0), "\(back.errors)")
        #expect(site.noteSuccessor())
        #expect(Self.access(apus, "admin.sock") == "600 5001" && Self.access(apus, "other.sock") == "660 0")
        let refused = try AdminClient(path: "\(apus.folder)/other.sock").ask("POST", "/v1/reload", [:])
        #expect(refused.status == 403)
        #expect(site.terminate())
        #expect(Self.access(apus, "admin.sock") == nil && Self.access(apus, "other.sock") == nil)
    }

    @Test("A file that somebody has put where the admin socket was is left alone by an upgrade")
    func strangersFile() throws {
        let site = try UpgradingApus(try Self.sockets())
        let path = site.apus.socketPath
        try FileManager.default.moveItem(atPath: path, toPath: "\(path).moved")
        try "precious".write(toFile: path, atomically: true, encoding: .utf8)
        try site.apus.write(try Self.sockets(["socket": "FOLDER/other.sock"]))
        let result = try ApusProcess.command(
            ["upgrade"], socket: "\(path).moved", folder: site.apus.folder, within: 90)
        #expect(result.status == .exited(0), "\(result.errors)")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
        let answer = try AdminClient(path: "\(site.apus.folder)/other.sock").ask("GET", "/v1/status")
        let successor = try #require(answer.json["pid"].int)
        kill(pid_t(successor), SIGTERM)
        #expect(eventually { !site.isRunning(pid_t(successor)) })
    }
}
