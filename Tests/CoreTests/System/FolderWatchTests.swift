import Foundation
import Testing

@testable import Core

/// Each test creates a path to a file, changes a part of it, and checks that the change is reported.
@Suite struct FolderWatchTests {
    private let folder: TemporaryFolder
    private let watch: FolderWatch

    init() throws {
        folder = try TemporaryFolder()
        watch = try FolderWatch()
    }

    private func path(_ name: String) -> String { folder.path + "/" + name }

    private func write(_ name: String) throws {
        let folder = (path(name) as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(fileURLWithPath: path(name)))
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    }

    private func move(_ from: String, to: String) { #expect(unsafe rename(path(from), path(to)) == 0) }

    @Test func reportsAWrittenFileAndNotItsNeighbours() throws {
        try write("certs/tls.crt")
        watch.watch([path("certs/tls.crt"), path("certs/tls.ocsp")])
        #expect(!watch.takeEvents())
        try write("certs/other.crt")
        try write("elsewhere")
        #expect(!watch.takeEvents())
        try write("certs/tls.crt")
        #expect(watch.takeEvents())
        #expect(!watch.takeEvents())
        try write("certs/tls.ocsp")
        #expect(watch.takeEvents(), "it did not exist before")
        #expect(unsafe chmod(path("certs/tls.crt"), 0o600) == 0)
        #expect(watch.takeEvents(), "it may be readable now")
    }

    @Test func reportsARenamedFolderAndItsReplacement() throws {
        try write("certs/tls.crt")
        try write("certs.new/tls.crt")
        let file: Set = [path("certs/tls.crt")]
        watch.watch(file)
        move("certs", to: "certs.old")
        #expect(watch.takeEvents())
        watch.watch(file)
        move("certs.new", to: "certs")
        #expect(watch.takeEvents())
        watch.watch(file)
        try write("certs/tls.crt")
        #expect(watch.takeEvents(), "its replacement is watched")
    }

    /// `current -> release-1`, swapped by a rename, as deployment scripts do.
    @Test func reportsASwappedLink() throws {
        for release in 1...3 { try write("releases/\(release)/deep/tls.crt") }
        try link("current", to: "releases/1")
        for release in 2...3 {
            watch.watch([path("current/deep/tls.crt")], forgettingOthers: true)
            #expect(!watch.takeEvents())
            try link("current.new", to: path("releases/\(release)"))
            move("current.new", to: "current")
            #expect(watch.takeEvents(), "release \(release)")
        }
        watch.watch([path("current/deep/tls.crt")], forgettingOthers: true)
        try write("releases/1/deep/tls.crt")
        #expect(!watch.takeEvents(), "it is no longer part of the path")
        try write("releases/3/deep/tls.crt")
        #expect(watch.takeEvents())
    }

    /// A mounted secret: `tls.crt -> ..data/tls.crt`, `..data -> ..2026_01`. Only `..data` is swapped.
    @Test(arguments: ["tls.crt", "..data/tls.crt"]) func reportsTheSwapOfKubernetes(name: String) throws {
        try write("..2026_01/tls.crt")
        try write("..2026_02/tls.crt")
        try link("..data", to: "..2026_01")
        try link("tls.crt", to: "..data/tls.crt")
        watch.watch([path(name)])
        try link("..data_tmp", to: "..2026_02")
        #expect(!watch.takeEvents(), "it is not part of the path yet")
        move("..data_tmp", to: "..data")
        #expect(watch.takeEvents())
    }

    /// `live/a/fullchain.pem -> ../../archive/a/fullchain1.pem`; a renewal replaces the link.
    @Test func followsTheLinksOfCertbot() throws {
        for number in 1...2 { try write("archive/a/fullchain\(number).pem") }
        try FileManager.default.createDirectory(atPath: path("live/a"), withIntermediateDirectories: true)
        try link("live/a/fullchain.pem", to: "../../archive/a/fullchain1.pem")
        watch.watch([path("live/a/fullchain.pem")])
        try write("archive/a/fullchain1.pem")
        #expect(watch.takeEvents(), "the target of the link")
        try FileManager.default.removeItem(atPath: path("live/a/fullchain.pem"))
        try link("live/a/fullchain.pem", to: "../../archive/a/fullchain2.pem")
        #expect(watch.takeEvents())
    }

    @Test func reportsAPathThatIsCreatedLater() throws {
        watch.watch([path("not/yet/tls.crt")])
        try write("not/yet/tls.crt")
        #expect(watch.takeEvents())
    }

    @Test func circularLinksTerminate() throws {
        try link("a", to: "b")
        try link("b", to: "a")
        watch.watch([path("a/tls.crt")])
        try FileManager.default.removeItem(atPath: path("a"))
        #expect(watch.takeEvents())
    }
}
