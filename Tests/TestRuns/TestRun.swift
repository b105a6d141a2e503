import Foundation
import Glibc

/// The resources that one run of the tests creates: files, mounts, processes, control groups, network namespaces.
///
/// Shape:  each has the run's name, and is removed when the test process has ended, even by a crash or a signal. Tests
///         remove what they created as soon as they can; this removes what is left.
public enum TestRun {
    /// The prefix of the names of files, control groups and network namespaces, before a `-`.
    public static let name: String = {
        let name = makeName()
        startKeeper(of: name, pid: getpid())
        return name
    }()

    /// A name for a run.
    public static func makeName() -> String { "apus-" + randomText(UInt64(UInt32.max)) }

    /// The environment variable that marks a process and its children, which end with the run that it names.
    public static let mark = "APUS_TEST_RUN"

    /// A new path for a file of this run, or of the run with another name. It is short enough for a Unix socket, and
    /// for one in a folder there.
    public static func newPath(of name: String = name) -> String { "\(root)/\(name)-\(randomText(UInt64.max))" }

    /// A new folder at such a path.
    public static func makeFolder(of name: String = name) throws -> String {
        let path = newPath(of: name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }

    /// In memory if possible, since Apus syncs its state at every change, and scenarios make thousands.
    private static let root = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"

    private static func randomText(_ limit: UInt64) -> String { String(UInt64.random(in: 0...limit), radix: 36) }

    /// Starts the program that removes what is left of a run once its process, `pid`, has ended.
    public static func startKeeper(of name: String, pid: pid_t) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", keeper, name, root, "\(pid)"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { fatalError("sh: \(error)") }
    }

    /// `$0` is the run's name, `$1` the folder that contains its folders, `$2` its process id.
    /// Source: tail(1), proc_pid_environ(5), ip-netns(8).
    private static let keeper = """
        trap '' HUP INT TERM
        tail --follow --sleep-interval=0.2 --pid="$2" /dev/null
        end_all() {
          found=false
          for process in /proc/[0-9]*; do
            grep -qzx "\(mark)=$0" "$process/environ" && kill -"$1" "${process#/proc/}" && found=true
          done
          $found
        }
        # SIGTERM first, so that PostgreSQL removes its shared memory. Then SIGKILL repeatedly, since processes may
        # start others.
        end_all INT && sleep 1
        for round in 1 2 3 4 5; do end_all KILL || break; done
        ip netns list | grep -o "^$0-[^ ]*" | while read -r namespace; do ip netns del "$namespace"; done
        grep -o " $1/$0-[^ ]*" /proc/self/mounts | sort -r | while read -r mount; do umount -l "$mount"; done
        find /sys/fs/cgroup -depth -type d -path "*/$0-*" -exec rmdir {} +
        rm -rf --one-file-system "$1/$0"-*
        """
}
