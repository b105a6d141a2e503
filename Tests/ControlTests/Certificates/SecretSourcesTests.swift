import Core
import Foundation
import Model
import Testing

@testable import Control

/// Where secrets are found, and why they are not.
@Suite struct SecretSourcesTests {
    private static func content(
        _ place: SecretReference.Place, _ prepare: (TemporaryFolder) throws -> Void = { _ in },
        credentials: Bool = true
    ) throws -> Result<[UInt8], SecretSources.Failure> {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("passed"), withIntermediateDirectories: false)
        try prepare(folder)
        var sources = SecretSources(folder: folder.path)
        sources.credentials = credentials ? folder.file("passed") : nil
        sources.variable = { $0 == "TOKEN" ? "from the environment" : nil }
        let reference = SecretReference(place)
        let files = FileContents(reading: Set([sources.path(of: reference)].compactMap(\.self)))
        do throws(SecretSources.Failure) { return .success(try sources.content(of: reference, files)) } catch {
            return .failure(error)
        }
    }

    private static func write(_ text: String, _ name: String) -> (TemporaryFolder) throws -> Void {
        { folder in try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name))) }
    }

    @Test func allPlacesAreKnown() throws {
        #expect(try Self.content(.file("token"), Self.write("a", "token")).get() == Array("a".utf8))
        #expect(try Self.content(.credential("token"), Self.write("b", "passed/token")).get() == Array("b".utf8))
        #expect(try Self.content(.variable("TOKEN")).get() == Array("from the environment".utf8))
        #expect(SecretSources(folder: "/f").path("/a") == "/a" && SecretSources(folder: "/f").path("a") == "/f/a")
    }

    @Test func whatIsMissingIsSaidWithARemedy() throws {
        func failure(
            _ place: SecretReference.Place, _ prepare: (TemporaryFolder) throws -> Void = { _ in },
            credentials: Bool = true
        ) throws -> SecretSources.Failure? {
            if case .failure(let failure) = try Self.content(place, prepare, credentials: credentials) {
                failure
            } else {
                nil
            }
        }
        let file = try #require(try failure(.file("token")))
        #expect(file.problem == "It cannot be read (No such file or directory)." && !file.isNotPassed)
        let none = try #require(try failure(.credential("token"), credentials: false))
        #expect(none.problem == "This process was passed no credentials: $CREDENTIALS_DIRECTORY is not set.")
        #expect(none.remedy.contains("LoadCredential=token:PATH") && none.isNotPassed)
        let other = try #require(try failure(.credential("token")))
        #expect(other.problem == "This process was passed no credential of this name." && !other.isNotPassed)
        let variable = try #require(try failure(.variable("OTHER")))
        #expect(variable.problem.contains("no such variable, or an empty one") && variable.isNotPassed)
        #expect(try failure(.file("token"), Self.write("", "token"))?.problem == "It is empty.")
        let long = String(repeating: "a", count: Limits.secretBytesMax + 1)
        #expect(try failure(.file("token"), Self.write(long, "token"))?.problem == "It has more than 256 KiB.")
        let folder = try failure(.file("passed"))
        #expect(folder?.problem.hasPrefix("It cannot be read (") == true)
    }

    @Test(arguments: [
        ("abc", true, "abc"), ("abc\n", true, "abc"), (" \t abc\r\n\n", true, "abc"), ("a b", false, "a b"),
        ("a b", true, nil), ("", true, nil), (" \n", false, nil), ("a\nb", false, nil), ("a\rb: c", false, nil),
        ("a\u{0}b", false, nil), ("ä", true, nil),
    ])
    func aFieldIsOneLine(_ text: String, _ isToken: Bool, _ expected: String?) {
        let value = try? SecretSources.fieldValue(Array(text.utf8), isToken: isToken)
        #expect(value == expected.map { Array($0.utf8) })
    }

    @Test func aFieldIsNotLong() throws {
        let most = [UInt8](repeating: 0x61, count: Limits.fieldSecretBytesMax)
        #expect(try SecretSources.fieldValue(most + [0x0A], isToken: true) == most)
        let failure = #expect(throws: SecretSources.Failure.self) {
            try SecretSources.fieldValue(most + [0x61], isToken: true)
        }
        #expect(failure?.problem == "It has more than 8 KiB.")
    }
}
