import Core
import Foundation
import Glibc
import Testing

@Suite struct FileLockTests {
    @Test func oneHolderAtATime() throws {
        let folder = try TemporaryFolder()
        let path = folder["lock"]
        do {
            let lock = try FileLock(path)
            let error = #expect(throws: SystemError.self) { try FileLock(path) }
            #expect(error == SystemError("lock \(path)", code: EWOULDBLOCK))
            _ = try FileLock(folder["another"])
            withExtendedLifetime(lock) {}
        }
        let again = try FileLock(path)
        withExtendedLifetime(again) {}
        #expect(folder.names == ["another", "lock"], "the files are not removed")
        #expect(try folder.mode("lock") == 0o600)
    }

    @Test func reportsWhetherItIsHeld() throws {
        let folder = try TemporaryFolder()
        #expect(throws: SystemError.self) { try FileLock.isHeld(folder["lock"]) }
        #expect(folder.names.isEmpty, "the query creates no file")
        do {
            let lock = try FileLock(folder["lock"])
            #expect(try FileLock.isHeld(folder["lock"]))
            withExtendedLifetime(lock) {}
        }
        #expect(try !FileLock.isHeld(folder["lock"]))
        _ = try FileLock(folder["lock"])
    }

    /// A forked child has all descriptors of its parent until it calls execve(2).
    @Test func forkedDescriptorDoesNotHoldIt() throws {
        let folder = try TemporaryFolder()
        let path = folder["lock"]
        let copy: Int32
        do {
            let lock = try FileLock(path)
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            let held = descriptors.first {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
            }
            copy = dup(try #require(held.flatMap { Int32($0) }))
            withExtendedLifetime(lock) {}
        }
        defer { close(copy) }
        let again = try FileLock(path)
        withExtendedLifetime(again) {}
    }

    @Test func whatIsSharedIsHeldUntilBothHaveClosedIt() throws {
        let folder = try TemporaryFolder()
        let path = folder["lock"]
        var first: FileLock? = try FileLock(path)
        let copy = dup(try #require(first?.share()))
        var second: FileLock? = FileLock(received: copy)
        first?.giveUp()
        #expect(first?.share() == nil)
        first = nil
        #expect(try FileLock.isHeld(path))
        withExtendedLifetime(second) {}
        second = nil
        #expect(try !FileLock.isHeld(path))
    }

    @Test func theLossOfASharedOneTakesItFromNobody() throws {
        let folder = try TemporaryFolder()
        let path = folder["lock"]
        let first = try FileLock(path)
        do { _ = FileLock(received: dup(try #require(first.share()))) }
        #expect(try FileLock.isHeld(path))
        withExtendedLifetime(first) {}
    }

    @Test func errorsNameThePath() throws {
        let folder = try TemporaryFolder()
        let nowhere = folder["no/lock"]
        let error = #expect(throws: SystemError.self) { try FileLock(nowhere) }
        #expect(error == SystemError("open \(nowhere)", code: ENOENT))
    }
}
