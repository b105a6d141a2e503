import Foundation
import Glibc
import Testing

/// A disk under a program's state folder that can be stopped and resumed: a file system that only the program sees.
///
/// Shape:  it ends with the program, stopped or not, and its mount with it.
struct StuckDisk {
    private let process: pid_t

    /// Whether this machine lets us make one.
    static let isPossible: Bool =
        getuid() == 0 && FileManager.default.fileExists(atPath: "/dev/fuse")
        && FileManager.default.fileExists(atPath: "/usr/bin/unshare")
        && FileManager.default.isExecutableFile(atPath: Tool.python)

    /// The words before those of a program whose state lies in `folder`.
    static func words(in folder: String) -> [String] {
        let unshare = ["unshare", "--mount", "--propagation", "private"]
        return unshare + [Tool.python, Tool.script("stuck_disk"), "\(folder)/state", "\(folder)/disk.pid"]
    }

    /// The disk of `apus`, which was started with `words`.
    init(of apus: ApusProcess) throws {
        let text = try String(contentsOfFile: "\(apus.folder)/disk.pid", encoding: .utf8)
        process = try #require(pid_t(text), "the disk's process is told")
    }

    /// From now on every access blocks.
    func stop() { _ = kill(process, SIGSTOP) }

    /// Blocked accesses complete, and new ones do not block.
    func goOn() { _ = kill(process, SIGCONT) }
}
