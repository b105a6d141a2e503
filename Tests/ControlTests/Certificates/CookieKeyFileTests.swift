import Core
import Foundation
import TLS
import Testing

@testable import Control

@Suite struct CookieKeyFileTests {
    private static let keys = (0..<3).map { CookieKey.random(createdAt: UInt64(1_800_000_000 - $0 * 86_400)) }

    @Test func givesBackWhatWasSaved() throws {
        let folder = try TemporaryFolder()
        let file = CookieKeyFile(inFolder: folder.path)
        #expect(try file.load() == [])
        try file.save(Self.keys)
        #expect(try file.load() == Self.keys)
        try file.save(Self.keys.reversed())
        #expect(try file.load() == Self.keys.reversed(), "in their order, whatever their times")
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"keys": 1}"#, #"{"keys": [1]}"#, #"{"keys": [{"id": "1", "secret": "00"}]}"#,
        #"{"keys": [{"id": "1", "secret": "00", "createdAt": 1}]}"#,
        #"{"keys": [{"id": "x", "secret": "\#(String(repeating: "0", count: 64))", "createdAt": 1}]}"#,
        #"{"keys": [{"id": "1", "secret": "\#(String(repeating: "g", count: 64))", "createdAt": 1}]}"#,
        #"{"keys": [{"id": "1", "secret": "\#(String(repeating: "0", count: 64))", "createdAt": -1}]}"#,
    ])
    func whatIsNoSuchFileIsToldAndLeftAlone(_ text: String) throws {
        let folder = try TemporaryFolder()
        let file = CookieKeyFile(inFolder: folder.path)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file.path))
        let damage = #expect(throws: CookieKeyFile.Damage.self) { try file.load() }
        #expect(damage?.reason.isEmpty == false)
        #expect(try readFile(file.path) == Array(text.utf8))
    }
}
