import Core
import Foundation
import Testing

@Suite struct FileLockTests {
    @Test func oneHolderAtATime() throws {
        let path = FileManager.default.temporaryDirectory.path + "/apus-lock-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var first: FileLock? = try FileLock(path)
        let error = #expect(throws: SystemError.self) { try FileLock(path) }
        #expect(error?.code == EWOULDBLOCK)
        #expect(first != nil)
        first = nil
        _ = try FileLock(path)
    }

    @Test func aFolderThatIsNotThereIsNamed() {
        let error = #expect(throws: SystemError.self) { try FileLock("/nonexistent/lock") }
        #expect(error?.description.contains("/nonexistent/lock") == true)
    }
}
