import Foundation
import TestCertificates
import Testing

/// Floods and slow attacks (the table in `Clients/floods.py`) and their effect on other clients. `Benchmarks/compare`
/// measures how long a bystander waits; here no other client may lose a request.
@Suite(.serialized) struct FloodTests {
    private static let authority = TestAuthority()
    private static let own = authority.issue(["localhost"])

    /// The names of the attacks in the table.
    private static let floods: [String] = {
        let folder = FileManager.default.temporaryDirectory.path
        let names = try? Tool.run([Tool.python, Tool.script("floods"), "names"], in: folder)
        return names?.split(separator: "\n").map(String.init) ?? []
    }()

    @Test func theTableIsThere() { #expect(Self.floods.count > 25) }

    @Test(arguments: floods)
    func othersAreServedAndNothingIsLeft(flood: String) throws {
        let target = try TargetServer { connection in
            while try connection.request() != nil { try connection.respond(body: "blue\n") }
        }
        var secure = Document.Listener(defaultAction: Document.forward("blue"))
        secure.certificates = [Self.own]
        var document = Document(target, attributes: ["apus.h2c.enabled": true])
        document.listeners.append(secure)
        document.runtime["workers"] = 1
        let apus = try ApusProcess.start(document)
        let load = LoadGenerator(port: apus.port, clients: 1)
        let told = try Tool.run(
            [Tool.python, Tool.script("floods"), flood, "\(apus.port)", "\(apus.ports[1])", "3", "1.5"],
            in: apus.folder)
        let report = load.finish()
        #expect(report.badCount == 0 && report.answeredCount > 0, "\(report.failures.prefix(3))")
        #expect(report.longestSeconds < 5, "the bound leaves room for a machine full of tests")
        #expect(told.contains("\"asExpected\": true"), "\(told)")
        #expect(try eventually { try apus.metric("apus_client_connections_active") == 0 })
        #expect(try eventually { try apus.metric("apus_held_bytes") == 0 }, "its memory was released")
        expectServes(apus)
    }
}
