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
}
