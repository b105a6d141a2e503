import Core
import Foundation
import Model
import Testing

@testable import Control

@Suite struct StateFileTests {
    private static func changes() -> Changes {
        var changes = Changes()
        changes.record(.putInstance(Instance(id: "i-0a1b2c3d", address: "10.0.0.7")), over: Document())
        return changes
    }

    @Test func givesBackWhatWasSaved() throws {
        let folder = try TemporaryFolder()
        let state = try StateFile(inFolder: folder.file("deep/state"))
        #expect(try state.load() == nil)
        try state.save(Self.changes())
        #expect(try state.load() == Self.changes())
    }

    @Test func oneProcessHasTheFolder() throws {
        let folder = try TemporaryFolder()
        var first: StateFile? = try StateFile(inFolder: folder.path)
        let error = #expect(throws: StartError.self) { try StateFile(inFolder: folder.path) }
        #expect(error?.description.contains("Another Apus is running") == true)
        #expect(first != nil)
        first = nil
        _ = try StateFile(inFolder: folder.path)
    }

    @Test func aFileCutShortAnywhereIsRefusedAndLeftAlone() throws {
        let folder = try TemporaryFolder()
        let state = try StateFile(inFolder: folder.path)
        try state.save(Self.changes())
        let whole = try readFile(state.path)
        // The last byte is a line feed, which nothing depends on.
        for length in stride(from: 0, to: whole.count - 1, by: 37) {
            try Data(whole[..<length]).write(to: URL(fileURLWithPath: state.path))
            let error = #expect(throws: StartError.self, "after \(length) bytes") { try state.load() }
            #expect(error?.description.contains("--discard-changes") == true)
            #expect(try readFile(state.path).count == length)
        }
    }

    @Test(arguments: ["{}", "[]", "null", #"{"version": 99}"#, #"{"version": 1, "surprise": 1}"#, "\u{0}"])
    func whatIsNoStateIsRefused(content: String) throws {
        let folder = try TemporaryFolder()
        let state = try StateFile(inFolder: folder.path)
        try Data(content.utf8).write(to: URL(fileURLWithPath: state.path))
        #expect(throws: StartError.self) { try state.load() }
        let aside = try #require(try state.setAside())
        #expect(try readFile(aside) == Array(content.utf8))
        #expect(try state.load() == nil)
        #expect(try state.setAside() == nil)
    }

    @Test func askingLeavesNothingBehind() throws {
        let folder = try TemporaryFolder()
        try StateFile.tryFolder(folder.file("deep/state"), mayBeInUse: false)
        try StateFile.tryFolder(folder.path, mayBeInUse: false)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)

        let state = try StateFile(inFolder: folder.path)
        let inUse = #expect(throws: StartError.self) { try StateFile.tryFolder(folder.path, mayBeInUse: false) }
        #expect(inUse?.description.hasPrefix("Another Apus is running") == true)
        try StateFile.tryFolder(folder.path, mayBeInUse: true)
        try state.save(Self.changes())
        #expect(try StateFile.saved(inFolder: folder.path) == Self.changes())

        // What asking says, starting says.
        let asked = #expect(throws: StartError.self) { try StateFile.tryFolder(state.path + "/x", mayBeInUse: false) }
        let started = #expect(throws: StartError.self) { try StateFile(inFolder: state.path + "/x") }
        #expect(asked == started && asked?.description.contains("Not a directory") == true)
    }
}
