import Foundation
import Glibc
import Testing

/// Real clients and servers through tunnels: databases and their load generators.
@Suite struct RealFlowsTests {
    private func start(_ server: PortServer) throws -> ApusProcess {
        var document = Document.network()
        document.groups = [.init("blue", program: server, settings: ["protocol": "TCP", "healthCheckProtocol": "TCP"])]
        return try ApusProcess.start(document)
    }

    @Test(
        "PostgreSQL: pgbench fills its tables and makes 1,600 transfers over 8 connections, of which none is lost",
        .enabled(if: postgres != nil, "PostgreSQL is not installed"))
    func postgreSQL() throws {
        let folder = try #require(postgres)
        let server = try PortServer.postgreSQL(folder)
        let apus = try start(server)
        func run(_ program: String, _ words: String...) throws -> String {
            try Tool.run(
                ["\(folder)/\(program)", "-h", "127.0.0.1", "-p", "\(apus.port)", "-U", "apus"] + words + ["postgres"],
                in: apus.folder, within: 120)
        }
        _ = try run("pgbench", "--initialize", "--quiet")
        let told = try run("pgbench", "--no-vacuum", "--client=8", "--jobs=2", "--transactions=200")
        #expect(told.contains("number of transactions actually processed: 1600/1600"), "\(told)")
        #expect(told.contains("number of failed transactions: 0 "), "\(told)")
        let sums = """
            select (select count(*) from pgbench_history), (select count(*) from pgbench_accounts),
            (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)
            """
        #expect(try run("psql", "-At", "-c", sums) == "1600|100000|t\n")
        let lines = try run("psql", "-At", "-c", "select md5(i::text) from generate_series(1, 100000) i")
        #expect(lines.utf8.count == 3_300_000)
        #expect(lines.hasSuffix("14ee22eaba297944c96afdbe5b16c65b\n"), "the sum of 100000: \(lines.suffix(80))")

        #expect(try eventually { try apus.metric("apus_flows_active") == 0 })
        #expect(try apus.metric("apus_flows_total", "tcp") >= 11)
        #expect(try apus.metric("apus_flow_bytes_total", "tcp") > 3_300_000)
        #expect(try apus.metric("apus_flows_rejected_total") == 0)
        #expect(apus.connectionLog.allSatisfy { $0["target"].string == server.address.text })
        expectFlow(by: apus, "finished", by: "client", target: server.address.text)
    }

    @Test(
        "Redis: redis-benchmark over 50 connections, one command at a time and 16; then a value of 5 MB, and a message",
        .enabled(if: redis != nil, "Redis is not installed"))
    func redisServer() throws {
        let server = try PortServer.redis(try #require(redis))
        let apus = try start(server)
        let place = ["-h", "127.0.0.1", "-p", "\(apus.port)"]
        for pipeline in ["1", "16"] {
            let told = try Tool.run(
                ["redis-benchmark"] + place + [
                    "-n", "10000", "-c", "50", "-P", pipeline, "-d", "300", "-t", "set,get,lpush,lpop,mset", "--csv",
                ], in: apus.folder, within: 120)
            let rows = told.split(separator: "\n").dropFirst()
            #expect(rows.count == 5, "\(told)")
            for row in rows { #expect(try #require(Double(row.split(separator: "\"")[2])) > 0, "\(row)") }
        }
        func ask(_ words: String...) throws -> String {
            try Tool.run(["redis-cli"] + place + words, in: apus.folder)
        }
        #expect(try ask("llen", "mylist") == "0\n", "as many were taken out as put in")
        let pattern = String(decoding: (0..<5_000_000).map { UInt8(0x41 + $0 / 7 % 26) }, as: UTF8.self)
        try Data(pattern.utf8).write(to: URL(fileURLWithPath: "\(apus.folder)/large"))
        let set = ["/bin/sh", "-c", "exec redis-cli -h 127.0.0.1 -p \(apus.port) -x set large <large"]
        #expect(try Tool.run(set, in: apus.folder) == "OK\n")
        #expect(try ask("get", "large") == pattern + "\n")

        // Silent until the target sends a message.
        let listener = try ChildProcess(
            ["redis-cli"] + place + ["subscribe", "news"], folder: apus.folder, label: "listener")
        #expect(eventually { listener.standardOutput.contains("subscribe") })
        #expect(try ask("publish", "news", "arrived") == "1\n")
        #expect(eventually { listener.standardOutput.contains("arrived") })
        listener.kill()
        #expect(try eventually { try apus.metric("apus_flows_active") == 0 })
        #expect(try apus.metric("apus_flows_total", "tcp") >= 100)
        #expect(try apus.metric("apus_flows_rejected_total") == 0)
        expectFlow(by: apus, "finished", by: "client", target: server.address.text)
    }
}

/// Where the programs of PostgreSQL are, the newest if there are several.
private let postgres: String? = {
    let root = "/usr/lib/postgresql"
    let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }
    let folders = versions.sorted(by: >).map { "\(root)/\($0)/bin" }
    return folders.first { FileManager.default.isExecutableFile(atPath: $0 + "/pgbench") }
}()

/// Where Redis is.
private let redis = ["/usr/bin/redis-server"].first { path in
    [path, "/usr/bin/redis-cli", "/usr/bin/redis-benchmark"].allSatisfy(FileManager.default.isExecutableFile)
}

extension PortServer {
    /// The command prefix that runs a program as nobody if we are root, since databases refuse to run as root.
    private static var asNobody: [String] {
        getuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
    }

    /// Changes the owner of a folder to nobody if we are root.
    private static func giveAway(_ folder: String) {
        if getuid() == 0 { _ = unsafe chown(folder, 65_534, 65_534) }
    }

    /// A new, empty PostgreSQL with the binaries in `programs`, which trusts the user `apus`.
    fileprivate static func postgreSQL(_ programs: String) throws -> PortServer {
        // SIGTERM would wait for clients, and SIGQUIT and SIGKILL would leave a shared memory segment.
        try PortServer(label: "postgres", ending: SIGQUIT) { port, folder in
            giveAway(folder)
            let making = ["-D", "data", "-U", "apus", "-A", "trust", "-E", "UTF8", "--no-sync", "--wal-segsize=1"]
            _ = try Tool.run(asNobody + ["\(programs)/initdb"] + making, in: folder, within: 120)
            let settings = [
                "fsync=off", "shared_buffers=16MB", "min_wal_size=2MB", "max_wal_size=64MB", "autovacuum=off",
                "listen_addresses=127.0.0.1", "unix_socket_directories=\(folder)",
            ]
            return asNobody + ["\(programs)/postgres", "-D", "data", "-p", "\(port)"] + settings.flatMap { ["-c", $0] }
        }
    }

    /// A new Redis without persistence.
    fileprivate static func redis(_ program: String) throws -> PortServer {
        try PortServer(label: "redis") { port, folder in
            giveAway(folder)
            return asNobody + [
                program, "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
                folder,
            ]
        }
    }
}
