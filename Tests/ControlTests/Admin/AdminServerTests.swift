import Core
import Foundation
import Logging
import Model
import Testing

@testable import Control

@Suite struct AdminServerTests {
    private func open(_ path: String) throws -> AdminServer {
        let loop = ControlLoop()
        let actions = RecordingActions(document: AdminHarness.document, loop: loop)
        return try AdminServer(
            path: path, loop: loop, services: actions, logger: Logger(label: "t") { _ in RecordingLog() })
    }

    @Test func theSocketIsForItsUserAndGroup() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("made/admin.sock")
        let server = try open(path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o660)
        #expect(server.clientCount == 0)
        server.close()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func aSocketThatIsAnsweredIsLeftAlone() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("admin.sock")
        let first = try open(path)
        defer { first.close() }
        let error = #expect(throws: AdminError.self) { try open(path) }
        #expect(error?.message == "listen on \(path): another process answers there.")
        try Socket.connect(toUnixPath: path).close()
    }

    @Test func aSocketThatWasLeftBehindIsReplaced() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("admin.sock")
        try Socket.listen(onUnixPath: path, mode: 0o600).close()
        let server = try open(path)
        server.close()
    }

    @Test func somethingElseIsLeftAlone() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("admin.sock")
        try "precious".write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: AdminError.self) { try open(path) }
        #expect(error?.message.contains("no socket") == true)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test(arguments: ["/proc/apus/admin.sock", "/tmp/" + String(repeating: "x", count: 120)])
    func aPathThatCannotBeIsNamed(_ path: String) {
        let error = #expect(throws: AdminError.self) { try open(path) }
        #expect(error?.message.contains(path) == true && error?.status == 500)
    }

    @Test func overAReadOnlySocketNothingIsChanged() throws {
        let harness = try AdminHarness(isReadOnly: true)
        let (get, put) = ("GET /v1/instances/i-1", "PUT /v1/instances/i-1")
        #expect(try AdminRoutesTests.answer(harness, get, "").status == 200)
        let refused = try AdminRoutesTests.answer(harness, put, #"{"address":"10.9.9.9"}"#)
        #expect(refused.status == 403 && refused.body.contains("OperationNotPermitted"))
        #expect(try AdminRoutesTests.answer(harness, "POST /v1/check", "{}").status == 403)
        #expect(harness.perform { $0.asked.isEmpty && $0.access.refusedCount == 2 })
        let lines = harness.perform { $0.log.lines }
        #expect(lines.count == 2, "what is read is not logged")
        for word in ["refused an admin request", "uid=", "gid=", "pid=", "role=read", "method=PUT", "status=403"] {
            #expect(lines.first?.contains(word) == true, "\(word): \(lines)")
        }
        #expect(lines.allSatisfy { !$0.contains("10.9.9.9") })
    }

    @Test func aSocketHasTheModeAndTheGroupThatItShouldHave() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("admin.sock")
        let loop = ControlLoop()
        let actions = RecordingActions(document: AdminHarness.document, loop: loop)
        let wanted = AdminServer.SocketAccess(mode: 0o666, group: SystemUser.currentGroupID)
        func mode() throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        let first = try AdminServer(path: path, wanted, loop: loop, services: actions, logger: quiet)
        #expect(try mode() == 0o666)
        first.stopListening()
        UnixPath.remove(path)
        // One that another process has listened at gets it when this one begins to serve.
        let received = try Socket.listen(onUnixPath: path, mode: 0o660)
        let second = AdminServer(
            path: path, received: received, .init(mode: 0o600), loop: loop, services: actions, logger: quiet)
        #expect(try mode() == 0o660)
        second.begin()
        #expect(try mode() == 0o600)
        second.close()
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
