import Foundation
import TestRuns

/// A new folder that is removed with its last owner.
final class TemporaryFolder: Sendable {
    /// Its path, short enough for a Unix socket inside.
    let path: String

    init() throws { path = try TestRun.makeFolder() }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of `name` inside.
    subscript(_ name: String) -> String { "\(path)/\(name)" }

    /// The names of everything inside, in order.
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    /// Makes a folder inside.
    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: self[name], withIntermediateDirectories: false)
    }

    /// The permission bits of `name`.
    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: self[name])
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }
}
