import Core
import Foundation
import Logging
import Testing

@testable import Control

@Suite struct CertificateWatchTests {
    private final class Observer: CertificateWatchObserver {
        private(set) var lookCount = 0

        func certificateFilesChanged() { lookCount += 1 }
    }

    @Test func aCertificateAndItsKeyAreLookedAtTogether() throws {
        let folder = try TemporaryFolder(), loop = ControlLoop()
        let observer = Observer()
        let watch = CertificateWatch(loop: loop, logger: Logger(label: "test"))
        watch.observer = observer
        watch.folders?.watch([folder.file("a.crt"), folder.file("a.key")])
        for name in ["a.crt", "a.key"] {
            try Data("new".utf8).write(to: URL(fileURLWithPath: folder.path + "/" + name))
        }
        #expect(run(loop) { observer.lookCount > 0 })
        #expect(observer.lookCount == 1)
        try FileManager.default.removeItem(atPath: folder.path + "/a.crt")
        #expect(run(loop) { observer.lookCount > 1 })
        #expect(observer.lookCount == 2)
    }

    @Test func severalFoldersAreWatchedAndOneThatIsNotThereHurtsNobody() throws {
        let folders = [try TemporaryFolder(), try TemporaryFolder()], loop = ControlLoop()
        let observer = Observer()
        let watch = CertificateWatch(loop: loop, logger: Logger(label: "test"))
        watch.observer = observer
        watch.folders?.watch(Set(folders.map { $0.file("a.crt") } + [folders[0].file("none/a.crt")]))
        for (index, folder) in folders.enumerated() {
            try Data("new".utf8).write(to: URL(fileURLWithPath: folder.path + "/a.crt"))
            #expect(run(loop) { observer.lookCount == index + 1 })
        }
    }
}
