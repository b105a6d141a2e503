import Core
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
        #expect(folder.names == ["another", "lock"], "the files stay")
        #expect(try folder.mode("lock") == 0o600)
    }

    @Test func errorsNameThePath() throws {
        let folder = try TemporaryFolder()
        let nowhere = folder["no/lock"]
        let error = #expect(throws: SystemError.self) { try FileLock(nowhere) }
        #expect(error == SystemError("open \(nowhere)", code: ENOENT))
    }
}
